/**
 * How scripts and tests run the program: from its sources, or as the executable that
 * `INFRAHUB_BACKUP_BINARY` names.
 *
 * @module
 */

/** The variables that the program reads, and no others. */
const READ_VARIABLES = [
  "INFRAHUB_*",
  "BACKUP_DIR",
  // Which PostgreSQL it is, and how to get in.
  "PREFECT_SERVER_DATABASE_*",
  "PREFECT_API_DATABASE_*",
  "PG*",
  "XDG_CACHE_HOME",
  "XDG_STATE_HOME",
  "STATE_DIRECTORY",
  "HOME",
  "NO_COLOR",
  // What systemd gives a service: where it listens, how often it wants a sign of life and from which
  // process, and where credentials are and sockets may be.
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "CREDENTIALS_DIRECTORY",
  "RUNTIME_DIRECTORY",
  "TMPDIR",
  // S3: keys, tokens, profiles, endpoint, region, certificates; and what the AWS SDK looks at to
  // find ~/.aws, and to tell whether it runs in a Lambda function.
  "AWS_*",
  "USERPROFILE",
  "HOMEPATH",
  "HOMEDRIVE",
  "_X_AMZN_TRACE_ID",
];

/** What the program is allowed to do, compiled or not, as it comes. */
export const PERMISSIONS: readonly string[] = [
  // A permission that is missing is an error: a backup at night has nobody to ask.
  "--no-prompt",
  // Repositories, dumps and targets are wherever the operator says.
  "--allow-read",
  "--allow-write",
  // Docker, kubectl and the programs of the databases; and "create from-commands" runs whichever
  // commands the operator names.
  "--allow-run",
  // S3 is at whichever endpoint the operator names, and who gives credentials may be elsewhere;
  // systemd's notification socket counts as network as well.
  "--allow-net",
  // The host's name is recorded in snapshots and locks; the user's id tells, with --host, whether a
  // command has to be run as another user; ~/.aws is looked for where HOME is not set.
  "--allow-sys=hostname,uid,homedir",
  `--allow-env=${READ_VARIABLES.join(",")}`,
];

/**
 * The same, with a limit.
 *
 * @param programs the only ones that it may start, by their names or paths; any when left out
 * @throws {Error} when that is no list of programs
 */
export function permissions(programs?: readonly string[]): readonly string[] {
  if (programs === undefined) return PERMISSIONS;
  // An empty list would be no limit at all.
  if (programs.length === 0 || programs.some((program) => program.trim() === "")) {
    throw new Error("--run needs the names of programs, with commas between them");
  }
  const run = `--allow-run=${programs.join(",")}`;
  return PERMISSIONS.map((one) => one === "--allow-run" ? run : one);
}

/**
 * What the program makes while it streams is garbage within milliseconds. By default V8 lets the
 * space for it grow to 16 MiB and more with the length of a run (measured: 21 MiB more resident
 * memory after 8 GiB than after 1 GiB), which makes nothing faster.
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=2";

/** The folder of `deno.json`. */
export const ROOT: string = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** A way to run the program. */
export interface Tool {
  /** What it is, for people. */
  readonly description: string;
  /** Program and first arguments. */
  readonly argv: readonly [string, ...string[]];
  /** All that its environment has to have. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The executable if there is one, with an empty environment; else the sources, run by this Deno,
 * which needs to find its own caches.
 *
 * @param options.sources the sources in any case
 */
export function findTool(options: { readonly sources?: boolean } = {}): Tool {
  const binary = options.sources ? undefined : Deno.env.get("INFRAHUB_BACKUP_BINARY");
  if (binary) {
    return { description: `executable ${binary}`, argv: [Deno.realPathSync(binary)], env: {} };
  }
  // The caller's settings of the program must not change what a script does.
  const env = Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("INFRAHUB_"));
  return {
    description: `sources, Deno ${Deno.version.deno}`,
    argv: [
      Deno.execPath(),
      "run",
      ...PERMISSIONS,
      V8_FLAGS,
      `--config=${ROOT}deno.json`,
      `${ROOT}main.ts`,
    ],
    env: Object.fromEntries(env),
  };
}
