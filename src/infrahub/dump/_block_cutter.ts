import {
  BLOCK_HEADER_BYTES,
  BLOCK_RAW,
  BLOCK_REPEATED,
  CHECKSUM_BYTES,
  MAX_BLOCK_BYTES,
} from "./_zstd_frame.ts";

/**
 * Before so many bytes of a block nothing is looked for. Together with {@linkcode CUT_MASK} this
 * makes blocks of 48 KiB on average: small beside a chunk of the repository, of which a change
 * re-stores one or two, and large beside their headers.
 */
const MIN_BLOCK_BYTES = 16 * 1024;
/** A block ends where these bits of the hash are zero: once in 32 KiB. */
const CUT_MASK = 0xffff_ffff << 17;
/** Blocks are handed on several at a time. */
const OUTPUT_BYTES = 512 * 1024;

/**
 * A frame's header: a checksum, no dictionary, no content size, and a window of 128 KiB, which is
 * the least that allows for the largest blocks.
 */
const FRAME_HEADER = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x04, 7 << 3]);
/** An empty block that is the last one, so that no other has to be known for the last. */
const LAST_BLOCK = new Uint8Array([1, 0, 0]);

/**
 * A random number for each byte value. They are part of what a dump is stored as: with others, the
 * next backup of every database would share nothing with those before.
 */
const GEAR = gearTable();

/**
 * Writes bytes as a zstd frame that is not compressed. Where a block ends is decided by the 32
 * bytes before, so that bytes that come or go somewhere change the blocks around them alone, and
 * not the place of every block's header from there on. A block of equal bytes is stored as one.
 */
export class BlockCutter {
  /** Finished blocks and then the one that is being filled, its header left out. */
  #output = new Uint8Array(OUTPUT_BYTES);
  /** Where the block that is being filled begins, and how much of it there is. */
  #at = FRAME_HEADER.byteLength;
  #blockBytes = 0;
  #hash = 0;

  constructor() {
    this.#output.set(FRAME_HEADER);
  }

  /** Takes the next bytes, and gives what is finished. */
  *add(bytes: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    while (from < bytes.byteLength) {
      const end = Math.min(bytes.byteLength, from + MAX_BLOCK_BYTES - this.#blockBytes);
      const cut = this.#findCut(bytes, from, end);
      const to = cut ?? end;
      this.#output.set(
        bytes.subarray(from, to),
        this.#at + BLOCK_HEADER_BYTES + this.#blockBytes,
      );
      this.#blockBytes += to - from;
      from = to;
      if (cut !== undefined || this.#blockBytes === MAX_BLOCK_BYTES) yield* this.#finishBlock();
    }
  }

  /**
   * Gives the rest of the frame.
   *
   * @param checksum low half of the XXH64 of all bytes
   */
  *end(checksum: number): Generator<Uint8Array> {
    if (this.#blockBytes > 0) yield* this.#finishBlock();
    this.#output.set(LAST_BLOCK, this.#at);
    const at = this.#at + LAST_BLOCK.byteLength;
    new DataView(this.#output.buffer).setUint32(at, checksum, true);
    yield this.#output.subarray(0, at + CHECKSUM_BYTES);
  }

  /** The end of the block that is being filled, if it is after one of these bytes. */
  #findCut(bytes: Uint8Array, from: number, end: number): number | undefined {
    let hash = this.#hash;
    for (let at = from + Math.max(0, MIN_BLOCK_BYTES - this.#blockBytes); at < end; at++) {
      hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
      if ((hash & CUT_MASK) === 0) return at + 1;
    }
    this.#hash = hash;
    return undefined;
  }

  *#finishBlock(): Generator<Uint8Array> {
    const size = this.#blockBytes;
    const contentAt = this.#at + BLOCK_HEADER_BYTES;
    const isRepeated = areEqual(this.#output.subarray(contentAt, contentAt + size));
    const header = (size << 3) | ((isRepeated ? BLOCK_REPEATED : BLOCK_RAW) << 1);
    for (let byte = 0; byte < BLOCK_HEADER_BYTES; byte++) {
      this.#output[this.#at + byte] = header >> (8 * byte);
    }
    this.#at = contentAt + (isRepeated ? 1 : size);
    this.#blockBytes = 0;
    this.#hash = 0;
    const rest = BLOCK_HEADER_BYTES + MAX_BLOCK_BYTES;
    if (this.#at + rest > OUTPUT_BYTES) {
      yield this.#output.subarray(0, this.#at);
      // A new one: whoever has got the other may still be reading it.
      this.#output = new Uint8Array(OUTPUT_BYTES);
      this.#at = 0;
    }
  }
}

function areEqual(block: Uint8Array): boolean {
  const [first] = block;
  for (let at = 1; at < block.byteLength; at++) {
    if (block[at] !== first) return false;
  }
  return true;
}

/** By SplitMix32, from a seed that means nothing. */
function gearTable(): Int32Array {
  let state = 0x6e656f34;
  return Int32Array.from({ length: 256 }, () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  });
}
