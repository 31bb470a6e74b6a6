/**
 * Installs the programs that the interop tests and benchmarks compare us with, and prints where
 * each is: one line `name path` per peer, in the order asked for.
 *
 * ```sh
 * deno run -A scripts/peers.ts plakar [restic borg kloset-1.0 …]
 * ```
 *
 * What is built goes into a cache folder outside the clone: `$INFRAHUB_BACKUP_PEERS`, else
 * `infrahub-backup-peers` under `$XDG_CACHE_HOME` or `$HOME/.cache`. Progress goes to stderr. The
 * exit code is 1 when a peer cannot be had; the reason is the last line of stderr.
 *
 * @module
 */

/** The release of plakar that repositories are exchanged with. */
export const PLAKAR_VERSION = "v1.1.4";

const PLAKAR_MODULE = "github.com/PlakarKorp/plakar";

/** The library of the last 1.0 line: knows state version 1.0.0 alone. */
const KLOSET_1_0_SOURCE = new URL("../tests/interop/kloset_1_0/", import.meta.url);

/** A peer cannot be installed; the message says what is missing. */
export class PeerError extends Error {
  override readonly name = "PeerError";
}

interface Output {
  readonly success: boolean;
  readonly text: string;
}

function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`peers: ${text}\n`));
}

async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Output> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      ...options,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { success, text: (decoder.decode(stdout) + decoder.decode(stderr)).trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { success: false, text: "not found" };
    throw error;
  }
}

function tail(text: string, lines = 8): string {
  return text.split("\n").slice(-lines).join("\n");
}

/** Where built peers are kept. @throws {PeerError} when no folder can be derived. */
export function peersFolder(env: Record<string, string | undefined> = Deno.env.toObject()): string {
  if (env.INFRAHUB_BACKUP_PEERS) return env.INFRAHUB_BACKUP_PEERS;
  const cache = env.XDG_CACHE_HOME || (env.HOME && `${env.HOME}/.cache`);
  if (!cache) {
    throw new PeerError("Set INFRAHUB_BACKUP_PEERS, XDG_CACHE_HOME or HOME: no folder for peers");
  }
  return `${cache}/infrahub-backup-peers`;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder !== "" && await isFile(`${folder}/${program}`)) return `${folder}/${program}`;
  }
  return undefined;
}

async function requireGo(purpose: string): Promise<void> {
  const go = await run("go", ["version"]);
  if (!go.success) {
    throw new PeerError(`Cannot build ${purpose}: no "go" on PATH; install Go 1.25 or newer`);
  }
}

/** Runs `build` in a fresh folder, then moves the executable that it left there to `target`. */
async function buildInto(
  target: string,
  build: (scratch: string, executable: string) => Promise<void>,
): Promise<void> {
  const folder = target.slice(0, target.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  // Inside the cache folder, so that the last step is a rename within one file system: two runs at
  // once each build their own, and nobody ever sees half an executable.
  const scratch = await Deno.makeTempDir({ dir: folder, prefix: "build-" });
  try {
    const executable = `${scratch}/executable`;
    await build(scratch, executable);
    await Deno.rename(executable, target);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/**
 * Stand-in for the module `go.omarpolo.com/ttlmap`: a map whose entries expire.
 *
 * plakar needs it only for the signed download links of its HTTP API, which no test uses.
 */
const TTLMAP_SOURCE = `package ttlmap

import (
	"sync"
	"time"
)

type entry[V any] struct {
	value   V
	expires time.Time
}

type Map[K comparable, V any] struct {
	mutex   sync.Mutex
	ttl     time.Duration
	entries map[K]entry[V]
}

func New[K comparable, V any](ttl time.Duration) *Map[K, V] {
	return &Map[K, V]{ttl: ttl, entries: map[K]entry[V]{}}
}

func (m *Map[K, V]) Add(key K, value V) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.entries[key] = entry[V]{value, time.Now().Add(m.ttl)}
}

func (m *Map[K, V]) Get(key K) (V, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found, ok := m.entries[key]
	if !ok || time.Now().After(found.expires) {
		var none V
		return none, false
	}
	return found.value, true
}

func (m *Map[K, V]) AutoExpire() {}
`;

/**
 * A module of our own that depends on plakar, with `ttlmap` replaced, and on others.
 *
 * @param others module and version, and the package of it that is needed
 * @returns its folder
 */
async function makePlakarModule(
  scratch: string,
  others: readonly { requirement: string; package: string }[] = [],
): Promise<string> {
  const module = `${scratch}/module`;
  await Deno.mkdir(`${module}/ttlmap`, { recursive: true });
  const requirements = [`${PLAKAR_MODULE} ${PLAKAR_VERSION}`, ...others.map((o) => o.requirement)];
  await Deno.writeTextFile(
    `${module}/go.mod`,
    `module peer\n\ngo 1.25.0\n\n${requirements.map((r) => `require ${r}\n`).join("")}\n` +
      "replace go.omarpolo.com/ttlmap => ./ttlmap\n",
  );
  const imports = [PLAKAR_MODULE, ...others.map((other) => other.package)];
  await Deno.writeTextFile(
    `${module}/tools.go`,
    `//go:build tools\n\npackage tools\n\n${imports.map((i) => `import _ "${i}"\n`).join("")}`,
  );
  await Deno.writeTextFile(
    `${module}/ttlmap/go.mod`,
    "module go.omarpolo.com/ttlmap\n\ngo 1.24\n",
  );
  await Deno.writeTextFile(`${module}/ttlmap/ttlmap.go`, TTLMAP_SOURCE);
  return module;
}

/** Builds plakar as one dependency of a module of our own, with `ttlmap` replaced. */
async function buildPlakarWithStandIn(scratch: string, executable: string): Promise<Output> {
  return await run("go", ["build", "-o", executable, PLAKAR_MODULE], {
    cwd: await makePlakarModule(scratch),
    env: { GOFLAGS: "-mod=mod" },
  });
}

/** plakar's S3 integration, in the one release of it that the module proxy serves. */
const S3_INTEGRATION = "github.com/PlakarKorp/integration-s3";
const S3_INTEGRATION_VERSION = "v1.1.0-beta.5";

/** Of the integration: the checksum database does not know it. */
const S3_INTEGRATION_SUMS = [
  `${S3_INTEGRATION} ${S3_INTEGRATION_VERSION} h1:axKGhYZD711WQEqLJ+7Uo2cDR3mbIQVG2pmG/hJY/e8=`,
  `${S3_INTEGRATION} ${S3_INTEGRATION_VERSION}/go.mod ` +
  "h1:eD28q6EFzUpEUTklHZ2MZ0E9iA9p+wRXwl6r9RJ0wUo=",
];

/**
 * plakar with its S3 store linked in. As a plugin it would need the package manager of plakar and a
 * kit that no proxy serves; the store itself registers when it is imported, so one more file in
 * plakar's main package does it.
 */
async function installPlakarS3(): Promise<string> {
  const target = `${peersFolder()}/plakar-s3-${PLAKAR_VERSION}-${S3_INTEGRATION_VERSION}`;
  if (await isFile(target)) return target;
  await requireGo("plakar with S3");
  await buildInto(target, async (scratch, executable) => {
    report(`building plakar ${PLAKAR_VERSION} with its S3 store (two to four minutes)`);
    const store = `${S3_INTEGRATION}/storage`;
    const cwd = await makePlakarModule(scratch, [
      { requirement: `${S3_INTEGRATION} ${S3_INTEGRATION_VERSION}`, package: store },
    ]);
    await Deno.writeTextFile(`${cwd}/go.sum`, S3_INTEGRATION_SUMS.join("\n") + "\n");
    // Vendored, because a file cannot be added to a package in the module cache.
    const steps: [string[], Record<string, string>][] = [
      [["mod", "tidy"], { GOFLAGS: "-mod=mod" }],
      [["mod", "vendor"], { GOFLAGS: "-mod=mod" }],
      [["build", "-mod=vendor", "-o", executable, PLAKAR_MODULE], { GOFLAGS: "" }],
    ];
    for (const [args, env] of steps) {
      if (args[0] === "build") {
        await Deno.writeTextFile(
          `${cwd}/vendor/${PLAKAR_MODULE}/s3_storage.go`,
          `package main\n\nimport _ "${store}"\n`,
        );
      }
      const done = await run("go", args, { cwd, env });
      if (!done.success) throw new PeerError(`Cannot build plakar with S3:\n${tail(done.text)}`);
    }
  });
  return target;
}

/** A program that is built from one package of a module. */
async function installGoProgram(
  name: string,
  { version, path }: { version: string; path: string },
): Promise<string> {
  const target = `${peersFolder()}/${name}-${version}`;
  if (await isFile(target)) return target;
  await requireGo(name);
  await buildInto(target, async (scratch, executable) => {
    report(`building ${name} ${version} (one to four minutes)`);
    const built = await run("go", ["install", `${path}@${version}`], { env: { GOBIN: scratch } });
    if (!built.success) throw new PeerError(`Cannot build ${name}:\n${tail(built.text)}`);
    await Deno.rename(`${scratch}/${name}`, executable);
  });
  return target;
}

/** The last release of MinIO's open edition; its tags are no versions that Go understands. */
const MINIO = {
  version: "v0.0.0-20260212201848-7aac2a2c5b7c",
  path: "github.com/minio/minio",
};

const VERSITYGW = { version: "v1.8.0", path: "github.com/versity/versitygw/cmd/versitygw" };

async function installPlakar(): Promise<string> {
  const target = `${peersFolder()}/plakar-${PLAKAR_VERSION}`;
  if (await isFile(target)) return target;
  await requireGo("plakar");
  await buildInto(target, async (scratch, executable) => {
    report(`building plakar ${PLAKAR_VERSION} (one to three minutes)`);
    const plain = await run("go", ["install", `${PLAKAR_MODULE}@${PLAKAR_VERSION}`], {
      env: { GOBIN: scratch },
    });
    if (plain.success) return await Deno.rename(`${scratch}/plakar`, executable);
    // A module proxy may not serve the host of one dependency, go.omarpolo.com/ttlmap; everything
    // else of plakar comes from the ordinary source, checksums verified.
    report(`go install failed (${tail(plain.text, 1)}); building with a stand-in for ttlmap`);
    const built = await buildPlakarWithStandIn(scratch, executable);
    if (!built.success) {
      throw new PeerError(`Cannot build plakar ${PLAKAR_VERSION}:\n${tail(built.text)}`);
    }
  });
  // The version is not stamped at link time, so what runs is asked, not assumed.
  const home = await Deno.makeTempDir({ prefix: "plakar-home-" });
  try {
    const version = await run(target, ["version"], {
      env: { HOME: home, XDG_CACHE_HOME: "", XDG_CONFIG_HOME: "", XDG_DATA_HOME: "" },
    });
    if (!version.success || !version.text.includes(PLAKAR_VERSION)) {
      await Deno.remove(target);
      throw new PeerError(`The plakar that was built does not run:\n${tail(version.text)}`);
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
  return target;
}

async function installKloset10(): Promise<string> {
  const sources = ["main.go", "go.mod", "go.sum"];
  const folder = decodeURIComponent(KLOSET_1_0_SOURCE.pathname);
  const content = await Promise.all(sources.map((name) => Deno.readFile(folder + name)));
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", await new Blob(content).arrayBuffer()),
  );
  // Named after its source, so that a changed program is built anew.
  const mark = Array.from(digest.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0"));
  const target = `${peersFolder()}/kloset-1.0-${mark.join("")}`;
  if (await isFile(target)) return target;
  await requireGo("kloset-1.0");
  await buildInto(target, async (_scratch, executable) => {
    report("building the kloset 1.0 client (one minute)");
    const built = await run("go", ["build", "-o", executable, "."], { cwd: folder });
    if (!built.success) {
      throw new PeerError(`Cannot build the kloset 1.0 client:\n${tail(built.text)}`);
    }
  });
  return target;
}

/** A program that Debian and its relatives package. */
async function installPackaged(program: string, debianPackage: string): Promise<string> {
  const found = await findOnPath(program);
  if (found !== undefined) return found;
  if (Deno.uid() !== 0 || await findOnPath("apt-get") === undefined) {
    throw new PeerError(
      `No "${program}" on PATH, and it can be installed by apt-get as root only: ` +
        `install the package "${debianPackage}"`,
    );
  }
  report(`installing the package ${debianPackage}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // Lists that are older than the mirror name files that are gone, so they are renewed first.
  const updated = await run("apt-get", ["update"], { env });
  const installed = await run("apt-get", ["install", "-y", debianPackage], { env });
  const path = await findOnPath(program);
  if (path === undefined) {
    const reason = installed.success ? updated.text : installed.text;
    throw new PeerError(`Cannot install the package "${debianPackage}":\n${tail(reason)}`);
  }
  return path;
}

const INSTALLERS: Readonly<Record<string, () => Promise<string>>> = {
  "plakar": installPlakar,
  "plakar-s3": installPlakarS3,
  "kloset-1.0": installKloset10,
  "minio": () => installGoProgram("minio", MINIO),
  "versitygw": () => installGoProgram("versitygw", VERSITYGW),
  "restic": () => installPackaged("restic", "restic"),
  "borg": () => installPackaged("borg", "borgbackup"),
};

/**
 * Installs a peer unless it is there already.
 *
 * @param name `plakar`, `plakar-s3`, `kloset-1.0`, `minio`, `versitygw`, `restic` or `borg`
 * @returns the path of its executable
 * @throws {PeerError} for an unknown name, or when the peer cannot be installed
 */
export async function installPeer(name: string): Promise<string> {
  const install = INSTALLERS[name];
  if (install === undefined) {
    throw new PeerError(
      `Unknown peer "${name}"; known are ${Object.keys(INSTALLERS).join(", ")}`,
    );
  }
  return await install();
}

if (import.meta.main) {
  try {
    if (Deno.args.length === 0) {
      throw new PeerError(`Name the peers to install: ${Object.keys(INSTALLERS).join(", ")}`);
    }
    for (const name of Deno.args) {
      const path = await installPeer(name);
      Deno.stdout.writeSync(new TextEncoder().encode(`${name} ${path}\n`));
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    report(error.message);
    Deno.exit(1);
  }
}
