import { type Right, RIGHTS } from "../process/mod.ts";
import type { GlobalOptions } from "../syntax/mod.ts";

/** What of a command line decides which rights its command needs. */
export interface UnderstoodLine {
  /** How the command is called, without the program's name: `snapshots list`. */
  readonly route: string;
  readonly globals: Pick<GlobalOptions, "repo" | "backend" | "host">;
  /** The command's own options, by their names in camel case. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Its arguments, as they stand there. */
  readonly args: readonly string[];
  /**
   * What the run needs whatever its command does: network and writing where the service manager is told
   * how it stands, through a socket that is a file; writing where it leaves metrics when it ends.
   */
  readonly reserved: ReadonlySet<Right>;
}

/** When a command needs a right: never, always, or where its command line is so. */
type When = boolean | ((line: UnderstoodLine) => boolean);

/** What a command needs beside reading files. */
interface Needs {
  /** Starts programs. */
  readonly run: When;
  /** Opens connections. */
  readonly net: When;
  /**
   * Writes files. `cache`: nothing but the index cache, which is opened with the repository; the right
   * is given up after that.
   */
  readonly write: When | "cache";
}

const isRemoteRepository = ({ globals: { repo } }: UnderstoodLine) =>
  // Whatever is no path, and not only what is known to be a service: wrong usage has its own message.
  /^[a-z][a-z0-9+.-]*:/i.test(repo ?? "") && !/^(?:fs|file):/i.test(repo ?? "");
const usesRepository = ({ globals: { backend } }: UnderstoodLine) => backend === "plakar";
const isOnHost = ({ globals: { host } }: UnderstoodLine) => host === true;
const isRemoteTarget = (line: UnderstoodLine) =>
  usesRepository(line) ? isRemoteRepository(line) : line.options.s3Upload === true;
const isRemoteSource = (line: UnderstoodLine) =>
  usesRepository(line) ? isRemoteRepository(line) : /^s3:/i.test(line.args[0] ?? "");

const NOTHING: Needs = { run: false, net: false, write: false };
/** Looks into a repository. */
const READING: Needs = { run: false, net: isRemoteRepository, write: "cache" };
/** Talks to a deployment, by the programs of the table in `src/environment/programs.ts`. */
const ASKING: Needs = { run: true, net: false, write: false };

/**
 * What each command needs, by its route; everything else is given up as soon as its command line is
 * understood. On a host, services are asked at their addresses whether they answer.
 */
export const NEEDS: ReadonlyMap<string, Needs> = new Map([
  ["create", { run: true, net: (line) => isOnHost(line) || isRemoteTarget(line), write: true }],
  ["create from-commands", { run: true, net: isRemoteTarget, write: true }],
  // "find" looks for names that the runtime does not show; programs are given up once it has.
  ["create from-files", { run: true, net: isRemoteTarget, write: true }],
  ["restore", {
    run: ({ options }) => options.to === undefined,
    net: (line) => isRemoteSource(line) || (line.options.to === undefined && isOnHost(line)),
    write: true,
  }],
  ["upload", { run: false, net: true, write: false }],
  ["keygen", { run: false, net: false, write: true }],
  ["snapshots list", READING],
  ["snapshots show", READING],
  ["snapshots cat", READING],
  ["snapshots check", READING],
  ["repo validate", { run: false, net: isRemoteRepository, write: true }],
  ["repo unlock", { run: false, net: isRemoteRepository, write: true }],
  ["tasks flush flow-runs", ASKING],
  ["tasks flush stale-runs", ASKING],
  // systemd-analyze is asked about the calendar expression.
  ["systemd units", {
    run: true,
    net: false,
    write: ({ options }) => options.install !== undefined,
  }],
  ["environment detect", ASKING],
  ["environment list", ASKING],
  ["version", NOTHING],
  ["completion", NOTHING],
  ["manual", NOTHING],
]);

/**
 * The rights that a command line has no use for. A command without a row keeps none: it fails where
 * it is first tried, and not where somebody makes use of what it should not have had.
 *
 * The environment is kept for programs, which inherit it, and for S3, whose client looks for
 * credentials; of what the runtime tells about the system, `--host` needs the user's id, and the
 * client of S3 the home directory.
 */
export function superfluousRights(line: UnderstoodLine): Right[] {
  const { run, net, write } = NEEDS.get(line.route.replace(/^flush /, "tasks flush ")) ?? NOTHING;
  const isNeeded = (when: When) => typeof when === "function" ? when(line) : when;
  const runs = isNeeded(run);
  const connects = isNeeded(net);
  const needed: Record<Right, boolean> = {
    run: runs,
    net: connects,
    write: write === "cache" || isNeeded(write),
    env: runs || connects,
    sys: connects || (runs && isOnHost(line)),
    // Native code, and modules from elsewhere.
    ffi: false,
    import: false,
  };
  return RIGHTS.filter((right) => !needed[right] && !line.reserved.has(right));
}
