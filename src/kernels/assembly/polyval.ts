// POLYVAL, the universal hash of AES-GCM-SIV (RFC 8452, section 3).
//
// WebAssembly has no carry-less multiplication. Multiplying by a fixed element is linear, though:
// the product is the sum of one table entry per nibble of the other factor. Sixteen blocks are
// multiplied at once, by H^16, with their bytes transposed: one vector holds the same byte of all
// sixteen, and a swizzle looks up sixteen nibbles. No address and no branch depends on key or data,
// so that nothing about them shows in the timing.
//
// Work area (13120 bytes, owned by the caller):
//      0  16 B   H; the caller writes it
//     16  16 B   block that follows the data; the caller writes it
//     32  16 B   result
//     64  256 B  a group of sixteen blocks that does not lie in the data as a whole
//    320  256 B  temporary of a transposition
//    576  2 KiB  H * x^(k-128) for k = 0 .. 127: what bit k of a factor contributes to dot(., H)
//   2624  2 KiB  the same of H^16
//   4672  8 KiB  for each nibble of a factor, for each byte of the product: 16 table bytes
//  12864  256 B  sums of the sixteen lanes, transposed

const LAST: usize = 16;
const RESULT: usize = 32;
const GROUP: usize = 64;
const TEMPORARY: usize = 320;
const BITS: usize = 576;
const POWER_BITS: usize = 2624;
const TABLES: usize = 4672;
const LANES: usize = 12864;

const GROUP_BYTES: u32 = 256;

// Reads a 16 x 16 matrix of bytes by rows and writes it by columns. Interleaving the upper with the
// lower half of the rows rotates the index of each byte by one bit; four times transposes.
function transpose(from: usize, to: usize, temporary: usize): void {
  interleave(from, temporary);
  interleave(temporary, to);
  interleave(to, temporary);
  interleave(temporary, to);
}

@inline
function interleave(from: usize, to: usize): void {
  for (let row: usize = 0; row < 128; row += 16) {
    const a = v128.load(from + row);
    const b = v128.load(from + row, 128);
    const low = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const high = v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    v128.store(to + 2 * row, low);
    v128.store(to + 2 * row, high, 16);
  }
}

// Writes element * x^(k-128) for each k.
function writeBits(element: usize, bits: usize): void {
  let low = load<u64>(element);
  let high = load<u64>(element, 8);
  for (let bit = bits + 127 * 16; bit >= bits; bit -= 16) {
    // Division by x: 1/x is x^127 + x^126 + x^125 + x^120 modulo the polynomial.
    const carry = low & 1;
    low = (low >> 1) | (high << 63);
    high = (high >> 1) ^ ((0 - carry) & 0xe100000000000000);
    store<u64>(bit, low);
    store<u64>(bit, high, 8);
  }
}

// dot(factor, element), with what `writeBits` wrote for the element.
function dot(low: u64, high: u64, bits: usize): v128 {
  let sum = i64x2.splat(0);
  for (let bit: usize = 0; bit < 64 * 16; bit += 16) {
    sum = v128.xor(sum, v128.and(v128.load(bits + bit), i64x2.splat(0 - (low & 1))));
    sum = v128.xor(sum, v128.and(v128.load(bits + bit, 1024), i64x2.splat(0 - (high & 1))));
    low >>= 1;
    high >>= 1;
  }
  return sum;
}

// Writes the tables that multiply by the element whose bits are at `bits`.
function writeTables(work: usize): void {
  const products = work + GROUP;
  for (let nibble: usize = 0; nibble < 32; nibble += 1) {
    const bits = work + POWER_BITS + (nibble << 6);
    v128.store(products, i64x2.splat(0));
    for (let bit: usize = 0; bit < 4; bit += 1) {
      const contribution = v128.load(bits + (bit << 4));
      const half = <usize>16 << bit;
      for (let value: usize = 0; value < half; value += 16) {
        v128.store(products + half + value, v128.xor(v128.load(products + value), contribution));
      }
    }
    transpose(products, work + TABLES + (nibble << 8), work + TEMPORARY);
  }
}

// Half of the bytes of the products of sixteen transposed blocks; added to `group`.
@inline
function multiplyHalf(lanes: usize, tables: usize, group: usize, out: usize): void {
  let a = v128.load(group);
  let b = v128.load(group, 16);
  let c = v128.load(group, 32);
  let d = v128.load(group, 48);
  let e = v128.load(group, 64);
  let f = v128.load(group, 80);
  let g = v128.load(group, 96);
  let h = v128.load(group, 112);
  for (let byte: usize = 0; byte < 16; byte += 1) {
    const value = v128.load(lanes + (byte << 4));
    const low = v128.and(value, i8x16.splat(15));
    const high = v128.and(i16x8.shr_u(value, 4), i8x16.splat(15));
    const table = tables + (byte << 9);
    a = v128.xor(a, i8x16.relaxed_swizzle(v128.load(table), low));
    b = v128.xor(b, i8x16.relaxed_swizzle(v128.load(table, 16), low));
    c = v128.xor(c, i8x16.relaxed_swizzle(v128.load(table, 32), low));
    d = v128.xor(d, i8x16.relaxed_swizzle(v128.load(table, 48), low));
    e = v128.xor(e, i8x16.relaxed_swizzle(v128.load(table, 64), low));
    f = v128.xor(f, i8x16.relaxed_swizzle(v128.load(table, 80), low));
    g = v128.xor(g, i8x16.relaxed_swizzle(v128.load(table, 96), low));
    h = v128.xor(h, i8x16.relaxed_swizzle(v128.load(table, 112), low));
    a = v128.xor(a, i8x16.relaxed_swizzle(v128.load(table, 256), high));
    b = v128.xor(b, i8x16.relaxed_swizzle(v128.load(table, 272), high));
    c = v128.xor(c, i8x16.relaxed_swizzle(v128.load(table, 288), high));
    d = v128.xor(d, i8x16.relaxed_swizzle(v128.load(table, 304), high));
    e = v128.xor(e, i8x16.relaxed_swizzle(v128.load(table, 320), high));
    f = v128.xor(f, i8x16.relaxed_swizzle(v128.load(table, 336), high));
    g = v128.xor(g, i8x16.relaxed_swizzle(v128.load(table, 352), high));
    h = v128.xor(h, i8x16.relaxed_swizzle(v128.load(table, 368), high));
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
  v128.store(out, e, 64);
  v128.store(out, f, 80);
  v128.store(out, g, 96);
  v128.store(out, h, 112);
}

// Copies the blocks [first, first + 16) of what is hashed: zeros before the data, the data padded
// with zeros, the last block.
function gather(work: usize, data: usize, length: u32, first: i32, blocks: i32): void {
  memory.fill(work + GROUP, 0, GROUP_BYTES);
  for (let block: i32 = max<i32>(-first, 0); block < 16; block += 1) {
    const to = work + GROUP + (block << 4);
    const at = <u32>(first + block) << 4;
    if (first + block == blocks - 1) v128.store(to, v128.load(work + LAST));
    else memory.copy(to, data + at, min<u32>(16, length - at));
  }
}

/**
 * Leaves POLYVAL of `length` bytes at `data`, padded with zeros to whole blocks, and of the one block
 * after them, in the work area at offset 32.
 */
export function polyval(work: usize, data: usize, length: u32): void {
  const blocks = <i32>((length + 15) >> 4) + 1;
  const bits = work + BITS;
  writeBits(work, bits);
  const lanes = work + LANES;
  // Zero blocks in front count for nothing, and make the groups whole.
  let first: i32 = -((16 - (blocks & 15)) & 15);
  gather(work, data, length, first, blocks);
  transpose(work + GROUP, lanes, work + TEMPORARY);
  first += 16;
  if (first < blocks) {
    // H^16 by squaring four times.
    let power = v128.load(work);
    for (let square = 0; square < 4; square += 1) {
      v128.store(work + RESULT, power);
      writeBits(work + RESULT, work + POWER_BITS);
      power = dot(load<u64>(work, RESULT), load<u64>(work, RESULT + 8), work + POWER_BITS);
    }
    v128.store(work + RESULT, power);
    writeBits(work + RESULT, work + POWER_BITS);
    writeTables(work);
    const group = work + GROUP;
    const tables = work + TABLES;
    while (first < blocks) {
      let from = data + (<usize>first << 4);
      if (<u32>(first + 16) << 4 > length) {
        gather(work, data, length, first, blocks);
        from = group;
      }
      transpose(from, group, work + TEMPORARY);
      multiplyHalf(lanes, tables, group, group);
      multiplyHalf(lanes, tables + 128, group + 128, lanes + 128);
      memory.copy(lanes, group, 128);
      first += 16;
    }
  }
  // What the lanes hold still lacks the powers H^16 .. H: Horner's rule, lane by lane.
  transpose(lanes, work + GROUP, work + TEMPORARY);
  let sum = i64x2.splat(0);
  for (let lane: usize = GROUP; lane < GROUP + 256; lane += 16) {
    sum = v128.xor(sum, v128.load(work + lane));
    sum = dot(i64x2.extract_lane(sum, 0), i64x2.extract_lane(sum, 1), bits);
  }
  v128.store(work + RESULT, sum);
}
