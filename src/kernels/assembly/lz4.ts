// LZ4 frames, both ways. Lengths and positions are checked here and nowhere else:
// a damaged frame must never make the decoder read or write outside what it was given.

import { xxh32 } from "./xxh32";

const MAGIC: u32 = 0x184d2204;
/** Version 01, independent blocks, content checksum. */
const FLG: u32 = 0x64;
/** Blocks of at most 4 MiB. */
const BD: u32 = 0x70;
/** Checksum byte of the two above. */
const HC: u32 = 0xb9;
const BLOCK_BYTES: u32 = 4 << 20;
const STORED: u32 = 0x80000000;

const TABLE_BITS: u32 = 14;
/** The format's last match starts at least this far from the block's end … */
const MATCH_START_MARGIN: u32 = 12;
/** … and ends at least this far from it. */
const MATCH_END_MARGIN: u32 = 5;
const WINDOW: u32 = 65535;
/** After 2^this failed probes in a row the step between probes grows by one. */
const SKIP_BITS: u32 = 6;

/** The input is not a sound frame. */
const DAMAGED: u32 = 0xffffffff;
/** The content does not fit the target. */
const TOO_SMALL: u32 = 0xfffffffe;

// Slot for the five bytes at `at`.
@inline
function slotOf(table: usize, at: usize): usize {
  const hash = ((load<u64>(at) << 24) * 889523592379) >> (64 - TABLE_BITS);
  return table + (<usize>hash << 2);
}

// Writes what of a length did not fit its nibble. Returns the next output position.
@inline
function putLength(out: usize, rest: u32): usize {
  while (rest >= 255) {
    store<u8>(out, 255);
    out += 1;
    rest -= 255;
  }
  store<u8>(out, rest);
  return out + 1;
}

// How many bytes from `at` on (before `end`) equal those from `other` on.
@inline
function matching(at: usize, other: usize, end: usize): u32 {
  const start = at;
  while (at + 8 <= end) {
    const difference = load<u64>(at) ^ load<u64>(other);
    if (difference) return <u32>(at - start) + <u32>(ctz<u64>(difference) >> 3);
    at += 8;
    other += 8;
  }
  while (at < end && load<u8>(at) == load<u8>(other)) {
    at += 1;
    other += 1;
  }
  return <u32>(at - start);
}

// Compresses one block. Returns its size, or 0 when it would take more than `room` bytes.
function encodeBlock(source: usize, length: u32, target: usize, room: u32, table: usize): u32 {
  if (length <= MATCH_START_MARGIN) return 0;
  memory.fill(table, 0, 4 << TABLE_BITS);
  const end = source + length;
  const lastStart = end - MATCH_START_MARGIN;
  const matchEnd = end - MATCH_END_MARGIN;
  const roomEnd = target + room;
  let out = target;
  let anchor = source;
  // Position 0 stands in the empty table's slots by itself.
  let at = source + 1;
  while (at <= lastStart) {
    let probes: u32 = 1 << SKIP_BITS;
    let candidate: usize;
    for (;;) {
      const slot = slotOf(table, at);
      candidate = source + load<u32>(slot);
      store<u32>(slot, <u32>(at - source));
      if (load<u32>(candidate) == load<u32>(at) && at - candidate <= WINDOW) break;
      at += probes >> SKIP_BITS;
      probes += 1;
      if (at > lastStart) break;
    }
    if (at > lastStart) break;
    while (at > anchor && candidate > source && load<u8>(at - 1) == load<u8>(candidate - 1)) {
      at -= 1;
      candidate -= 1;
    }
    const literals = <u32>(at - anchor);
    const extra = matching(at + 4, candidate + 4, matchEnd);
    // Token, offset, both lengths, and up to 7 bytes that the copy below writes too far.
    if (<u32>(roomEnd - out) < literals + literals / 255 + extra / 255 + 16) return 0;
    const token = out;
    out += 1;
    if (literals >= 15) out = putLength(out, literals - 15);
    if (literals > 64) {
      memory.copy(out, anchor, literals);
    } else {
      // Reads up to 7 bytes beyond the literals: still inside the block, by the margin.
      for (let copied: usize = 0; copied < literals; copied += 8) {
        store<u64>(out + copied, load<u64>(anchor + copied));
      }
    }
    out += literals;
    store<u16>(out, <u16>(at - candidate));
    out += 2;
    if (extra >= 15) out = putLength(out, extra - 15);
    store<u8>(token, (min<u32>(literals, 15) << 4) | min<u32>(extra, 15));
    at += extra + 4;
    anchor = at;
    if (at > lastStart) break;
    store<u32>(slotOf(table, at - 2), <u32>(at - 2 - source));
  }
  const literals = <u32>(end - anchor);
  if (<u32>(roomEnd - out) < literals + literals / 255 + 2) return 0;
  store<u8>(out, min<u32>(literals, 15) << 4);
  out += 1;
  if (literals >= 15) out = putLength(out, literals - 15);
  memory.copy(out, anchor, literals);
  return <u32>(out - target) + literals;
}

/**
 * Writes `length` bytes as one frame and returns the frame's size.
 * `target` has room for all blocks stored; `table` for 64 KiB.
 */
export function lz4Encode(source: usize, length: u32, target: usize, table: usize): u32 {
  store<u32>(target, MAGIC);
  store<u16>(target, FLG | (BD << 8), 4);
  store<u8>(target, HC, 6);
  let out = target + 7;
  for (let done: u32 = 0; done < length;) {
    const size = min<u32>(length - done, BLOCK_BYTES);
    const block = source + done;
    const encoded = encodeBlock(block, size, out + 4, size - 1, table);
    if (encoded > 0) {
      store<u32>(out, encoded);
      out += 4 + encoded;
    } else {
      store<u32>(out, size | STORED);
      memory.copy(out + 4, block, size);
      out += 4 + size;
    }
    done += size;
  }
  store<u32>(out, 0);
  store<u32>(out, xxh32(source, length), 4);
  return <u32>(out + 8 - target);
}

// Copies `length` bytes that start `offset` bytes before `out`; source and target may overlap,
// which repeats the pattern. `end` is the end of the writable memory.
@inline
function copyMatch(out: usize, offset: u32, length: u32, end: usize): void {
  let from = out - offset;
  const stop = out + length;
  if (offset < 16 && end - out >= 16) {
    // Sixteen bytes one by one; then the same pattern stands at least 16 bytes back.
    for (let i = 0; i < 16; i += 1) store<u8>(out + i, load<u8>(from + i));
    out += 16;
    from = out - (15 / offset + 1) * offset;
  }
  while (out < stop && out + 16 <= end) {
    v128.store(out, v128.load(from));
    out += 16;
    from += 16;
  }
  while (out < stop) {
    store<u8>(out, load<u8>(from));
    out += 1;
    from += 1;
  }
}

// Decodes the block [at, end) to `out`. Matches reach back to `first` at most; `limit` is the most
// the block may grow to, `targetEnd` the end of the writable memory.
// Returns the end of the output, or 0 when damaged, or 1 when the target is too small.
function decodeBlock(at: usize, end: usize, out: usize, first: usize, limit: usize, targetEnd: usize): usize {
  const writable = min<usize>(limit, targetEnd);
  // What it means when the output does not fit.
  const overflow: usize = limit <= targetEnd ? 0 : 1;
  while (at < end) {
    const token: u32 = load<u8>(at);
    at += 1;
    let literals = token >> 4;
    if (literals == 15) {
      let more: u32;
      do {
        if (at >= end) return 0;
        more = load<u8>(at);
        at += 1;
        literals += more;
      } while (more == 255);
    }
    if (literals > <u32>(end - at)) return 0;
    if (literals > <u32>(writable - out)) return overflow;
    if (literals <= 16 && <u32>(end - at) >= 16 && <u32>(targetEnd - out) >= 16) {
      v128.store(out, v128.load(at));
    } else {
      memory.copy(out, at, literals);
    }
    at += literals;
    out += literals;
    // Only literals may end a block.
    if (at == end) return out;
    if (end - at < 2) return 0;
    const offset: u32 = load<u16>(at);
    at += 2;
    if (offset == 0 || offset > <u32>(out - first)) return 0;
    let length = token & 15;
    if (length == 15) {
      let more: u32;
      do {
        if (at >= end) return 0;
        more = load<u8>(at);
        at += 1;
        length += more;
      } while (more == 255);
    }
    length += 4;
    if (length > <u32>(writable - out)) return overflow;
    copyMatch(out, offset, length, targetEnd);
    out += length;
  }
  return 0;
}

/**
 * Decodes the one frame that [source, source + length) must be. Returns the content's length,
 * 0xffffffff when the frame is damaged, or 0xfffffffe when the content exceeds `capacity`.
 */
export function lz4Decode(source: usize, length: u32, target: usize, capacity: u32): u32 {
  const end = source + length;
  if (length < 7 || load<u32>(source) != MAGIC) return DAMAGED;
  const flags: u32 = load<u8>(source, 4);
  const sizes: u32 = load<u8>(source, 5);
  const linked = (flags & 0x20) == 0;
  const blockChecksums = (flags & 0x10) != 0;
  const contentSize = (flags & 0x08) != 0;
  const contentChecksum = (flags & 0x04) != 0;
  // Version 01, the reserved bit and the dictionary bit clear.
  if ((flags & 0xc3) != 0x40) return DAMAGED;
  // Reserved bits clear, block size code 4 to 7.
  if ((sizes & 0x8f) != 0 || sizes < 0x40) return DAMAGED;
  const blockBytes: u32 = 1 << (8 + 2 * (sizes >> 4));
  let at = source + 6;
  if (contentSize) at += 8;
  if (at >= end) return DAMAGED;
  if (load<u8>(at) != ((xxh32(source + 4, <u32>(at - source) - 4) >> 8) & 0xff)) return DAMAGED;
  at += 1;
  if (contentSize && load<u64>(source, 6) > <u64>capacity) return TOO_SMALL;
  const targetEnd = target + capacity;
  let out = target;
  for (;;) {
    if (end - at < 4) return DAMAGED;
    const word = load<u32>(at);
    at += 4;
    if (word == 0) break;
    const size = word & ~STORED;
    if (size > blockBytes || size > <u32>(end - at)) return DAMAGED;
    const blockEnd = at + size;
    if (blockChecksums) {
      if (end - blockEnd < 4 || load<u32>(blockEnd) != xxh32(at, size)) return DAMAGED;
    }
    if (word & STORED) {
      if (size > <u32>(targetEnd - out)) return TOO_SMALL;
      memory.copy(out, at, size);
      out += size;
    } else {
      const next = decodeBlock(at, blockEnd, out, linked ? target : out, out + blockBytes, targetEnd);
      if (next == 0) return DAMAGED;
      if (next == 1) return TOO_SMALL;
      out = next;
    }
    at = blockChecksums ? blockEnd + 4 : blockEnd;
  }
  const decoded = <u32>(out - target);
  if (contentSize && load<u64>(source, 6) != <u64>decoded) return DAMAGED;
  if (contentChecksum) {
    if (end - at < 4 || load<u32>(at) != xxh32(target, decoded)) return DAMAGED;
    at += 4;
  }
  return at == end ? decoded : DAMAGED;
}
