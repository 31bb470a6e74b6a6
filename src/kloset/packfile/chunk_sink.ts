import type { Region } from "../../kernels/mod.ts";

/** Where chunks go. */
export interface ChunkSink {
  /** Whether the chunk still has to be stored; true only once per chunk, the caller must then append it. */
  claim(mac: Uint8Array): boolean;
  /**
   * Gives `data[0, length)`, the encoded chunk, its place behind the one before it. Called in stream
   * order, one call at a time; the caller goes on with the next one before this one is stored.
   */
  append(mac: Uint8Array, data: Region, length: number): Promise<Appended>;
}

/** A chunk that has its place. */
export interface Appended {
  /** Settles when the region is not used any more; rejected: it could not be stored. */
  readonly stored: Promise<void>;
}
