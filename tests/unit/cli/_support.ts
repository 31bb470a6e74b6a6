import type { CliContext } from "../../../src/cli/mod.ts";
import { EnvironmentError } from "../../../src/environment/mod.ts";
import { JumpingClock } from "../infrahub/fake_environment.ts";

/** A context that keeps what is written, with variables and a clock of its own. */
export interface RecordingContext extends CliContext {
  /** What went to standard output. */
  out(): string;
  /** What went to standard error. */
  err(): string;
}

/** Makes a context for a run inside of a test. */
export function recordingContext(
  variables: Readonly<Record<string, string>> = {},
  overrides: Partial<CliContext> = {},
): RecordingContext {
  let out = "";
  let err = "";
  return {
    env: (name) => variables[name],
    writeOut: (text) => void (out += text),
    writeOutBytes: (bytes) => {
      out += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
    writeError: (text) => void (err += text),
    stderrIsTerminal: false,
    columns: () => 80,
    askSecret: () => Promise.resolve(undefined),
    confirm: () => Promise.resolve(undefined),
    hostname: () => "testhost",
    now: () => new Date("2026-03-18T14:30:00Z"),
    clock: new JumpingClock(),
    repeat: () => () => {},
    pid: 1,
    program: "infrahub-backup",
    workingDirectory: () => "/nowhere",
    detectEnvironment: () => Promise.reject(new EnvironmentError("no environment in this test")),
    listEnvironments: () => Promise.resolve({ projects: [], namespaces: [], problems: [] }),
    giveUp: () => Promise.resolve(),
    signal: new AbortController().signal,
    ...overrides,
    out: () => out,
    err: () => err,
  };
}
