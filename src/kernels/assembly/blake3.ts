// BLAKE3, hash mode and keyed mode, 32 bytes of output, fed piece by piece.
//
// State (5184 bytes, owned by the caller):
//      0  32 B  key words (the initial value when there is no key)
//     32  u32   domain flags: KEYED_HASH or 0
//     36  u32   chaining values on the stack
//     40  u64   chunks hashed so far
//     48  u32   bytes of the unfinished chunk
//     56  u64   chunks before the first one hashed; 0 but in the state of a part
//     64  32 B  digest, chaining value under work
//    128  1 KiB the unfinished chunk; never empty once any byte came, as the last chunk is hashed differently
//   1152  256 B one block of four chunks, word by word
//   1408  2 KiB chaining values of a subtree of up to 64 chunks
//   3456  1728  stack: 54 chaining values, the subtrees of the chunks so far

const CHUNK_BYTES: u32 = 1024;
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;
const KEYED_HASH: u32 = 16;
/** Chunks of the largest subtree hashed in one go. */
const SUBTREE_CHUNKS: u32 = 64;

const FLAGS: usize = 32;
const STACK_LENGTH: usize = 36;
const CHUNKS: usize = 40;
const FILLED: usize = 48;
const FIRST: usize = 56;
const DIGEST: usize = 64;
const BUFFER: usize = 128;
const WORDS: usize = 1152;
const SUBTREE: usize = 1408;
const STACK: usize = 3456;

/** Initial value: the one of SHA-256. */
const IV = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
], 16);

/** Which message word each of the seven rounds uses where. */
const SCHEDULE = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
  3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1,
  10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
  12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4,
  9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
  11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
], 16);

@inline
function rotate16(v: v128): v128 {
  return i8x16.shuffle(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate12(v: v128): v128 {
  return v128.or(i32x4.shr_u(v, 12), i32x4.shl(v, 20));
}

@inline
function rotate8(v: v128): v128 {
  return v128.or(i32x4.shr_u(v, 8), i32x4.shl(v, 24));
}

@inline
function rotate7(v: v128): v128 {
  return v128.or(i32x4.shr_u(v, 7), i32x4.shl(v, 25));
}

// The message words of four lanes that a round uses as its `nth`.
@inline
function word(words: usize, order: usize, nth: usize): v128 {
  return v128.load(words + (<usize>load<u8>(order + nth) << 4));
}

// Four message words of one block, in the order of a round.
@inline
function pick(block: usize, order: usize): v128 {
  let v = v128.load32_zero(block + (<usize>load<u8>(order) << 2));
  v = v128.load32_lane(block + (<usize>load<u8>(order, 2) << 2), v, 1);
  v = v128.load32_lane(block + (<usize>load<u8>(order, 4) << 2), v, 2);
  return v128.load32_lane(block + (<usize>load<u8>(order, 6) << 2), v, 3);
}

// Compresses one block into the chaining value at `chain`, which becomes the one at `out`.
function compress(chain: usize, block: usize, length: u32, counter: u64, flags: u32, out: usize): void {
  let a = v128.load(chain);
  let b = v128.load(chain, 16);
  let c = v128.load(IV);
  let d = i64x2.replace_lane(i64x2.splat(counter), 1, <u64>length | (<u64>flags << 32));
  for (let order: usize = SCHEDULE; order < SCHEDULE + 112; order += 16) {
    a = i32x4.add(i32x4.add(a, b), pick(block, order));
    d = rotate16(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate12(v128.xor(b, c));
    a = i32x4.add(i32x4.add(a, b), pick(block, order + 1));
    d = rotate8(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate7(v128.xor(b, c));
    // Turn the rows so that the diagonals stand in columns.
    b = v128.shuffle<u32>(b, b, 1, 2, 3, 0);
    c = v128.shuffle<u32>(c, c, 2, 3, 0, 1);
    d = v128.shuffle<u32>(d, d, 3, 0, 1, 2);
    a = i32x4.add(i32x4.add(a, b), pick(block, order + 8));
    d = rotate16(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate12(v128.xor(b, c));
    a = i32x4.add(i32x4.add(a, b), pick(block, order + 9));
    d = rotate8(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate7(v128.xor(b, c));
    b = v128.shuffle<u32>(b, b, 3, 0, 1, 2);
    c = v128.shuffle<u32>(c, c, 2, 3, 0, 1);
    d = v128.shuffle<u32>(d, d, 1, 2, 3, 0);
  }
  v128.store(out, v128.xor(a, c));
  v128.store(out, v128.xor(b, d), 16);
}

// Spreads 16 bytes of each of four blocks over four vectors, one per message word.
@inline
function transpose(block: usize, stride: usize, words: usize): void {
  const a = v128.load(block);
  const b = v128.load(block + stride);
  const c = v128.load(block + 2 * stride);
  const d = v128.load(block + 3 * stride);
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const gh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(words, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(words, v128.shuffle<u64>(ab, cd, 1, 3), 16);
  v128.store(words, v128.shuffle<u64>(ef, gh, 0, 2), 32);
  v128.store(words, v128.shuffle<u64>(ef, gh, 1, 3), 48);
}

// Writes the four lanes of four vectors as four rows of 16 bytes, 32 bytes apart.
@inline
function storeRows(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const gh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(out, v128.shuffle<u64>(ab, cd, 1, 3), 32);
  v128.store(out, v128.shuffle<u64>(ef, gh, 0, 2), 64);
  v128.store(out, v128.shuffle<u64>(ef, gh, 1, 3), 96);
}

// Hashes four inputs at once, each `blocks` full blocks long and `stride` bytes after the one before.
// `counters` holds the low words of the four counters. Writes four chaining values.
function hashFour(
  state: usize,
  input: usize,
  stride: usize,
  blocks: u32,
  counters: v128,
  countersHigh: u32,
  flags: u32,
  firstFlags: u32,
  lastFlags: u32,
  out: usize,
): void {
  const words = state + WORDS;
  let h0 = v128.load32_splat(state);
  let h1 = v128.load32_splat(state, 4);
  let h2 = v128.load32_splat(state, 8);
  let h3 = v128.load32_splat(state, 12);
  let h4 = v128.load32_splat(state, 16);
  let h5 = v128.load32_splat(state, 20);
  let h6 = v128.load32_splat(state, 24);
  let h7 = v128.load32_splat(state, 28);
  let blockFlags = flags | firstFlags;
  for (let block: u32 = 0; block < blocks; block += 1) {
    if (block + 1 == blocks) blockFlags |= lastFlags;
    transpose(input, stride, words);
    transpose(input + 16, stride, words + 64);
    transpose(input + 32, stride, words + 128);
    transpose(input + 48, stride, words + 192);
    let v0 = h0;
    let v1 = h1;
    let v2 = h2;
    let v3 = h3;
    let v4 = h4;
    let v5 = h5;
    let v6 = h6;
    let v7 = h7;
    let v8 = v128.load32_splat(IV);
    let v9 = v128.load32_splat(IV, 4);
    let v10 = v128.load32_splat(IV, 8);
    let v11 = v128.load32_splat(IV, 12);
    let v12 = counters;
    let v13 = i32x4.splat(countersHigh);
    let v14 = i32x4.splat(64);
    let v15 = i32x4.splat(blockFlags);
    // Columns, then diagonals, one quarter round after the other: so each needs few registers, and
    // the processor overlaps them.
    for (let order: usize = SCHEDULE; order < SCHEDULE + 112; order += 16) {
      v0 = i32x4.add(i32x4.add(v0, word(words, order, 0)), v4);
      v12 = rotate16(v128.xor(v12, v0));
      v8 = i32x4.add(v8, v12);
      v4 = rotate12(v128.xor(v4, v8));
      v0 = i32x4.add(i32x4.add(v0, word(words, order, 1)), v4);
      v12 = rotate8(v128.xor(v12, v0));
      v8 = i32x4.add(v8, v12);
      v4 = rotate7(v128.xor(v4, v8));

      v1 = i32x4.add(i32x4.add(v1, word(words, order, 2)), v5);
      v13 = rotate16(v128.xor(v13, v1));
      v9 = i32x4.add(v9, v13);
      v5 = rotate12(v128.xor(v5, v9));
      v1 = i32x4.add(i32x4.add(v1, word(words, order, 3)), v5);
      v13 = rotate8(v128.xor(v13, v1));
      v9 = i32x4.add(v9, v13);
      v5 = rotate7(v128.xor(v5, v9));

      v2 = i32x4.add(i32x4.add(v2, word(words, order, 4)), v6);
      v14 = rotate16(v128.xor(v14, v2));
      v10 = i32x4.add(v10, v14);
      v6 = rotate12(v128.xor(v6, v10));
      v2 = i32x4.add(i32x4.add(v2, word(words, order, 5)), v6);
      v14 = rotate8(v128.xor(v14, v2));
      v10 = i32x4.add(v10, v14);
      v6 = rotate7(v128.xor(v6, v10));

      v3 = i32x4.add(i32x4.add(v3, word(words, order, 6)), v7);
      v15 = rotate16(v128.xor(v15, v3));
      v11 = i32x4.add(v11, v15);
      v7 = rotate12(v128.xor(v7, v11));
      v3 = i32x4.add(i32x4.add(v3, word(words, order, 7)), v7);
      v15 = rotate8(v128.xor(v15, v3));
      v11 = i32x4.add(v11, v15);
      v7 = rotate7(v128.xor(v7, v11));

      v0 = i32x4.add(i32x4.add(v0, word(words, order, 8)), v5);
      v15 = rotate16(v128.xor(v15, v0));
      v10 = i32x4.add(v10, v15);
      v5 = rotate12(v128.xor(v5, v10));
      v0 = i32x4.add(i32x4.add(v0, word(words, order, 9)), v5);
      v15 = rotate8(v128.xor(v15, v0));
      v10 = i32x4.add(v10, v15);
      v5 = rotate7(v128.xor(v5, v10));

      v1 = i32x4.add(i32x4.add(v1, word(words, order, 10)), v6);
      v12 = rotate16(v128.xor(v12, v1));
      v11 = i32x4.add(v11, v12);
      v6 = rotate12(v128.xor(v6, v11));
      v1 = i32x4.add(i32x4.add(v1, word(words, order, 11)), v6);
      v12 = rotate8(v128.xor(v12, v1));
      v11 = i32x4.add(v11, v12);
      v6 = rotate7(v128.xor(v6, v11));

      v2 = i32x4.add(i32x4.add(v2, word(words, order, 12)), v7);
      v13 = rotate16(v128.xor(v13, v2));
      v8 = i32x4.add(v8, v13);
      v7 = rotate12(v128.xor(v7, v8));
      v2 = i32x4.add(i32x4.add(v2, word(words, order, 13)), v7);
      v13 = rotate8(v128.xor(v13, v2));
      v8 = i32x4.add(v8, v13);
      v7 = rotate7(v128.xor(v7, v8));

      v3 = i32x4.add(i32x4.add(v3, word(words, order, 14)), v4);
      v14 = rotate16(v128.xor(v14, v3));
      v9 = i32x4.add(v9, v14);
      v4 = rotate12(v128.xor(v4, v9));
      v3 = i32x4.add(i32x4.add(v3, word(words, order, 15)), v4);
      v14 = rotate8(v128.xor(v14, v3));
      v9 = i32x4.add(v9, v14);
      v4 = rotate7(v128.xor(v4, v9));
    }
    h0 = v128.xor(v0, v8);
    h1 = v128.xor(v1, v9);
    h2 = v128.xor(v2, v10);
    h3 = v128.xor(v3, v11);
    h4 = v128.xor(v4, v12);
    h5 = v128.xor(v5, v13);
    h6 = v128.xor(v6, v14);
    h7 = v128.xor(v7, v15);
    blockFlags = flags;
    input += 64;
  }
  storeRows(out, h0, h1, h2, h3);
  storeRows(out + 16, h4, h5, h6, h7);
}

// Hashes a chunk from `data` into the chaining value at `out`. The last block takes `lastFlags` too.
function hashChunk(state: usize, data: usize, length: u32, lastFlags: u32, out: usize): void {
  const counter = load<u64>(state, CHUNKS);
  let flags = load<u32>(state, FLAGS) | CHUNK_START;
  let chain = state;
  while (length > 64) {
    compress(chain, data, 64, counter, flags, out);
    flags = load<u32>(state, FLAGS);
    chain = out;
    data += 64;
    length -= 64;
  }
  if (length < 64) {
    // The rest of a short block is zeros; the words area is free here.
    const block = state + WORDS;
    memory.fill(block, 0, 64);
    memory.copy(block, data, length);
    data = block;
  }
  compress(chain, data, length, counter, flags | CHUNK_END | lastFlags, out);
}

// Hashes `chunks` (4, 8, … 64) full chunks at `data`. Leaves the subtree's chaining value at SUBTREE.
function hashSubtree(state: usize, data: usize, chunks: u32): void {
  const flags = load<u32>(state, FLAGS);
  const counter = load<u64>(state, CHUNKS);
  const values = state + SUBTREE;
  for (let chunk: u32 = 0; chunk < chunks; chunk += 4) {
    // The first counter is a multiple of four, so no lane overflows alone.
    const first = counter + chunk;
    const counters = i32x4.add(i32x4.splat(<u32>first), i32x4(0, 1, 2, 3));
    hashFour(
      state, data + chunk * CHUNK_BYTES, CHUNK_BYTES, 16, counters, <u32>(first >> 32),
      flags, CHUNK_START, CHUNK_END, values + chunk * 32,
    );
  }
  // Level by level. Lanes without a parent hash leftovers that nobody reads.
  for (let parents = chunks >> 1; parents > 0; parents >>= 1) {
    for (let parent: u32 = 0; parent < parents; parent += 4) {
      hashFour(
        state, values + parent * 64, 64, 1, i32x4.splat(0), 0,
        flags | PARENT, 0, 0, values + parent * 32,
      );
    }
  }
}

// Puts the chaining value at `value` of a subtree of 2^level chunks on the stack, merged with the
// subtrees it completes, if they are on the stack as well. Only for subtrees that are not the whole
// input.
function push(state: usize, value: usize, level: u32): void {
  const flags = load<u32>(state, FLAGS) | PARENT;
  const chunks = load<u64>(state, CHUNKS) + (<u64>1 << level);
  store<u64>(state, chunks, CHUNKS);
  let depth = load<u32>(state, STACK_LENGTH);
  const own = state + STACK + (depth << 5);
  v128.store(own, v128.load(value));
  v128.store(own, v128.load(value, 16), 16);
  depth += 1;
  const ownChunks = chunks - load<u64>(state, FIRST);
  let parent = <u64>2 << level;
  while ((chunks & (parent - 1)) == 0 && parent <= ownChunks) {
    // Both children lie side by side on the stack: one block.
    depth -= 1;
    const pair = state + STACK + ((depth - 1) << 5);
    compress(state, pair, 64, 0, flags, pair);
    parent <<= 1;
  }
  store<u32>(state, depth, STACK_LENGTH);
}

/** Makes a state fit for the first byte. With `keyed`, the key is in it already. */
export function blake3Init(state: usize, keyed: bool): void {
  if (!keyed) memory.copy(state, IV, 32);
  store<u32>(state, keyed ? KEYED_HASH : 0, FLAGS);
  store<u32>(state, 0, STACK_LENGTH);
  store<u64>(state, 0, CHUNKS);
  store<u32>(state, 0, FILLED);
  store<u64>(state, 0, FIRST);
}

/** Takes in `length` more bytes at `data`. */
export function blake3Update(state: usize, data: usize, length: u32): void {
  if (length == 0) return;
  const filled = load<u32>(state, FILLED);
  if (filled > 0) {
    const taken = min<u32>(CHUNK_BYTES - filled, length);
    memory.copy(state + BUFFER + filled, data, taken);
    data += taken;
    length -= taken;
    if (length == 0) {
      store<u32>(state, filled + taken, FILLED);
      return;
    }
    hashChunk(state, state + BUFFER, CHUNK_BYTES, 0, state + DIGEST);
    push(state, state + DIGEST, 0);
  }
  // Always leave at least one byte over: a subtree is only known not to be the root when more follows.
  while (length > CHUNK_BYTES) {
    const chunks = load<u64>(state, CHUNKS);
    let size = SUBTREE_CHUNKS;
    while (size > 1 && ((chunks & (size - 1)) != 0 || size * CHUNK_BYTES >= length)) size >>= 1;
    if (size >= 4) {
      hashSubtree(state, data, size);
      push(state, state + SUBTREE, ctz<u32>(size));
    } else {
      size = 1;
      hashChunk(state, data, CHUNK_BYTES, 0, state + DIGEST);
      push(state, state + DIGEST, 0);
    }
    data += size * CHUNK_BYTES;
    length -= size * CHUNK_BYTES;
  }
  memory.copy(state + BUFFER, data, length);
  store<u32>(state, length, FILLED);
}

// Bytes from `position` to the next border between chunks.
@inline
function toBorder(position: u64): u32 {
  return (CHUNK_BYTES - (<u32>position & (CHUNK_BYTES - 1))) & (CHUNK_BYTES - 1);
}

/**
 * Hashes what can be hashed of a part of the input without the rest of it: `length` bytes at `data`,
 * which stand at `position`. Leaves the chaining values of its subtrees on the stack (offset 3456)
 * and returns how many. The state is fit for nothing else then.
 */
export function blake3Part(state: usize, keyed: bool, position: f64, data: usize, length: u32): u32 {
  const border = toBorder(<u64>position);
  // At least one byte is left over, for the same reason as in an update.
  if (length <= border + CHUNK_BYTES) return 0;
  blake3Init(state, keyed);
  const first = (<u64>position + border) / CHUNK_BYTES;
  store<u64>(state, first, CHUNKS);
  store<u64>(state, first, FIRST);
  blake3Update(state, data + border, length - border);
  return load<u32>(state, STACK_LENGTH);
}

/**
 * Takes in a part that stands where the bytes so far end: the `count` chaining values at `values`
 * that `blake3Part` left, and of its bytes at `data` those that are in none of them. False, and the
 * state is spoilt, when these values cannot be of that part.
 */
export function blake3Join(state: usize, values: usize, count: u32, data: usize, length: u32): bool {
  const border = toBorder(load<u64>(state, CHUNKS) * CHUNK_BYTES + load<u32>(state, FILLED));
  if (length <= border + CHUNK_BYTES) {
    blake3Update(state, data, length);
    return count == 0;
  }
  blake3Update(state, data, border);
  if (load<u32>(state, FILLED) > 0) {
    hashChunk(state, state + BUFFER, CHUNK_BYTES, 0, state + DIGEST);
    push(state, state + DIGEST, 0);
    store<u32>(state, 0, FILLED);
  }
  let chunks = (length - border - 1) / CHUNK_BYTES;
  data += border + chunks * CHUNK_BYTES;
  length -= border + chunks * CHUNK_BYTES;
  while (chunks > 0 && count > 0) {
    // The largest subtree that starts here and is whole.
    let level = 31 - clz<u32>(chunks);
    level = <u32>min<u64>(level, ctz<u64>(load<u64>(state, CHUNKS)));
    push(state, values, level);
    chunks -= 1 << level;
    values += 32;
    count -= 1;
  }
  blake3Update(state, data, length);
  return chunks == 0 && count == 0;
}

/** Leaves the digest of all bytes so far at DIGEST (offset 64). More bytes may follow. */
export function blake3Digest(state: usize): void {
  const flags = load<u32>(state, FLAGS) | PARENT;
  const out = state + DIGEST;
  let depth = load<u32>(state, STACK_LENGTH);
  hashChunk(state, state + BUFFER, load<u32>(state, FILLED), depth == 0 ? ROOT : 0, out);
  const block = state + WORDS;
  while (depth > 0) {
    depth -= 1;
    memory.copy(block, state + STACK + (depth << 5), 32);
    memory.copy(block + 32, out, 32);
    compress(state, block, 64, 0, depth == 0 ? flags | ROOT : flags, out);
  }
}
