import {
  BLAKE3_DIGEST_BYTES,
  BLAKE3_DIGEST_OFFSET,
  BLAKE3_VALUES_OFFSET,
  INITIAL_PAGES,
  type KernelExports,
  LZ4_DAMAGED,
  LZ4_TABLE_BYTES,
  LZ4_TOO_SMALL,
  MAXIMUM_PAGES,
  PAGE_BYTES,
  POLYVAL_RESULT_OFFSET,
  POLYVAL_WORK_BYTES,
} from "./_exports.ts";
import { Allocator } from "./allocator.ts";
import { Lz4Error, Lz4OutputTooSmallError } from "./lz4_error.ts";
import type { Region } from "./region.ts";

/** Size of the region that holds the state of a running BLAKE3 hash. */
export const BLAKE3_STATE_BYTES = 5184;

/** Size of the region that holds the state of a running FastCDC scan. */
export const CDC_STATE_BYTES = 64;

/** Bytes of a block of AES and of POLYVAL. */
export const CIPHER_BLOCK_BYTES = 16;

/** The most blocks that {@linkcode Kernels.counterBlocks} gives at a time. */
export const MAXIMUM_COUNTER_BLOCKS = 4096;

// What one-shot calls copy their data to.
const WINDOW_BYTES = 262144;

const HASH_OFFSET = LZ4_TABLE_BYTES;
const WINDOW_OFFSET = HASH_OFFSET + BLAKE3_STATE_BYTES;

/** Size of the region each thread needs for itself: tables, a hash state, a window for copies. */
export const SCRATCH_BYTES = WINDOW_OFFSET + WINDOW_BYTES;

const DEFAULT_MAXIMUM_BYTES = 1024 ** 3;

const BLOCK_BYTES = 4 * 1024 ** 2;

// Header, end mark and content checksum of an LZ4 frame.
const FRAME_OVERHEAD_BYTES = 7 + 4 + 4;

/** The most bytes the LZ4 frame of `n` bytes takes: all blocks stored. */
export function lz4FrameBound(n: number): number {
  return FRAME_OVERHEAD_BYTES + n + 4 * Math.ceil(n / BLOCK_BYTES);
}

/** What a worker needs to attach to the kernels of another thread; may be posted to it. */
export interface KernelImage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

/** Settings of {@linkcode Kernels.load}. */
export interface KernelsOptions {
  /**
   * The most bytes the shared memory may grow to; at most 2 GiB.
   *
   * @default {1073741824}
   */
  maximumBytes?: number;
}

/**
 * The compute kernels: BLAKE3, FastCDC, LZ4 frames, entropy, and what AES-GCM-SIV is besides AES.
 *
 * One thread loads them and owns the memory they work on; workers attach to the same memory with a
 * scratch region of their own. Data lives in regions of that memory, so it passes between threads
 * without a copy. The kernels do not lock: one region is for one thread at a time.
 *
 * A region or range outside the memory or its region is a `RangeError` in every method.
 */
export class Kernels {
  /** What a worker attaches to. */
  readonly image: KernelImage;
  readonly #exports: KernelExports;
  readonly #allocator: Allocator | undefined;
  readonly #scratch: Region;

  private constructor(
    image: KernelImage,
    instance: WebAssembly.Instance,
    allocator: Allocator | undefined,
    scratch: Region,
  ) {
    this.image = image;
    this.#exports = instance.exports as unknown as KernelExports;
    this.#allocator = allocator;
    this.#scratch = scratch;
  }

  /**
   * Makes a memory and the kernels on it. The caller's thread owns the memory: only it may
   * allocate and free.
   *
   * @throws {RangeError} When `maximumBytes` is under 1 MiB or over 2 GiB.
   */
  static async load(options: KernelsOptions = {}): Promise<Kernels> {
    const maximumBytes = options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES;
    const maximum = Math.floor(maximumBytes / PAGE_BYTES);
    if (!(maximum >= INITIAL_PAGES && maximum <= MAXIMUM_PAGES)) {
      throw new RangeError(
        `Cannot use at most ${maximumBytes} bytes for kernels: must be 1 MiB to 2 GiB`,
      );
    }
    const source = await Deno.readFile(new URL("./kernels.wasm", import.meta.url));
    const module = await WebAssembly.compile(source);
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const allocator = new Allocator(PAGE_BYTES, INITIAL_PAGES * PAGE_BYTES, (end) => {
      const pages = Math.ceil(end / PAGE_BYTES);
      const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
      if (pages > maximum) {
        throw new RangeError(
          `Cannot grow the kernels' memory to ${end} bytes: the maximum is ${maximum * PAGE_BYTES}`,
        );
      }
      memory.grow(missing);
      return pages * PAGE_BYTES;
    });
    const scratch = allocator.allocate(SCRATCH_BYTES);
    return new Kernels({ module, memory }, instance, allocator, scratch);
  }

  /**
   * Runs the kernels of another thread on this one.
   *
   * @param image The owner's `image`.
   * @param scratch A region of {@linkcode SCRATCH_BYTES} bytes that the owner allocated for this
   * thread alone.
   * @throws {RangeError} When the scratch region is too small.
   */
  static async attach(image: KernelImage, scratch: Region): Promise<Kernels> {
    if (scratch.length < SCRATCH_BYTES) {
      throw new RangeError(
        `Cannot attach with ${scratch.length} bytes of scratch: ${SCRATCH_BYTES} are needed`,
      );
    }
    const instance = await WebAssembly.instantiate(image.module, { env: { memory: image.memory } });
    return new Kernels(image, instance, undefined, scratch);
  }

  /**
   * Takes a region of the shared memory; its content is whatever was there.
   *
   * @throws {RangeError} When the memory has reached its maximum.
   * @throws {TypeError} On an attached worker.
   */
  allocate(byteLength: number): Region {
    return this.#owned().allocate(byteLength);
  }

  /**
   * Keeps the first `byteLength` bytes of a region, where they are, and gives the others back.
   *
   * @returns The region that stands for the bytes that were kept; the old one is no longer valid.
   * @throws {RangeError} When the region is not allocated, or has fewer bytes.
   * @throws {TypeError} On an attached worker.
   */
  shrink(region: Region, byteLength: number): Region {
    return this.#owned().shrink(region, byteLength);
  }

  /**
   * Gives a region back. Views of it must not be used any more.
   *
   * @throws {RangeError} When it is not allocated, or no longer.
   * @throws {TypeError} On an attached worker.
   */
  free(region: Region): void {
    this.#owned().free(region);
  }

  /**
   * Bytes `[start, end)` of a region as a view. The view is of shared memory: some interfaces of
   * the platform (`TextDecoder`, `crypto.subtle`) want a copy (`slice()`).
   */
  bytes(region: Region, start = 0, end: number = region.length): Uint8Array {
    const offset = this.#pointer(region, start, end);
    return new Uint8Array(this.image.memory.buffer, offset, end - start);
  }

  /**
   * Copies bytes `[start, end)` of a region to byte `at` of another one, or of the same. Between two
   * regions this is faster than by their views, which are copied byte by byte unless both lie the
   * same way between two words.
   */
  copy(source: Region, start: number, end: number, target: Region, at = 0): void {
    const to = this.#pointer(target, at, at + end - start);
    this.#exports.copy(this.#pointer(source, start, end), to, end - start);
  }

  /**
   * Starts a hash in `state`, a region of {@linkcode BLAKE3_STATE_BYTES} bytes. Any thread may go
   * on with it, one at a time.
   *
   * @param key 32 bytes for the keyed mode.
   * @throws {RangeError} When the key has another length, or the state region is too small.
   */
  blake3Init(state: Region, key?: Uint8Array): void {
    const pointer = this.#state(state, BLAKE3_STATE_BYTES);
    this.#exports.blake3Init(pointer, this.#setKey(state, key));
  }

  /** Hashes bytes `[start, end)` of `data` after those hashed before. */
  blake3Update(state: Region, data: Region, start: number, end: number): void {
    const pointer = this.#state(state, BLAKE3_STATE_BYTES);
    this.#exports.blake3Update(pointer, this.#pointer(data, start, end), end - start);
  }

  /**
   * Hashes a part of an input by itself, so that the parts of one input can be hashed by several
   * threads at once: bytes `[start, end)` of `data`, which stand at byte `position` of the input.
   *
   * @param state Spoilt for everything but a new start.
   * @param key Of the whole hash.
   * @returns Chaining values of the part's subtrees, for {@linkcode blake3Join}; not shared.
   */
  blake3Part(
    state: Region,
    key: Uint8Array | undefined,
    position: number,
    data: Region,
    start: number,
    end: number,
  ): Uint8Array {
    const pointer = this.#state(state, BLAKE3_STATE_BYTES);
    const keyed = this.#setKey(state, key);
    const from = this.#pointer(data, start, end);
    const count = this.#exports.blake3Part(pointer, keyed, position, from, end - start);
    const valuesEnd = BLAKE3_VALUES_OFFSET + count * BLAKE3_DIGEST_BYTES;
    return this.bytes(state, BLAKE3_VALUES_OFFSET, valuesEnd).slice();
  }

  /**
   * Adds bytes `[start, end)` of `data` after those hashed before, most of which
   * {@linkcode blake3Part} has hashed already.
   *
   * @param values What it returned for these bytes at this position.
   * @throws {RangeError} When there are more or fewer values than such a part has; the hash is
   * spoilt then.
   */
  blake3Join(state: Region, values: Uint8Array, data: Region, start: number, end: number): void {
    const pointer = this.#state(state, BLAKE3_STATE_BYTES);
    const from = this.#pointer(data, start, end);
    const count = values.length / BLAKE3_DIGEST_BYTES;
    const copy = this.#part(WINDOW_OFFSET, WINDOW_BYTES);
    this.bytes(copy).set(values.subarray(0, WINDOW_BYTES));
    if (this.#exports.blake3Join(pointer, copy.offset, count, from, end - start) === 0) {
      throw new RangeError(`Cannot join ${end - start} bytes: ${count} values are not of them`);
    }
  }

  /** The digest (32 bytes, not shared) of all bytes so far. The hash may go on. */
  blake3Digest(state: Region): Uint8Array {
    this.#exports.blake3Digest(this.#state(state, BLAKE3_STATE_BYTES));
    const end = BLAKE3_DIGEST_OFFSET + BLAKE3_DIGEST_BYTES;
    return this.bytes(state, BLAKE3_DIGEST_OFFSET, end).slice();
  }

  /**
   * Digest of one or several byte arrays, one after the other. Works on every thread, for any
   * length: the bytes go through this thread's scratch.
   *
   * @throws {RangeError} When the key is not 32 bytes.
   */
  blake3(data: Uint8Array | readonly Uint8Array[], key?: Uint8Array): Uint8Array {
    const state = this.#part(HASH_OFFSET, BLAKE3_STATE_BYTES);
    const window = this.#part(WINDOW_OFFSET, WINDOW_BYTES);
    const view = this.bytes(window);
    this.blake3Init(state, key);
    for (const bytes of data instanceof Uint8Array ? [data] : data) {
      for (let start = 0; start < bytes.length; start += WINDOW_BYTES) {
        const piece = bytes.subarray(start, start + WINDOW_BYTES);
        view.set(piece);
        this.blake3Update(state, window, 0, piece.length);
      }
    }
    return this.blake3Digest(state);
  }

  /** Shannon entropy of bytes `[start, end)`, in bits per byte: 0 to 8; 0 when there are none. */
  entropy(data: Region, start: number, end: number): number {
    const length = end - start;
    const tables = this.#part(0, LZ4_TABLE_BYTES);
    this.#exports.histogram(this.#pointer(data, start, end), length, tables.offset);
    const counts = new Uint32Array(this.image.memory.buffer, tables.offset, 256);
    let entropy = 0;
    for (const count of counts) {
      if (count === 0) continue;
      const probability = count / length;
      entropy -= probability * Math.log2(probability);
    }
    return entropy;
  }

  /**
   * Starts a FastCDC scan in `state`, a region of {@linkcode CDC_STATE_BYTES} bytes whose sizes and
   * masks a `CutScanner` has written.
   */
  cdcReset(state: Region): void {
    this.#exports.cdcReset(this.#state(state, CDC_STATE_BYTES));
  }

  /**
   * Goes on with a FastCDC scan of the chunk in bytes `[0, filled)` of `data`. Returns the chunk's
   * length, or 0 when more bytes are needed.
   */
  cdcScan(state: Region, data: Region, filled: number): number {
    const pointer = this.#state(state, CDC_STATE_BYTES);
    return this.#exports.cdcScan(pointer, this.#pointer(data, 0, filled), filled) >>> 0;
  }

  /**
   * Writes bytes `[start, end)` of `source` to the start of `target` as one LZ4 frame, with blocks
   * of 4 MiB and a content checksum. Returns the frame's length.
   *
   * @param target Another region, of at least `lz4FrameBound(end - start)` bytes.
   * @throws {RangeError} When `target` is smaller than that.
   */
  lz4Encode(source: Region, start: number, end: number, target: Region): number {
    const length = end - start;
    const from = this.#pointer(source, start, end);
    const to = this.#pointer(target, 0, target.length);
    const bound = lz4FrameBound(length);
    if (target.length < bound) {
      throw new RangeError(
        `Cannot compress ${length} bytes into ${target.length}: ${bound} are needed`,
      );
    }
    return this.#exports.lz4Encode(from, length, to, this.#part(0, LZ4_TABLE_BYTES).offset) >>> 0;
  }

  /**
   * Decodes the LZ4 frame in bytes `[start, end)` of `source` to the start of `target`, another
   * region. Returns the content's length. Bytes of `target` after it may have changed, too.
   *
   * @throws {Lz4OutputTooSmallError} When the content does not fit.
   * @throws {Lz4Error} When these bytes are not one sound frame: a header this decoder does not
   * know, a wrong checksum or size, a block that does not decode, bytes missing or left over.
   */
  lz4Decode(source: Region, start: number, end: number, target: Region): number {
    const from = this.#pointer(source, start, end);
    const to = this.#pointer(target, 0, target.length);
    const length = this.#exports.lz4Decode(from, end - start, to, target.length) >>> 0;
    if (length === LZ4_TOO_SMALL) {
      throw new Lz4OutputTooSmallError(
        `Cannot decompress ${end - start} bytes: the content is over ${target.length} bytes`,
      );
    }
    if (length === LZ4_DAMAGED) {
      throw new Lz4Error(`Cannot decompress ${end - start} bytes: not a sound LZ4 frame`);
    }
    return length;
  }

  /**
   * The LZ4 frame of some bytes; for small data.
   *
   * @throws {TypeError} On an attached worker, when data and frame do not fit its scratch (about
   * 128 KiB of data do).
   */
  compress(data: Uint8Array): Uint8Array {
    const bound = lz4FrameBound(data.length);
    return this.#borrow(data.length, bound, (source, target) => {
      this.bytes(source).set(data);
      const length = this.lz4Encode(source, 0, data.length, target);
      return this.bytes(target, 0, length).slice();
    });
  }

  /**
   * The content of an LZ4 frame; for small data.
   *
   * @param maximumLength The most bytes to accept as content.
   * @throws {Lz4OutputTooSmallError} When the content is longer than `maximumLength`.
   * @throws {Lz4Error} When the frame is damaged.
   * @throws {TypeError} On an attached worker, when frame and content do not fit its scratch (together
   * 256 KiB).
   */
  decompress(data: Uint8Array, maximumLength: number): Uint8Array {
    // Content is rarely longer than this, and the limit may be much larger.
    let capacity = Math.max(WINDOW_BYTES - data.length, 4 * data.length);
    for (;;) {
      capacity = Math.min(capacity, maximumLength);
      try {
        return this.#borrow(data.length, capacity, (source, target) => {
          this.bytes(source).set(data);
          const length = this.lz4Decode(source, 0, data.length, target);
          return this.bytes(target, 0, length).slice();
        });
      } catch (error) {
        if (!(error instanceof Lz4OutputTooSmallError) || capacity >= maximumLength) throw error;
        capacity *= 4;
      }
    }
  }

  /**
   * POLYVAL (RFC 8452, section 3) of bytes `[start, end)` of `data`, padded with zeros to whole
   * blocks, and of one more block. Neither key nor data show in its timing.
   *
   * @param key 16 bytes.
   * @param last The block after the data, 16 bytes.
   * @returns 16 bytes, not shared.
   * @throws {RangeError} When key or last block have another length.
   */
  polyval(key: Uint8Array, data: Region, start: number, end: number, last: Uint8Array): Uint8Array {
    const work = this.#part(0, POLYVAL_WORK_BYTES);
    this.#setBlock(work, 0, key);
    this.#setBlock(work, CIPHER_BLOCK_BYTES, last);
    this.#exports.polyval(work.offset, this.#pointer(data, start, end), end - start);
    const resultEnd = POLYVAL_RESULT_OFFSET + CIPHER_BLOCK_BYTES;
    return this.bytes(work, POLYVAL_RESULT_OFFSET, resultEnd).slice();
  }

  /**
   * Counter blocks of AES-GCM-SIV (RFC 8452, section 4): the initial one, its first four bytes
   * counted up, little endian, modulo 2^32.
   *
   * @param initial 16 bytes.
   * @param offset Number of the first block that is wanted.
   * @param count How many are, up to {@linkcode MAXIMUM_COUNTER_BLOCKS}.
   * @returns A view of this thread's scratch: valid until the next call of any method.
   * @throws {RangeError} When there are too many, or the initial one has another length.
   */
  counterBlocks(initial: Uint8Array, offset: number, count: number): Uint8Array {
    if (!(count <= MAXIMUM_COUNTER_BLOCKS)) {
      throw new RangeError(`Cannot make ${count} counter blocks: more than the scratch holds`);
    }
    const work = this.#part(0, CIPHER_BLOCK_BYTES);
    this.#setBlock(work, 0, initial);
    const blocks = this.#part(WINDOW_OFFSET, count * CIPHER_BLOCK_BYTES);
    this.#exports.counterBlocks(work.offset, offset, blocks.offset, count);
    return this.bytes(blocks);
  }

  /**
   * Writes the exclusive or of bytes `[start, end)` of `source` and of as many bytes of a key stream
   * to `target`, from byte `at` on. The target may overlap the source if it does not start after it.
   *
   * @param keyStream At least `end - start` bytes, and at most 256 KiB.
   * @throws {RangeError} When it is shorter or longer.
   */
  xor(
    source: Region,
    start: number,
    end: number,
    keyStream: Uint8Array,
    target: Region,
    at: number,
  ): void {
    const length = end - start;
    if (keyStream.length < length || length > WINDOW_BYTES) {
      throw new RangeError(
        `Cannot combine ${length} bytes with ${keyStream.length} bytes of key stream`,
      );
    }
    const key = this.#part(WINDOW_OFFSET, length);
    this.bytes(key).set(keyStream.subarray(0, length));
    const from = this.#pointer(source, start, end);
    this.#exports.xor(from, key.offset, this.#pointer(target, at, at + length), length);
  }

  #setBlock(region: Region, at: number, block: Uint8Array): void {
    if (block.length !== CIPHER_BLOCK_BYTES) {
      throw new RangeError(`Cannot use a block of ${block.length} bytes: must be 16`);
    }
    this.bytes({ offset: region.offset + at, length: CIPHER_BLOCK_BYTES }).set(block);
  }

  // Runs `use` with two regions of these lengths: in the scratch's window if they fit there.
  #borrow<T>(first: number, second: number, use: (a: Region, b: Region) => T): T {
    if (first + second <= WINDOW_BYTES) {
      return use(this.#part(WINDOW_OFFSET, first), this.#part(WINDOW_OFFSET + first, second));
    }
    const allocator = this.#owned();
    const a = allocator.allocate(first);
    try {
      const b = allocator.allocate(second);
      try {
        return use(a, b);
      } finally {
        allocator.free(b);
      }
    } finally {
      allocator.free(a);
    }
  }

  // A part of this thread's scratch.
  #part(offset: number, length: number): Region {
    return { offset: this.#scratch.offset + offset, length };
  }

  #owned(): Allocator {
    if (this.#allocator === undefined) {
      throw new TypeError("Cannot allocate on an attached worker: only the owner thread may");
    }
    return this.#allocator;
  }

  // Puts a key where a BLAKE3 state has it; returns whether there is one, as the kernels want it.
  #setKey(state: Region, key: Uint8Array | undefined): 0 | 1 {
    if (key === undefined) return 0;
    if (key.length !== BLAKE3_DIGEST_BYTES) {
      throw new RangeError(`Cannot hash with a key of ${key.length} bytes: must be 32`);
    }
    this.bytes(state, 0, BLAKE3_DIGEST_BYTES).set(key);
    return 1;
  }

  // Where a state region begins, checked to have `length` bytes.
  #state(region: Region, length: number): number {
    return this.#pointer(region, 0, region.length, length);
  }

  // Where byte `start` of a region is, after checking the range against region and memory.
  #pointer(region: Region, start: number, end: number, least = 0): number {
    const { offset, length } = region;
    const { memory } = this.image;
    // Another thread may have grown the memory; growing by nothing makes its new size known here.
    if (offset + length > memory.buffer.byteLength) memory.grow(0);
    const sound = Number.isSafeInteger(offset) && offset >= PAGE_BYTES &&
      Number.isSafeInteger(length) && length >= least &&
      offset + length <= memory.buffer.byteLength &&
      Number.isSafeInteger(start) && Number.isSafeInteger(end) &&
      start >= 0 && start <= end && end <= length;
    if (!sound) {
      throw new RangeError(
        `Cannot use bytes ${start} to ${end} of a region of ${length} bytes at ${offset}`,
      );
    }
    return offset + start;
  }
}
