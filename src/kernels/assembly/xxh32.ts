// XXH32 with seed 0: the checksum of LZ4 frames.

const P1: u32 = 2654435761;
const P2: u32 = 2246822519;
const P3: u32 = 3266489917;
const P4: u32 = 668265263;
const P5: u32 = 374761393;

/** Checksum of `length` bytes at `data`. */
export function xxh32(data: usize, length: u32): u32 {
  let at = data;
  const end = data + length;
  let hash: u32;
  if (length >= 16) {
    let a: u32 = P1 + P2;
    let b: u32 = P2;
    let c: u32 = 0;
    let d: u32 = 0 - P1;
    const last = end - 16;
    do {
      a = rotl<u32>(a + load<u32>(at) * P2, 13) * P1;
      b = rotl<u32>(b + load<u32>(at, 4) * P2, 13) * P1;
      c = rotl<u32>(c + load<u32>(at, 8) * P2, 13) * P1;
      d = rotl<u32>(d + load<u32>(at, 12) * P2, 13) * P1;
      at += 16;
    } while (at <= last);
    hash = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  } else {
    hash = P5;
  }
  hash += length;
  while (at + 4 <= end) {
    hash = rotl<u32>(hash + load<u32>(at) * P3, 17) * P4;
    at += 4;
  }
  while (at < end) {
    hash = rotl<u32>(hash + <u32>load<u8>(at) * P5, 11) * P1;
    at += 1;
  }
  hash = (hash ^ (hash >> 15)) * P2;
  hash = (hash ^ (hash >> 13)) * P3;
  return hash ^ (hash >> 16);
}
