import { encodeStruct } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/** A lock: somebody works in the repository, alone or beside others. */
export interface Lock {
  /** Version word. */
  readonly version: number;
  /** When it was last refreshed, nanoseconds since 1970. */
  readonly timestampNs: bigint;
  readonly hostname: string;
  /** Whether its holder tolerates no other. */
  readonly exclusive: boolean;
}

/** The plain content of a lock file. */
export function encodeLock(lock: Lock): Uint8Array {
  return encodeStruct([
    ["version", (w) => w.uint32(lock.version)],
    ["timestamp", (w) => w.time(lock.timestampNs)],
    ["hostname", (w) => w.string(lock.hostname)],
    ["exclusive", (w) => w.bool(lock.exclusive)],
  ]);
}

const FIELDS = ["version", "timestamp", "hostname", "exclusive"];

/**
 * Reads the plain content of a lock file.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeLock(bytes: Uint8Array): Lock {
  const fields = StructReader.fromBytes(bytes, FIELDS, "lock");
  return {
    version: fields.uint("version", 32),
    timestampNs: fields.time("timestamp"),
    hostname: fields.string("hostname"),
    exclusive: fields.bool("exclusive"),
  };
}
