import { type Clock, type ComponentProgress, formatSize } from "../../infrahub/mod.ts";

/** Over how long a rate is measured, in milliseconds: long enough to be calm, short enough to be now. */
const RATE_WINDOW_MS = 10_000;

/** How one component stands. */
export interface ComponentState extends ComponentProgress {
  /** Bytes per second, over the last seconds. */
  readonly bytesPerSecond: number;
}

interface Sample {
  readonly time: number;
  readonly bytes: number;
}

/** Keeps how far each component of a run has come, in the order in which they began. */
export class ProgressTracker {
  readonly #clock: Clock;
  readonly #latest = new Map<string, ComponentProgress>();
  readonly #samples = new Map<string, Sample[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what a component says of itself. */
  update(progress: ComponentProgress): void {
    const before = this.#latest.get(progress.component);
    // Fewer than before: it starts again. A restore verifies a dump before it restores it.
    if (before === undefined || progress.bytes < before.bytes) {
      this.#samples.set(progress.component, [{ time: this.#clock.now(), bytes: 0 }]);
    }
    this.#latest.set(progress.component, progress);
  }

  /** How all components stand now. To be called at an interval: rates are measured from call to call. */
  states(): ComponentState[] {
    const time = this.#clock.now();
    return [...this.#latest.values()].map((progress) => {
      const samples = this.#samples.get(progress.component) ?? [];
      samples.push({ time, bytes: progress.bytes });
      // The newest sample that is old enough stays, to measure from.
      while (samples.length > 2 && time - (samples[1]?.time ?? time) >= RATE_WINDOW_MS) {
        samples.shift();
      }
      this.#samples.set(progress.component, samples);
      const first = samples[0] ?? { time, bytes: 0 };
      const seconds = (time - first.time) / 1_000;
      const bytesPerSecond = seconds > 0 ? (progress.bytes - first.bytes) / seconds : 0;
      return { ...progress, bytesPerSecond };
    });
  }
}

/** `1.2 GB, 210.0 MB/s, 12 % new`: one component in few words. */
export function describeProgress(state: ComponentState): string {
  const { bytes, bytesTotal, bytesNew, bytesPerSecond } = state;
  return [
    bytesTotal === undefined
      ? formatSize(bytes)
      : `${formatSize(bytes)} of ${formatSize(bytesTotal)}`,
    `${formatSize(Math.round(bytesPerSecond))}/s`,
    ...(bytesNew === undefined ? [] : [`${percentNew(bytes, bytesNew)} % new`]),
  ].join(", ");
}

function percentNew(bytes: number, bytesNew: number): number {
  return bytes === 0 ? 0 : Math.round(bytesNew / bytes * 100);
}
