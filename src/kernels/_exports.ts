/**
 * The functions of `kernels.wasm`. Numbers are byte offsets, lengths in bytes, and results that
 * come back signed: `>>> 0` makes them u32.
 */
export interface KernelExports {
  blake3Init(state: number, keyed: number): void;
  blake3Update(state: number, data: number, length: number): void;
  blake3Digest(state: number): void;
  cdcReset(state: number): void;
  cdcScan(state: number, data: number, filled: number): number;
  histogram(data: number, length: number, tables: number): void;
  lz4Encode(source: number, length: number, target: number, table: number): number;
  lz4Decode(source: number, length: number, target: number, capacity: number): number;
}

/** Bytes per page of WebAssembly memory. */
export const PAGE_BYTES = 65536;

/** Pages the memory starts with. The first one holds the module's constants. */
export const INITIAL_PAGES = 16;

/** The most pages a memory may have: below 2 GiB no pointer arithmetic can wrap around. */
export const MAXIMUM_PAGES = 32768;

/** Where in a BLAKE3 state the digest is left. */
export const BLAKE3_DIGEST_OFFSET = 64;

/** Size of a BLAKE3 key and digest. */
export const BLAKE3_DIGEST_BYTES = 32;

/** Size of the encoder's hash table, which the histogram's tables share. */
export const LZ4_TABLE_BYTES = 65536;

/** What `lz4Decode` returns for a damaged frame. */
export const LZ4_DAMAGED = 0xffffffff;

/** What `lz4Decode` returns when the target is too small. */
export const LZ4_TOO_SMALL = 0xfffffffe;
