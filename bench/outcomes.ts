import type { DataSet } from "./data/data_set.ts";
import { type Measurement, median } from "./stopwatch.ts";

/** Something that is done with a data set. */
export interface Operation {
  /** Such as `restore`, or `changed-` and the name of a change. */
  readonly name: string;
  /** For people. */
  readonly title: string;
}

export const FIRST: Operation = { name: "first", title: "first backup" };
export const CHECK: Operation = { name: "check", title: "check, all data read" };
export const RESTORE: Operation = { name: "restore", title: "restore to a pipe" };
export const SECOND: Operation = { name: "second", title: "second backup, unchanged" };

/** A backup after a change. */
export function changedOperation(change: { name: string; title: string }): Operation {
  return { name: `changed-${change.name}`, title: `second backup, ${change.title}` };
}

/** What is done with a data set, in the order of tables. */
export function operationsOf(data: DataSet): Operation[] {
  return [FIRST, SECOND, ...data.changes.map(changedOperation), CHECK, RESTORE];
}

/** All runs of one operation by one program. */
export class Outcome {
  /** Length of the stream. */
  readonly bytes: number;
  readonly #measurements: Measurement[] = [];
  readonly #added: number[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** @param addedBytes growth of the repository; left out when the operation adds nothing */
  add(measurement: Measurement, addedBytes?: number): void {
    this.#measurements.push(measurement);
    if (addedBytes !== undefined) this.#added.push(addedBytes);
  }

  get runs(): number {
    return this.#measurements.length;
  }

  /** Median. */
  get seconds(): number {
    return median(this.#measurements.map(({ seconds }) => seconds));
  }

  /** Millions of bytes a second, of the median time. */
  get speed(): number {
    return this.bytes / 1e6 / this.seconds;
  }

  /** Median. */
  get cpuSeconds(): number {
    return median(this.#measurements.map(({ cpuSeconds }) => cpuSeconds));
  }

  /** The highest of all runs. */
  get peakBytes(): number {
    return Math.max(...this.#measurements.map(({ peakBytes }) => peakBytes));
  }

  /** Median; undefined when the operation adds nothing. */
  get addedBytes(): number | undefined {
    return this.#added.length === 0 ? undefined : median(this.#added);
  }
}

/** Outcomes by data set, operation and program. */
export class Outcomes {
  readonly #outcomes = new Map<string, Outcome>();

  /** @returns the outcome, which begins with no run */
  of(dataSet: string, operation: string, program: string, bytes: number): Outcome {
    const key = `${dataSet}/${operation}/${program}`;
    const found = this.#outcomes.get(key) ?? new Outcome(bytes);
    this.#outcomes.set(key, found);
    return found;
  }

  get(dataSet: string, operation: string, program: string): Outcome | undefined {
    return this.#outcomes.get(`${dataSet}/${operation}/${program}`);
  }
}
