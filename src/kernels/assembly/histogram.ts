// How often each byte value occurs.

// Counts the byte at `at + nth` in the table that many kilobytes behind `tables`. Loaded one by one:
// taking bytes out of a larger word is slower.
@inline
function count(at: usize, nth: usize, tables: usize, table: usize): void {
  const slot = tables + (<usize>load<u8>(at + nth) << 2) + (table << 10);
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
    count(at, 0, tables, 0);
    count(at, 1, tables, 1);
    count(at, 2, tables, 2);
    count(at, 3, tables, 3);
    count(at, 4, tables, 0);
    count(at, 5, tables, 1);
    count(at, 6, tables, 2);
    count(at, 7, tables, 3);
    at += 8;
  }
  while (at < end) {
    count(at, 0, tables, 0);
    at += 1;
  }
  for (let slot = tables; slot < tables + 1024; slot += 16) {
    const low = i32x4.add(v128.load(slot), v128.load(slot, 1024));
    const high = i32x4.add(v128.load(slot, 2048), v128.load(slot, 3072));
    v128.store(slot, i32x4.add(low, high));
  }
}
