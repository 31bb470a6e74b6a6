import { messageOf, ToolError } from "../../errors/mod.ts";
import type { Clock } from "../clock.ts";
import { formatDuration } from "../../environment/mod.ts";
import type { Reporter } from "../reporter.ts";
import type { Leftover, RunDirection, RunRecord } from "../unfinished/mod.ts";

/** How a disturbing step is taken back. */
export interface UndoAction {
  /** What it does, in the infinitive: `resume Neo4j`. */
  readonly name: string;
  /**
   * Takes the step back. Must be right whether the step happened, happened half or did not happen,
   * and may be called again after it failed.
   *
   * @param signal not the aborted one of the run: aborted when the action takes too long
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Longest duration in milliseconds; 0 for no limit.
   *
   * @default {600000}
   */
  readonly timeoutMs?: number;
  /**
   * Whether a failure leaves nothing behind but litter, so that the run need not fail of it.
   *
   * @default {false}
   */
  readonly harmless?: boolean;
  /** What another process has to know to put it right when this one is killed. */
  readonly leaves?: Leftover;
}

/** What has become of an action. */
export interface UndoResult {
  readonly name: string;
  readonly harmless: boolean;
  /** Undefined when it succeeded. */
  readonly error?: unknown;
}

/** An action on the journal. */
export interface UndoHandle {
  /** Does it now, as a step of the run, and takes it off when it succeeded. Once is enough. */
  perform(): Promise<void>;
  /** Takes it off without doing it: the step is to stay. */
  forget(): Promise<void>;
  /** The step has gone on: this is left if the process is killed now. */
  leaves(leftover: Leftover): Promise<void>;
}

const TIMEOUT_MS = 600_000;

interface Entry {
  readonly action: UndoAction;
  leftover: Leftover | undefined;
  running: Promise<void> | undefined;
}

/**
 * What must be taken back when a run fails or is interrupted. Push *before* the step that disturbs:
 * an interruption may come between the two. What is on it is kept in the run's record as well, which
 * outlives the process.
 */
export class UndoJournal {
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  readonly #record: RunRecord | undefined;
  readonly #entries: Entry[] = [];
  #direction: RunDirection = "back";

  constructor(
    options: {
      readonly reporter: Reporter;
      readonly clock: Clock;
      /** Keeps what would be left when the process is killed. */
      readonly record?: RunRecord | undefined;
    },
  ) {
    this.#reporter = options.reporter;
    this.#clock = options.clock;
    this.#record = options.record;
  }

  /** Names of what is still to be taken back, the newest first. */
  get pending(): readonly string[] {
    return this.#entries.map((entry) => entry.action.name).reverse();
  }

  /** Puts an action on top; the step may begin once this resolves. */
  async push(action: UndoAction): Promise<UndoHandle> {
    const entry: Entry = { action, leftover: action.leaves, running: undefined };
    this.#entries.push(entry);
    if (entry.leftover !== undefined) await this.#keep();
    return {
      perform: () => this.#perform(entry),
      forget: () => this.#remove(entry),
      leaves: (leftover) => {
        entry.leftover = leftover;
        return this.#keep();
      },
    };
  }

  /** From now on, what is unfinished is brought to its end, and not taken back. */
  async turn(): Promise<void> {
    this.#direction = "on";
    await this.#keep();
  }

  /**
   * Takes back everything that is left, the newest first; one that fails does not keep the others
   * from it, and stays on the journal. Never throws.
   *
   * @returns the results in that order
   */
  async undo(): Promise<UndoResult[]> {
    const results: UndoResult[] = [];
    for (const entry of [...this.#entries].reverse()) {
      const { name, harmless = false } = entry.action;
      this.#reporter.info(`Cleaning up: ${name}`);
      try {
        await this.#perform(entry);
        results.push({ name, harmless });
      } catch (error) {
        this.#reporter.warn(`Could not ${name}: ${messageOf(error)}`);
        results.push({ name, harmless, error });
      }
    }
    return results;
  }

  /**
   * Does `body`, then takes back whatever is left on the journal, whether it succeeded or not. The
   * error of `body` is thrown as it is; what failed while undoing has been reported.
   *
   * @throws {UndoFailedError} when `body` succeeded and something could not be taken back
   */
  async protect<Value>(body: (journal: this) => Promise<Value>): Promise<Value> {
    let value: Value;
    try {
      value = await body(this);
    } catch (error) {
      await this.undo();
      await this.#record?.end();
      throw error;
    }
    const results = await this.undo();
    await this.#record?.end();
    const failed = results.filter((result) => "error" in result && !result.harmless);
    if (failed.length > 0) throw new UndoFailedError(failed);
    return value;
  }

  #perform(entry: Entry): Promise<void> {
    if (!this.#entries.includes(entry)) return Promise.resolve();
    entry.running ??= this.#run(entry.action).then(
      () => this.#remove(entry),
      (error) => {
        entry.running = undefined;
        throw error;
      },
    );
    return entry.running;
  }

  /** Runs an action against its time limit, and waits no longer for one that ignores the signal. */
  async #run({ run, timeoutMs = TIMEOUT_MS }: UndoAction): Promise<void> {
    const controller = new AbortController();
    if (timeoutMs <= 0) {
      await run(controller.signal);
      return;
    }
    const done = new AbortController();
    const limit = this.#clock.sleep(timeoutMs, done.signal).then(() => {
      const error = new ToolError(`took longer than ${formatDuration(timeoutMs)}`);
      controller.abort(error);
      throw error;
    });
    // Ended by `done` when the action is first; nobody looks at it then.
    limit.catch(() => {});
    const action = (async () => await run(controller.signal))();
    // May fail after the time limit has been reported: that tells nothing new.
    action.catch(() => {});
    try {
      await Promise.race([action, limit]);
    } finally {
      done.abort();
    }
  }

  async #remove(entry: Entry): Promise<void> {
    const at = this.#entries.indexOf(entry);
    if (at < 0) return;
    this.#entries.splice(at, 1);
    if (entry.leftover !== undefined) await this.#keep();
  }

  async #keep(): Promise<void> {
    await this.#record?.keep(
      this.#direction,
      this.#entries.flatMap(({ leftover }) => leftover === undefined ? [] : [leftover]),
    );
  }
}

/** The run succeeded, but something it disturbed could not be put back. */
export class UndoFailedError extends ToolError {
  readonly failed: readonly UndoResult[];

  constructor(failed: readonly UndoResult[]) {
    super(
      failed.map(({ name, error }) => `could not ${name}: ${messageOf(error)}`).join("; "),
      { cause: failed[0]?.error },
    );
    this.failed = failed;
  }
}
