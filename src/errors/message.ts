/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The message of anything that was thrown, without the runtime's decoration: Deno appends the call
 * (`: rename '/x' -> '/y'`), which repeats the path that our own messages name already.
 */
export function problemOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "the runtime's permissions do not allow it";
  // For people alone: nothing is decided by what is cut off here.
  return messageOf(error).replace(/: \w+ '[^']*'(?: -> '[^']*')?$/, "");
}
