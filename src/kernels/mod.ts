/**
 * Compute kernels in WebAssembly: BLAKE3, FastCDC, LZ4 frames, entropy, POLYVAL.
 *
 * The sources are in `assembly/` (AssemblyScript); `kernels.wasm` is built from them by
 * `scripts/kernels.ts`. All threads share one memory. A **region** is a span of it, the
 * **owner** is the thread that made it and hands out regions, the **scratch** is the region
 * that a thread's kernels need for themselves. Nothing here knows what the bytes are part of.
 *
 * @module
 */
export { CutScanner, type FastCdcParameters } from "./cut_scanner.ts";
export {
  BLAKE3_STATE_BYTES,
  CIPHER_BLOCK_BYTES,
  type KernelImage,
  Kernels,
  type KernelsOptions,
  lz4FrameBound,
  MAXIMUM_COUNTER_BLOCKS,
  SCRATCH_BYTES,
} from "./kernels.ts";
export { Lz4Error, Lz4OutputTooSmallError } from "./lz4_error.ts";
export type { Region } from "./region.ts";
