/** Bytes from hexadecimal digits; spaces are ignored. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(
    hex.replaceAll(/\s/g, "").match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}
