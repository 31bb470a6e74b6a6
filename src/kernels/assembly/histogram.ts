// How often each byte value occurs.

// Counts the byte in the low end of `word` in the table at `table`.
@inline
function count(table: usize, word: u64): void {
  const slot = table + ((<usize>word & 0xff) << 2);
  store<u32>(slot, load<u32>(slot) + 1);
}

/**
 * Leaves 256 u32 counts at `tables`, which has room for four such tables (4096 bytes).
 * Four tables, because equal neighbours would wait for each other's store on one.
 */
export function histogram(data: usize, length: u32, tables: usize): void {
  memory.fill(tables, 0, 4096);
  let at = data;
  const end = data + length;
  while (at + 8 <= end) {
    const word = load<u64>(at);
    count(tables, word);
    count(tables + 1024, word >> 8);
    count(tables + 2048, word >> 16);
    count(tables + 3072, word >> 24);
    count(tables, word >> 32);
    count(tables + 1024, word >> 40);
    count(tables + 2048, word >> 48);
    count(tables + 3072, word >> 56);
    at += 8;
  }
  while (at < end) {
    count(tables, load<u8>(at));
    at += 1;
  }
  for (let slot = tables; slot < tables + 1024; slot += 16) {
    const low = i32x4.add(v128.load(slot), v128.load(slot, 1024));
    const high = i32x4.add(v128.load(slot, 2048), v128.load(slot, 3072));
    v128.store(slot, i32x4.add(low, high));
  }
}
