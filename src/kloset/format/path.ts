/**
 * Paths inside snapshots, and the two orders that trees of them have.
 *
 * @module
 */

/**
 * An absolute clean path: no `.`, `..`, empty part or trailing slash; `..` does not leave the root.
 */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return "/" + parts.join("/");
}

/** The directory of a clean path; `/` for `/` itself. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a clean path; `/` for `/` itself. */
export function baseName(path: string): string {
  return path === "/" ? path : path.slice(path.lastIndexOf("/") + 1);
}

/** Compares two texts: below zero, zero, above zero. */
export type KeyOrder = (a: string, b: string) => number;

/**
 * The order of the UTF-8 bytes. JavaScript's own order of strings differs: it puts characters
 * beyond U+FFFF, which are pairs of surrogates, before U+E000 to U+FFFF.
 */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** The order of the VFS tree: fewer slashes first, then the bytes. */
export function comparePaths(a: string, b: string): number {
  return countSlashes(a) - countSlashes(b) || compareBytes(a, b);
}

/** Sorts surrogates behind all other code units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function countSlashes(path: string): number {
  let count = 0;
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) === 0x2f) count++;
  return count;
}
