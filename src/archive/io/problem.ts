import { ArchiveError, ArchiveIoError } from "../errors.ts";

/**
 * The text of anything thrown, without the runtime's decoration: Deno appends the call
 * (`: open '/x'`), which repeats the path that our own messages name.
 */
export function problemOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/: \w+ '[^']*'(?: -> '[^']*')?$/, "");
}

/**
 * Runs a file operation; what it throws becomes an {@linkcode ArchiveIoError} that says what was
 * attempted. Errors of this library pass unchanged.
 */
export async function attempt<Value>(what: string, operation: Promise<Value>): Promise<Value> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveIoError(`${what}: ${problemOf(error)}`, { cause: error });
  }
}
