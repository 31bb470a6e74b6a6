/**
 * The functions of `kernels.wasm`. Numbers are byte offsets, lengths in bytes, and results that
 * come back signed: `>>> 0` makes them u32.
 */
export interface KernelExports {
  blake3Init(state: number, keyed: number): void;
  blake3Update(state: number, data: number, length: number): void;
  blake3Digest(state: number): void;
  blake3Part(state: number, keyed: number, position: number, data: number, length: number): number;
  blake3Join(state: number, values: number, count: number, data: number, length: number): number;
  copy(source: number, target: number, length: number): void;
  counterBlocks(initial: number, offset: number, blocks: number, count: number): void;
  xor(source: number, key: number, target: number, length: number): void;
  cdcReset(state: number): void;
  cdcScan(state: number, data: number, filled: number): number;
  histogram(data: number, length: number, tables: number): void;
  lz4Encode(source: number, length: number, target: number, table: number): number;
  lz4Decode(source: number, length: number, target: number, capacity: number): number;
  polyval(work: number, data: number, length: number): void;
}

/** Bytes per page of WebAssembly memory. */
export const PAGE_BYTES = 65536;

/** Pages the memory starts with. The first one holds the module's constants. */
export const INITIAL_PAGES = 16;

/** The most pages a memory may have: below 2 GiB no pointer arithmetic can wrap around. */
export const MAXIMUM_PAGES = 32768;

/** Where in a BLAKE3 state the digest is left. */
export const BLAKE3_DIGEST_OFFSET = 64;

/** Where in a BLAKE3 state a part's chaining values are left. */
export const BLAKE3_VALUES_OFFSET = 3456;

/** Size of a BLAKE3 key, chaining value and digest. */
export const BLAKE3_DIGEST_BYTES = 32;

/** Size of the encoder's hash table, which the histogram's tables share. */
export const LZ4_TABLE_BYTES = 65536;

/** Size of the work area of POLYVAL. It may share memory with the tables of the others. */
export const POLYVAL_WORK_BYTES = 13120;

/** Where in POLYVAL's work area the result is left. */
export const POLYVAL_RESULT_OFFSET = 32;

/** What `lz4Decode` returns for a damaged frame. */
export const LZ4_DAMAGED = 0xffffffff;

/** What `lz4Decode` returns when the target is too small. */
export const LZ4_TOO_SMALL = 0xfffffffe;
