import { ToolError } from "../errors/mod.ts";

/** What was asked for cannot be done; the message is meant for the user. */
export class InfrahubBackupError extends ToolError {}

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

/** The bytes of a dump are not what they claim to be, or end too early. */
export class DamagedDumpError extends InfrahubBackupError {}
