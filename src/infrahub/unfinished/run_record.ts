import { messageOf, ToolError } from "../../errors/mod.ts";
import { readTextIfThere, removeIfThere, writeFileAtomically } from "../../files/mod.ts";
import { type DeploymentIdentity, isSamePlace, type Place } from "../origin/mod.ts";
import type { Reporter } from "../reporter.ts";
import { type Leftover, parseLeftover, type RunDirection } from "./leftover.ts";

/** How long it is waited for a lock that is free: taking one is no work. */
const FREE_LOCK_MS = 300;
const NAME = /^run-([0-9a-f-]{36})\.json$/;

/** What is known of a run that was under way. */
export interface UnfinishedRun {
  readonly id: string;
  readonly place: Place;
  /** Given by the user; of a host's deployment alone. */
  readonly name?: string;
  /** Such as `restore`. */
  readonly command: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** Whether its process is still there. */
  readonly isAlive: boolean;
  readonly direction: RunDirection;
  /** Whether what was replaced is to be kept. */
  readonly keepsOld: boolean;
  /** In the order in which it came about. */
  readonly leftovers: readonly Leftover[];
}

/** Another run of this host works on the deployment, and must not be disturbed. */
export class NotAloneError extends ToolError {
  constructor({ command, host, pid }: UnfinishedRun) {
    super(
      `${command} of ${host} (process ${pid}) is changing this deployment now: nothing has been ` +
        "changed; wait until it has ended",
    );
  }
}

/** A directory of one's own, as a backup of Neo4j Enterprise needs, disturbs nobody. */
function isExclusive(leftovers: readonly Leftover[]): boolean {
  return leftovers.some(({ kind }) => kind !== "directory");
}

/** What tells a run from others, and what it does. */
export interface RunDescription {
  readonly command: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** @default {false} */
  readonly keepsOld?: boolean;
}

/**
 * The runs that change one deployment, as far as this host knows them: a file for each, in the
 * program's state directory.
 *
 * Beside each file lies another that its process holds a lock on. The kernel takes the lock away
 * when the process ends, however it ends: no process id can be mistaken for another's, be it given
 * again or of another container.
 */
export class DeploymentRuns {
  readonly #directory: string;
  readonly #place: Place;
  readonly #name: string | undefined;
  readonly #reporter: Reporter;

  private constructor(
    directory: string,
    place: Place,
    name: string | undefined,
    reporter: Reporter,
  ) {
    this.#directory = directory;
    this.#place = place;
    this.#name = name;
    this.#reporter = reporter;
  }

  /**
   * @param directory absolute path; made when something is written
   * @returns undefined for a deployment of which the place is not known
   */
  static of(
    directory: string,
    { place, name }: Pick<DeploymentIdentity, "place" | "name">,
    reporter: Reporter,
  ): DeploymentRuns | undefined {
    if (place === undefined) return undefined;
    // The place is what a run changes, whatever it was called that time; a host alone may have several
    // deployments, which their names tell apart.
    return new DeploymentRuns(directory, place, place.kind === "host" ? name : undefined, reporter);
  }

  /** Those that have not ended as they should, oldest first; a file that cannot be read is told. */
  async find(): Promise<UnfinishedRun[]> {
    const found: UnfinishedRun[] = [];
    for (const name of await this.#names()) {
      const id = NAME.exec(name)?.[1];
      if (id === undefined) continue;
      try {
        const text = await readTextIfThere(`${this.#directory}/${name}`);
        const run = text === undefined ? undefined : parseRun(id, text);
        if (text === undefined) continue;
        if (run === undefined) throw new ToolError("it is of another version of this program");
        if (!isSamePlace(run.place, this.#place) || run.name !== this.#name) continue;
        found.push({ ...run, isAlive: await this.#isAlive(id) });
      } catch (error) {
        this.#reporter.warn(
          `A run that is not finished cannot be read: ${this.#directory}/${name}: ` +
            messageOf(error),
        );
      }
    }
    return found.sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  }

  /** Forgets one that nothing is left of. */
  async forget({ id }: Pick<UnfinishedRun, "id">): Promise<void> {
    await removeIfThere(this.#pathOf(id));
    await removeIfThere(this.#lockOf(id));
  }

  /**
   * Takes over what a dead run has left, for as long as the result is not disposed of: others see the
   * run alive.
   *
   * @throws {ToolError} when somebody else has taken it over
   */
  async adopt({ id }: Pick<UnfinishedRun, "id">): Promise<AsyncDisposable> {
    const path = this.#lockOf(id);
    const file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
    if (!await isTaken(file)) {
      return { [Symbol.asyncDispose]: () => Promise.resolve(file.close()) };
    }
    file.close();
    throw new ToolError("somebody else is putting it right");
  }

  /** Keeps less of a run that somebody has taken over. */
  async reduce(
    { id, direction, ...description }: UnfinishedRun,
    leftovers: readonly Leftover[],
  ): Promise<void> {
    await this.#write(id, description, direction, leftovers);
  }

  /**
   * Begins to keep what a run leaves. Nothing is written before there is something.
   *
   * Where it cannot be kept, the run goes on without, and that is told: a backup that needs no disk
   * must not fail of one that is full.
   */
  begin(description: RunDescription): RunRecord {
    const id = crypto.randomUUID();
    let lock: Deno.FsFile | undefined;
    let isTold = false;
    /** Whether this run has the deployment for itself, so that others have to look. */
    let isAlone = false;
    const write = async (direction: RunDirection, leftovers: readonly Leftover[]) => {
      try {
        if (lock === undefined) {
          if (leftovers.length === 0) return;
          await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
          const path = this.#lockOf(id);
          lock = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
          await lock.lock(true);
        }
        if (leftovers.length === 0) await removeIfThere(this.#pathOf(id));
        else {
          await this.#write(id, description, direction, leftovers);
          if (!isAlone) {
            await this.#requireAlone(id, leftovers);
            isAlone = isExclusive(leftovers);
          }
        }
      } catch (error) {
        if (error instanceof NotAloneError) {
          // Nothing has been done yet of what was written.
          await removeIfThere(this.#pathOf(id));
          throw error;
        }
        if (isTold) return;
        isTold = true;
        this.#reporter.warn(
          "What this run changes cannot be noted, and would not be put right after a crash: " +
            messageOf(error),
        );
      }
    };
    return new RunRecord(id, write, async () => {
      if (lock === undefined) return;
      await removeIfThere(this.#lockOf(id));
      lock.close();
      lock = undefined;
    });
  }

  /**
   * Looks for others only after this run can be seen: of two that begin in the same moment, none is
   * overlooked, though both may give way.
   */
  async #requireAlone(id: string, leftovers: readonly Leftover[]): Promise<void> {
    for (const run of await this.find()) {
      if (run.id === id || !run.isAlive) continue;
      if (isExclusive(leftovers) || isExclusive(run.leftovers)) throw new NotAloneError(run);
    }
  }

  async #write(
    id: string,
    { command, host, pid, startedAt, keepsOld = false }: RunDescription,
    direction: RunDirection,
    leftovers: readonly Leftover[],
  ): Promise<void> {
    const value = {
      place: this.#place,
      ...(this.#name === undefined ? {} : { name: this.#name }),
      command,
      host,
      pid,
      started_at: startedAt.toISOString(),
      direction,
      keeps_old: keepsOld,
      leftovers,
    };
    await writeFileAtomically(this.#pathOf(id), `${JSON.stringify(value, undefined, 2)}\n`, {
      mode: 0o600,
      replace: true,
    });
  }

  async #isAlive(id: string): Promise<boolean> {
    let file: Deno.FsFile;
    try {
      // Only read: whoever merely looks may have no right to write.
      file = await Deno.open(this.#lockOf(id));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    try {
      return await isTaken(file);
    } finally {
      file.close();
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(this.#directory))).map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      this.#reporter.warn(
        `Whether an earlier run was killed is not known: ${this.#directory}: ${messageOf(error)}`,
      );
      return [];
    }
  }

  #pathOf(id: string): string {
    return `${this.#directory}/run-${id}.json`;
  }

  #lockOf(id: string): string {
    return `${this.#directory}/run-${id}.lock`;
  }
}

/** What one run keeps: all that would be left of it if it was killed now. */
export class RunRecord {
  readonly id: string;
  readonly #write: (direction: RunDirection, leftovers: readonly Leftover[]) => Promise<void>;
  readonly #end: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();

  constructor(
    id: string,
    write: (direction: RunDirection, leftovers: readonly Leftover[]) => Promise<void>,
    end: () => Promise<void>,
  ) {
    this.id = id;
    this.#write = write;
    this.#end = end;
  }

  /**
   * Replaces what is kept; it is on the disk once this resolves. One after the other.
   *
   * @throws {NotAloneError} another run works on the deployment
   */
  keep(direction: RunDirection, leftovers: readonly Leftover[]): Promise<void> {
    const kept = this.#last.then(() => this.#write(direction, leftovers));
    this.#last = kept.catch(() => {});
    return kept;
  }

  /** The run has ended: what is kept now is what it could not put right itself. */
  async end(): Promise<void> {
    await this.#last;
    await this.#end();
  }
}

/** Takes the lock of a file where it is free, until the file is closed; else says so. */
async function isTaken(file: Deno.FsFile): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const taken = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), FREE_LOCK_MS);
  });
  const free = file.lock(true).then(() => false);
  free.catch(() => {}); // Nobody looks at it once it has taken too long.
  try {
    return await Promise.race([free, taken]);
  } finally {
    clearTimeout(timer);
  }
}

function parseRun(id: string, text: string): Omit<UnfinishedRun, "isAlive"> | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return undefined;
  const found = value as Readonly<Record<string, unknown>>;
  const { command, host, pid, direction, keeps_old: keepsOld, leftovers } = found;
  const place = parsePlace(found.place);
  const startedAt = new Date(String(found.started_at));
  if (
    typeof command !== "string" || typeof host !== "string" || typeof pid !== "number" ||
    (direction !== "back" && direction !== "on") || !Array.isArray(leftovers) ||
    place === undefined || Number.isNaN(startedAt.getTime())
  ) return undefined;
  const known: Leftover[] = [];
  for (const one of leftovers) {
    const leftover = parseLeftover(one);
    if (leftover === undefined) return undefined;
    known.push(leftover);
  }
  return {
    id,
    place,
    ...(typeof found.name === "string" ? { name: found.name } : {}),
    command,
    host,
    pid,
    startedAt,
    direction,
    keepsOld: keepsOld === true,
    leftovers: known,
  };
}

function parsePlace(value: unknown): Place | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, target, host, id } = value as Readonly<Record<string, unknown>>;
  if (kind !== "docker" && kind !== "kubernetes" && kind !== "host") return undefined;
  if (typeof target !== "string") return undefined;
  return {
    kind,
    target,
    ...(typeof host === "string" ? { host } : {}),
    ...(typeof id === "string" ? { id } : {}),
  };
}
