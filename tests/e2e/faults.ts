/**
 * Dumps and restores that go wrong: for the time of a test, a program of a container is a script
 * that runs the real one and spoils what it does.
 *
 * @module
 */

import type { Operation } from "./bed.ts";
import { type Deployment } from "./deployment.ts";

const encoder = new TextEncoder();

/** What passes before it goes wrong; less than any dump of the tests has. */
export const PART_BYTES = 60_000;

const PART = `head -c ${PART_BYTES}`;

/**
 * For what is ended from outside while it runs other programs: the shell outlives them and reaps
 * them. Orphans are handed to process 1, and PostgreSQL, which is process 1 of its container, takes
 * one that died by a signal for a server process that crashed: it recovers, and its sequences skip
 * numbers. (The real programs run no others.)
 */
function reaping(script: string): string {
  return `trap 'exit 143' TERM; ${script}; trap - TERM`;
}

/** The ways to go wrong. `cut` and `empty` are of a dump: they end well, by their exit code. */
export type Fault = "fails" | "killed" | "stalls" | "empty" | "cut";

/**
 * Scripts in place of a program. `"$real"` is the program that it replaces, `"$@"` its arguments;
 * a part of the data passes first, as when it fails halfway.
 */
export const FAULTS: Readonly<Record<Operation, Readonly<Record<Fault, string>>>> = {
  dump: {
    /** Writes some, complains, exits 1. */
    fails: `"$real" "$@" | ${PART}; echo 'spoilt: the disk is on fire' >&2; exit 1`,
    /** Ends by SIGKILL in the middle. */
    killed: `"$real" "$@" | ${PART}; kill -KILL "$$"`,
    /** Writes some, then neither goes on nor ends. */
    stalls: `${reaping(`"$real" "$@" | ${PART}`)}; exec sleep 100000`,
    /** Exits 0 without a byte. */
    empty: "exit 0",
    /** Exits 0 after a part. */
    cut: `"$real" "$@" | ${PART}`,
  },
  restore: {
    /** The real program gets the beginning of its input; complains, exits 1. */
    fails: `${PART} | "$real" "$@"; echo 'spoilt: the disk is on fire' >&2; exit 1`,
    /** Ends by SIGKILL in the middle. */
    killed: `${PART} | "$real" "$@"; kill -KILL "$$"`,
    /** Takes some, then neither goes on nor ends. */
    stalls: `${reaping(`${PART} > /dev/null`)}; exec sleep 100000`,
    /** Exits 0 without having taken a byte. */
    empty: "exit 0",
    /** Exits 0 after having taken a part. */
    cut: `${PART} > /dev/null; exit 0`,
  },
};

/** The script in place of the program `real`, which calls that do not match `when` still reach. */
export function spoiltProgram(real: string, when: string, script: string): string {
  const lines = [
    "#!/bin/sh",
    `real='${real}'`,
    `case "$*" in ${when}) ;; *) exec "$real" "$@" ;; esac`,
    script,
    "",
  ];
  return lines.join("\n");
}

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
  // Renamed, not overwritten: a running program keeps its file.
  const install = `mv "$1" "$2" && cat > "$1" && chmod 755 "$1"`;
  await deployment.exec(service, ["sh", "-c", install, "sh", path, real], {
    user: "root",
    stdin: encoder.encode(spoiltProgram(real, when, script)),
  });
  try {
    return await body();
  } finally {
    await deployment.exec(service, ["mv", "-f", real, path], { user: "root" });
  }
}
