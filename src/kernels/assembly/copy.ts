/** Copies `length` bytes from `source` to `target`; the two may overlap. */
export function copy(source: usize, target: usize, length: u32): void {
  memory.copy(target, source, length);
}
