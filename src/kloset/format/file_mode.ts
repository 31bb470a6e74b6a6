/**
 * File modes as Go's `fs.FileMode` numbers them: permission bits 0o777 as on Unix, all other bits
 * its own.
 *
 * @module
 */

/** Bits of a mode beyond the permissions. */
export const ModeBit = {
  DIRECTORY: 0x80000000,
  APPEND: 0x40000000,
  EXCLUSIVE: 0x20000000,
  TEMPORARY: 0x10000000,
  SYMLINK: 0x08000000,
  DEVICE: 0x04000000,
  NAMED_PIPE: 0x02000000,
  SOCKET: 0x01000000,
  SETUID: 0x00800000,
  SETGID: 0x00400000,
  CHAR_DEVICE: 0x00200000,
  STICKY: 0x00100000,
  IRREGULAR: 0x00080000,
} as const;

/** The permission bits, as on Unix. */
export const PERMISSION_BITS = 0o777;

/** What an entry is, as far as this program tells apart. */
export type FileType = "file" | "directory" | "symlink" | "other";

const TYPE_BITS = ModeBit.DIRECTORY + ModeBit.SYMLINK + ModeBit.DEVICE + ModeBit.NAMED_PIPE +
  ModeBit.SOCKET + ModeBit.CHAR_DEVICE + ModeBit.IRREGULAR;

/** Whether a mode has one of the bits. */
export function hasModeBit(mode: number, bit: number): boolean {
  return (mode & bit) !== 0;
}

/** What an entry of this mode is. */
export function fileTypeOf(mode: number): FileType {
  if ((mode & TYPE_BITS) === 0) return "file";
  if (hasModeBit(mode, ModeBit.DIRECTORY)) return "directory";
  return hasModeBit(mode, ModeBit.SYMLINK) ? "symlink" : "other";
}

/** The permission bits of a mode, 0 to 0o777. */
export function permissionsOf(mode: number): number {
  return mode & PERMISSION_BITS;
}

/** The mode of an entry with such permissions; bits beyond 0o777 are dropped. */
export function fileMode(type: "file" | "directory" | "symlink", permissions: number): number {
  const bits = permissions & PERMISSION_BITS;
  if (type === "directory") return ModeBit.DIRECTORY + bits;
  return type === "symlink" ? ModeBit.SYMLINK + bits : bits;
}
