import type { Stream, StreamKind } from "../data/data_set.ts";
import type { Run } from "../stopwatch.ts";

/** A program that stores streams. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** As it says itself. */
  readonly version: string;
  /** Makes an empty repository. */
  prepare(repository: string): Promise<void>;
  /** Stores a stream. */
  backup(repository: string, stream: Stream, kind: StreamKind): Run;
  /** What {@linkcode restore} calls the newest backup, which wrote `stdout`. */
  newest(repository: string, stdout: string, kind: StreamKind): Promise<string>;
  /** Reads and verifies all data. */
  check(repository: string): Run;
  /** Writes a stored stream to standard output. */
  restore(repository: string, backup: string): Run;
  /** The command that writes what is stored of a stream. */
  source(stream: Stream, kind: StreamKind): readonly string[];
}
