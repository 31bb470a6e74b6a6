import { FormatError } from "./format_error.ts";

/**
 * A little-endian u64 that is a position or a size, as a number.
 *
 * @throws {FormatError} If a number cannot hold it exactly.
 */
export function readSafeUint64(view: DataView, at: number, where: string): number {
  // Two halves instead of a bigint: this runs for every blob of a repository.
  const high = view.getUint32(at + 4, true);
  if (high > 0x1fffff) {
    throw new FormatError(where, `${view.getBigUint64(at, true)} at byte ${at} is too large`);
  }
  return high * 0x100000000 + view.getUint32(at, true);
}
