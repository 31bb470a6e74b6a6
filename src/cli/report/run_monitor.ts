import { messageOf } from "../../errors/mod.ts";
import type { ComponentProgress, Reporter } from "../../infrahub/mod.ts";
import {
  type CliContext,
  EXIT_SUCCESS,
  EXIT_SUSPICIOUS,
  redactUrls,
  VERSION,
} from "../process/mod.ts";
import { logReporter, reportProgress } from "./log.ts";
import { type ComponentMetrics, type MetricsPlace, writeMetrics } from "./metrics.ts";
import { type ComponentState, describeProgress, ProgressTracker } from "./progress.ts";
import { ProgressBars } from "./progress_bars.ts";
import { ServiceNotifier } from "./sd_notify.ts";

/** How often bars are drawn, in milliseconds. */
const BARS_EVERY_MS = 200;

/** How often the service manager gets a new status, in milliseconds. */
const STATUS_EVERY_MS = 2_000;

/** What of a run is shown, and where. */
export interface MonitorOptions {
  /** `create`, `restore`, or what else is run. */
  readonly operation: string;
  /** Whether bars may be drawn, if standard error is a terminal. */
  readonly bars: boolean;
  /** How often a line tells the progress where there are no bars, in milliseconds; 0 for never. */
  readonly lineIntervalMs: number;
}

/**
 * Watches a run from its first action to its end, and tells whoever wants to know: people by bars or
 * by lines in the log, the service manager by notifications, Prometheus by a file.
 */
export class RunMonitor {
  readonly #context: CliContext;
  readonly #started: number;
  readonly #tracker: ProgressTracker;
  readonly #timers: (() => void)[] = [];
  #bars: ProgressBars | undefined;
  #notifier: ServiceNotifier | undefined;
  #operation = "";
  #hasProgress = false;
  /** Bytes of each component when its last line was written. */
  readonly #told = new Map<string, number>();
  #components: readonly ComponentMetrics[] = [];
  #onAbort = () => {};

  constructor(context: CliContext) {
    this.#context = context;
    this.#started = context.clock.now();
    this.#tracker = new ProgressTracker(context.clock);
  }

  /** Writes to standard error without getting into the bars. */
  readonly writeError = (text: string): void => {
    if (this.#bars === undefined) this.#context.writeError(text);
    else this.#bars.writeAbove(text);
  };

  /** To be called when the command line is understood, and the log configured. */
  start(options: MonitorOptions): void {
    const context = this.#context;
    this.#operation = options.operation;
    if (options.bars && context.stderrIsTerminal) {
      this.#bars = new ProgressBars({
        write: context.writeError,
        columns: context.columns,
        coloured: !context.env("NO_COLOR"),
      });
      this.#every(BARS_EVERY_MS, () => this.#bars?.show(this.#tracker.states()));
    } else if (options.lineIntervalMs > 0) {
      this.#every(options.lineIntervalMs, () => this.#reportLines());
    }
    this.#notifier = ServiceNotifier.open({
      env: context.env,
      repeat: context.repeat,
      pid: context.pid,
      onProblem: (message) => logReporter().debug(message),
    });
    if (this.#notifier === undefined) return;
    this.#notifier.ready(options.operation);
    this.#every(STATUS_EVERY_MS, () => this.#notifier?.status(this.#status()));
    const { signal } = context;
    this.#onAbort = () => this.#notifier?.stopping(`${messageOf(signal.reason)}: cleaning up`);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether the service manager is told how the run stands. */
  get isNotifying(): boolean {
    return this.#notifier !== undefined;
  }

  /** Takes the progress of a component; see {@linkcode Reporter}. */
  readonly progress = (progress: ComponentProgress): void => {
    this.#tracker.update(progress);
    this.#hasProgress = true;
  };

  /** A reporter to the log, and to this. */
  reporter(): Reporter {
    return { ...logReporter(), progress: this.progress };
  }

  /** What a run that goes well has done with each component. */
  readonly completed = (components: readonly ComponentMetrics[]): void => {
    this.#components = components;
  };

  /** Takes bars away until they are drawn the next time. */
  clear(): void {
    this.#bars?.clear();
  }

  /** Takes bars away and stops all that is periodic: the run is over but for its last words. */
  quiet(): void {
    for (const stop of this.#timers.splice(0)) stop();
    this.#context.signal.removeEventListener("abort", this.#onAbort);
    this.#bars?.clear();
    this.#bars = undefined;
  }

  /**
   * Tells the end of the run. Nothing that goes wrong here changes how the run ended.
   *
   * @param end what it exits with, where metrics go, and which operation they count for, of what
   */
  async end(
    { exitCode, metricsFile, operation, place }: {
      readonly exitCode: number;
      readonly metricsFile: string | undefined;
      readonly operation: string | undefined;
      readonly place: MetricsPlace;
    },
  ): Promise<void> {
    this.quiet();
    const { clock, now } = this.#context;
    const isSuccess = exitCode === EXIT_SUCCESS || exitCode === EXIT_SUSPICIOUS;
    if (metricsFile && operation !== undefined) {
      try {
        await writeMetrics(metricsFile, {
          operation,
          place,
          version: VERSION,
          exitCode,
          isSuccess,
          end: now(),
          durationSeconds: Math.round(clock.now() - this.#started) / 1_000,
          components: this.#components,
        });
      } catch (error) {
        logReporter().warn(redactUrls(messageOf(error)));
      }
    }
    await this.#notifier?.close(`${this.#operation}: exit code ${exitCode}`);
    this.#notifier = undefined;
  }

  /** A line for each component that goes on; a run that stands still says so of the last one. */
  #reportLines(): void {
    const states = this.#tracker.states();
    const moving = states.filter(({ component, bytes }) => this.#told.get(component) !== bytes);
    for (const state of moving.length > 0 ? moving : states.slice(-1)) {
      this.#told.set(state.component, state.bytes);
      reportProgress(state);
    }
  }

  #every(milliseconds: number, action: () => void): void {
    this.#timers.push(this.#context.repeat(milliseconds, () => {
      if (this.#hasProgress) action();
    }));
  }

  #status(): string {
    const states = this.#tracker.states();
    return [
      this.#operation,
      states.map((state: ComponentState) => `${state.component} ${describeProgress(state)}`).join(
        "; ",
      ),
    ].join(": ");
  }
}
