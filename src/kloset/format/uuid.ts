import { FormatError } from "./format_error.ts";

/** 16 bytes: the repository id, and the serial of states. */
export type Uuid = Uint8Array;

/** Length of a UUID in bytes. */
export const UUID_BYTES = 16;

/** The UUID that stands for "none": 16 zero bytes. Never write to it. */
export const NIL_UUID: Uuid = new Uint8Array(UUID_BYTES);

/** The UUID in its usual text form, lower case: `c531c62d-7b85-492d-a4ce-8599399750d9`. */
export function uuidToString(uuid: Uuid): string {
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/**
 * The bytes of a UUID in its usual text form, in either case.
 *
 * @throws {FormatError} If the text is anything else.
 */
export function uuidFromString(text: string): Uuid {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new FormatError("UUID", `"${text.slice(0, 60)}" is not a UUID`);
  }
  const hex = text.replaceAll("-", "");
  return Uint8Array.from(
    { length: UUID_BYTES },
    (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
