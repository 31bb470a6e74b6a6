/** Longest path of an entry, in UTF-16 units; longer ones cannot be extracted anywhere. */
const MAX_PATH_LENGTH = 4095;
/** Longest single name in bytes that file systems take. */
const MAX_NAME_BYTES = 255;

/**
 * Brings the name of an entry into one form: no `.` parts, no repeated or final slashes. The Go
 * tool's reader accepts those, and `tar -C dir ./backup` writes them. Empty for the root itself.
 */
export function normalizeEntryName(name: string): string {
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/**
 * Why a name cannot be trusted, or undefined when it can: absolute, leaving its directory, with
 * characters that no dump has and that systems read in different ways, or too long.
 */
export function entryNameProblem(name: string): string | undefined {
  if (name.startsWith("/")) return "it is absolute";
  if (name.split("/").includes("..")) return "attempts to escape destination directory";
  // U+FFFD: bytes that were no UTF-8, so that different names would look the same.
  // deno-lint-ignore no-control-regex -- control characters are what is searched for
  if (/[\x00-\x1f\x7f\\\ufffd]/.test(name)) return "it has characters that are not allowed";
  if (name.length > MAX_PATH_LENGTH) return "it is too long";
  const encoder = new TextEncoder();
  if (name.split("/").some((part) => encoder.encode(part).length > MAX_NAME_BYTES)) {
    return "it is too long";
  }
  return undefined;
}

/** The directories that a path lies in, outermost first. */
export function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}
