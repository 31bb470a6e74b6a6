import { createHash } from "node:crypto";

const DIGITS = 16;

/**
 * An id made of one that should not be known outside the machine that it belongs to, such as a
 * machine id, which services take for a key.
 *
 * @returns 16 hex digits; undefined where there is nothing to make it of
 */
export function distinctId(kind: string, secretId: string): string | undefined {
  const id = secretId.trim();
  if (id === "") return undefined;
  return createHash("sha256").update(`infrahub-backup ${kind} ${id}`).digest("hex").slice(
    0,
    DIGITS,
  );
}
