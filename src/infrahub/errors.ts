/** What was asked for cannot be done; the message is meant for the user. */
export class InfrahubBackupError extends Error {
  override readonly name: string = this.constructor.name;
}

/** A given value, path or combination of them is not usable. */
export class InvalidInputError extends InfrahubBackupError {}

/** A repository cannot be opened or created. */
export class RepositoryUnavailableError extends InfrahubBackupError {}

/** A component could not be stored. */
export class BackupFailedError extends InfrahubBackupError {}

/** There is no such backup group, or it is not complete. */
export class BackupGroupError extends InfrahubBackupError {}

/** What a snapshot should hold is damaged or missing. */
export class DamagedSnapshotError extends InfrahubBackupError {}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The error of a file operation without the runtime's decoration: Deno appends the call
 * (`: lstat '/x'`), which repeats the path that our own messages name already.
 */
export function fileProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "the runtime's permissions do not allow it";
  return messageOf(error).replace(/: \w+ '[^']*'$/, "");
}
