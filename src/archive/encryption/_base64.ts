/** Standard base64 with padding; line breaks inside are passed over, as Go does. */
const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Decodes standard base64.
 *
 * @throws {SyntaxError} when it is something else
 */
export function decodeBase64(text: string): Uint8Array {
  const joined = text.replace(/[\r\n]/g, "");
  if (!STANDARD.test(joined)) throw new SyntaxError("illegal base64 data");
  return Uint8Array.from(atob(joined), (character) => character.charCodeAt(0));
}

/** Encodes as standard base64 on one line. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
