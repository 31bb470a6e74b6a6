import type { Region } from "../kernels/mod.ts";

/** Where chunks go. */
export interface ChunkSink {
  /** Whether the chunk still has to be stored; true only once per chunk, the caller must then append it. */
  claim(mac: Uint8Array): boolean;
  /** Stores `data[0, length)`, the encoded chunk. Called in stream order, one call at a time. */
  append(mac: Uint8Array, data: Region, length: number): Promise<void>;
}
