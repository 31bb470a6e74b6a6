import type { Component } from "../component.ts";

/** A component's bytes while they are read. */
export interface OpenSource {
  readonly content: ReadableStream<Uint8Array>;
  /**
   * Resolves when whatever feeds `content` has done its work, and rejects when it failed. To be
   * awaited after the end of `content` and before anything is committed.
   */
  readonly finished: Promise<void>;
  /** Looks at what was read as a whole; rejects when it is not worth keeping. */
  readonly verify?: (bytesRead: number) => Promise<void>;
}

/** Where a component's bytes come from. */
export interface ComponentSource {
  readonly component: Component;
  /** Path of the record inside the snapshot. */
  readonly recordPath: string;
  /**
   * Whether the stream fails instead of ending when it is not the whole dump that it should be.
   *
   * @default {false}
   */
  readonly isVerified?: boolean;
  /** Starts the stream; aborting the signal ends it and whatever feeds it. */
  open(signal: AbortSignal): Promise<OpenSource> | OpenSource;
}
