// The counter mode of AES-GCM-SIV (RFC 8452, section 4), but for the block cipher.

/**
 * Writes `count` blocks to `blocks`: the one at `initial`, its first four bytes counted up from
 * `offset` on, little endian, modulo 2^32.
 */
export function counterBlocks(initial: usize, offset: u32, blocks: usize, count: u32): void {
  const block = v128.load(initial);
  const first = load<u32>(initial) + offset;
  for (let i: u32 = 0; i < count; i += 1) {
    v128.store(blocks + (<usize>i << 4), i32x4.replace_lane(block, 0, first + i));
  }
}

/**
 * Writes the exclusive or of `length` bytes at `source` and at `key` to `target`, which may overlap
 * `source` if it does not start after it.
 */
export function xor(source: usize, key: usize, target: usize, length: u32): void {
  let at: usize = 0;
  for (; at + 16 <= length; at += 16) {
    v128.store(target + at, v128.xor(v128.load(source + at), v128.load(key + at)));
  }
  for (; at < length; at += 1) {
    store<u8>(target + at, load<u8>(source + at) ^ load<u8>(key + at));
  }
}
