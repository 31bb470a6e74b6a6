/**
 * MACs: the 32-byte keyed hashes that name and verify everything in a repository.
 *
 * @module
 */

import { FormatError } from "./format_error.ts";

/** 32 bytes: a keyed hash, or a random id of the same shape (snapshots, states, locks). */
export type Mac = Uint8Array;

/** Computes the MAC of some bytes; the key is bound inside. Returns 32 bytes. */
export type MacFunction = (bytes: Uint8Array) => Uint8Array;

/** Length of a MAC in bytes. */
export const MAC_BYTES = 32;

/** The MAC that stands for "none": 32 zero bytes. Never write to it. */
export const NIL_MAC: Mac = new Uint8Array(MAC_BYTES);

const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The MAC as 64 lower-case hexadecimal digits. */
export function macToHex(mac: Mac & { toHex?(): string }): string {
  // Five times as fast, where the runtime has it: Deno 2.4 does not.
  if (mac.toHex !== undefined) return mac.toHex();
  let hex = "";
  for (const byte of mac) hex += HEX_PAIRS[byte];
  return hex;
}

/**
 * The MAC written as 64 hexadecimal digits, in either case.
 *
 * @throws {FormatError} If the text is anything else.
 */
export function macFromHex(hex: string): Mac {
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) {
    throw new FormatError("MAC", `"${hex.slice(0, 80)}" is not 64 hexadecimal digits`);
  }
  const mac = new Uint8Array(MAC_BYTES);
  for (let i = 0; i < MAC_BYTES; i++) mac[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return mac;
}

/** Whether both are the same bytes. Not constant-time: MACs in the format are not secrets. */
export function macsEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether the MAC stands for "none" (all bytes zero). */
export function isNilMac(mac: Mac): boolean {
  return mac.every((byte) => byte === 0);
}
