import { DamagedDumpError } from "../errors.ts";

/**
 * What is used of the zstd format (RFC 8878). A frame is
 *
 * | Part | Bytes |
 * |---|---|
 * | magic | `28 B5 2F FD` |
 * | descriptor | 1: size of the content size (2 bits), single segment, 2 unused, checksum, dictionary (2 bits) |
 * | window | 1, unless single segment: exponent (5 bits), mantissa (3 bits) |
 * | dictionary | 0, 1, 2 or 4 |
 * | content size | 0, 1, 2, 4 or 8 |
 * | blocks | 3 bytes each: last (1 bit), type (2 bits), size; then the content: `size` bytes, or 1 for type 1 |
 * | checksum | 4, if so described: the low half of the content's XXH64 |
 */
export const ZSTD_MAGIC = 0xfd2fb528;
/** The longest header of a frame, its magic included. */
export const MAX_HEADER_BYTES = 18;
/** The largest block, both of its content and of what that becomes. */
export const MAX_BLOCK_BYTES = 128 * 1024;
export const BLOCK_HEADER_BYTES = 3;
export const CHECKSUM_BYTES = 4;

/** Types of blocks: content as it is, one byte that is repeated, and none that there is. */
export const BLOCK_RAW = 0;
export const BLOCK_REPEATED = 1;
export const BLOCK_RESERVED = 3;

/** What follows the descriptor in a frame's header, in bytes, and whether there is a checksum. */
export interface HeaderLayout {
  readonly window: number;
  readonly dictionary: number;
  readonly contentSize: number;
  readonly hasChecksum: boolean;
}

/** Reads a descriptor; undefined when a bit is set that must not be. */
export function parseDescriptor(descriptor: number): HeaderLayout | undefined {
  if ((descriptor & 0x08) !== 0) return undefined;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  return {
    window: singleSegment ? 0 : 1,
    dictionary: [0, 1, 2, 4][descriptor & 3] ?? 0,
    contentSize: sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag,
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

/** The header of a frame. */
export interface FrameHeader {
  readonly headerBytes: number;
  /** How much of what was decoded has to be kept. */
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
  readonly hasDictionary: boolean;
}

/**
 * Reads the header of a frame.
 *
 * @param start the frame's first bytes: {@linkcode MAX_HEADER_BYTES}, or as many as there are
 * @returns undefined when no frame begins here, or one that is damaged or cut off in its header
 */
export function parseFrameHeader(start: Uint8Array): FrameHeader | undefined {
  if (start.byteLength < 6 || littleEndian(start, 0, 4) !== ZSTD_MAGIC) return undefined;
  const layout = parseDescriptor(start[4] ?? 0);
  if (layout === undefined) return undefined;
  const contentSizeAt = 5 + layout.window + layout.dictionary;
  const headerBytes = contentSizeAt + layout.contentSize;
  if (start.byteLength < headerBytes) return undefined;
  return {
    headerBytes,
    windowBytes: layout.window > 0
      ? windowBytes(start[5] ?? 0)
      // A size of two bytes begins at 256, which only matters to who needs it exactly.
      : littleEndian(start, contentSizeAt, layout.contentSize),
    hasChecksum: layout.hasChecksum,
    hasDictionary: layout.dictionary > 0,
  };
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Finds the blocks and the end of a frame that has a checksum, without decoding anything. */
export class FrameWalker {
  /** Bytes that are passed over before the next field. */
  #toSkip: number;
  /** What is known of the field that is being read: a block's header, or the checksum. */
  #field = 0;
  #fieldBytes = 0;
  #isLastBlock = false;
  #checksum: number | undefined;

  constructor(header: FrameHeader) {
    this.#toSkip = header.headerBytes;
  }

  /** The checksum; undefined before the end of the frame. */
  get checksum(): number | undefined {
    return this.#checksum;
  }

  /**
   * Takes the next bytes, up to the end of a block at most.
   *
   * @returns how many of them were taken
   * @throws {DamagedDumpError} when they cannot be part of a frame
   */
  advance(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.byteLength && this.#checksum === undefined) {
      if (this.#toSkip > 0) {
        const count = Math.min(this.#toSkip, bytes.byteLength - at);
        this.#toSkip -= count;
        return at + count;
      }
      this.#field += (bytes[at++] ?? 0) * 2 ** (8 * this.#fieldBytes++);
      if (this.#fieldBytes === (this.#isLastBlock ? CHECKSUM_BYTES : BLOCK_HEADER_BYTES)) {
        this.#takeField(this.#field);
        this.#field = 0;
        this.#fieldBytes = 0;
      }
    }
    return at;
  }

  #takeField(value: number): void {
    if (this.#isLastBlock) {
      this.#checksum = value;
      return;
    }
    this.#isLastBlock = (value & 1) !== 0;
    const type = (value >> 1) & 3;
    const size = value >> 3;
    if (type === BLOCK_RESERVED || size > MAX_BLOCK_BYTES) {
      throw new DamagedDumpError("the Neo4j dump has a damaged zstd block");
    }
    this.#toSkip = type === BLOCK_REPEATED ? 1 : size;
  }
}

/** Reads an unsigned number. */
export function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
