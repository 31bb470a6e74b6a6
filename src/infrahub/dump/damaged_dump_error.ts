import { InfrahubBackupError } from "../errors.ts";

/** The bytes of a dump are not what they claim to be, or end too early. */
export class DamagedDumpError extends InfrahubBackupError {}
