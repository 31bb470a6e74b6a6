/**
 * Dumps that go wrong: for the time of a test, a program of a container is a script that runs the
 * real one and spoils what it does.
 *
 * @module
 */

import { type Deployment } from "./deployment.ts";

const encoder = new TextEncoder();

/**
 * What can be put in place of a dumping program. `"$real"` is the program that it replaces, `"$@"`
 * its arguments; the spoilt scripts write some of the real dump first, as a failure halfway does.
 */
export const FAULTS = {
  /** Writes half a megabyte at most, complains, exits 1. */
  fails: `"$real" "$@" | head -c 500000; echo 'spoilt: the disk is on fire' >&2; exit 1`,
  /** Ends by SIGKILL in the middle. */
  killed: `"$real" "$@" | head -c 500000; kill -KILL "$$"`,
  /** Writes some, then neither goes on nor ends. */
  stalls: `"$real" "$@" | head -c 500000; exec sleep 100000`,
  /** Exits 0 without a byte. */
  empty: "exit 0",
  /** Exits 0 after a part. */
  cut: `"$real" "$@" | head -c 500000`,
} as const;

/** The name of a fault. */
export type Fault = keyof typeof FAULTS;

/**
 * Runs `body` while `program` of a service's first container is a shell script. Calls that do not
 * match `when` (a pattern of the shell, on the arguments joined by blanks) reach the real program.
 */
export async function withProgram<T>(
  deployment: Deployment,
  target: { readonly service: string; readonly program: string; readonly when?: string },
  script: string,
  body: () => Promise<T>,
): Promise<T> {
  const { service, program, when = "*" } = target;
  const locate = await deployment.exec(service, ["sh", "-c", `command -v "$1"`, "sh", program]);
  const path = new TextDecoder().decode(locate.stdout).trim();
  const real = `${path}.real`;
  const lines = [
    "#!/bin/sh",
    `real='${real}'`,
    `case "$*" in ${when}) ;; *) exec "$real" "$@" ;; esac`,
    script,
    "",
  ];
  // Renamed, not overwritten: a running program keeps its file.
  const install = `mv "$1" "$2" && cat > "$1" && chmod 755 "$1"`;
  await deployment.exec(service, ["sh", "-c", install, "sh", path, real], {
    user: "root",
    stdin: encoder.encode(lines.join("\n")),
  });
  try {
    return await body();
  } finally {
    await deployment.exec(service, ["mv", "-f", real, path], { user: "root" });
  }
}
