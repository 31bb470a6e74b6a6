import type { CommandInput, Environment, ServiceName } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { saysResumed } from "./_freeze_scripts.ts";
import type { Reporter } from "../reporter.ts";

/** Between two signs of life. */
const BEAT_MS = 10_000;
/** Longest wait for a sign of life to be taken. */
const STALL_MS = 60_000;
/** Longest wait for the watchdog's end; it may have to wait 20 s itself. */
const CLOSE_MS = 40_000;
const BEAT = new Uint8Array([0x0a]);

/**
 * The open standard input of a watchdog. When it ends, by `close` or with this process, Neo4j is
 * resumed; see `_freeze_scripts.ts`. The run's signal does not end it: Neo4j must stay held
 * until what works on its database has ended.
 */
export class WatchdogLine {
  readonly #environment: Environment;
  readonly #service: ServiceName;
  readonly #reporter: Reporter;
  readonly #end = new AbortController();
  #input: CommandInput | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastBeat: Promise<void> = Promise.resolve();
  #isBeating = false;

  constructor(environment: Environment, service: ServiceName, reporter: Reporter) {
    this.#environment = environment;
    this.#service = service;
    this.#reporter = reporter;
  }

  /**
   * Starts the watchdog.
   *
   * @throws {CommandFailedError} when it cannot be started
   */
  async open(argv: readonly string[]): Promise<void> {
    this.#input = await this.#environment.streamIn(this.#service, argv, {
      stallTimeoutMs: STALL_MS,
      signal: this.#end.signal,
    });
    this.#timer = setInterval(() => {
      // Real time, not the run's clock: the watchdog has a clock of its own.
      if (!this.#isBeating) this.#lastBeat = this.#beat();
    }, BEAT_MS);
  }

  /**
   * Has the watchdog resume Neo4j and waits for its end. Never throws.
   *
   * @returns whether it has said that Neo4j is resumed
   */
  async close(): Promise<boolean> {
    clearInterval(this.#timer);
    if (this.#input === undefined) return false;
    const limit = setTimeout(
      () => this.#end.abort(new Error("the watchdog did not end")),
      CLOSE_MS,
    );
    try {
      await this.#lastBeat;
      return saysResumed(await this.#input.close());
    } catch (error) {
      // Its container ends with Neo4j, often before its last word has come through.
      this.#reporter.debug(`The watchdog ended without a word: ${messageOf(error)}`);
      return false;
    } finally {
      clearTimeout(limit);
    }
  }

  async #beat(): Promise<void> {
    this.#isBeating = true;
    try {
      await this.#input?.write(BEAT);
    } catch (error) {
      clearInterval(this.#timer);
      this.#reporter.warn(
        `The connection that held Neo4j is lost, and it has been resumed: ${messageOf(error)}`,
      );
    } finally {
      this.#isBeating = false;
    }
  }
}
