import { DamagedSnapshotError } from "../errors.ts";

/**
 * Turns the path of a snapshot's entry into one below the target directory.
 *
 * The repository may have been written by anybody: nothing in it may name a place outside.
 *
 * @returns a relative path without `.`, `..` or empty parts
 * @throws {DamagedSnapshotError} when the path leads elsewhere or is none
 */
export function safeRelativePath(path: string): string {
  const relative = path.replace(/^\//, "");
  const sound = relative.split("/").every((part) =>
    part !== "" && part !== "." && part !== ".." && !part.includes("\0") && !part.includes("\\")
  );
  if (!sound) {
    throw new DamagedSnapshotError(`snapshot contains an unsafe path: ${JSON.stringify(path)}`);
  }
  return relative;
}
