/**
 * Reads msgpack from anyone: as lenient about forms as the Go library, and safe on hostile bytes.
 *
 * A message is walked once before it is decoded. The walk allocates nothing that an announced
 * length could inflate, so that the decoder only ever sees messages that are complete and of
 * limited depth.
 *
 * @module
 */

import { Decoder, ExtData } from "@msgpack/msgpack";
import { messageOf } from "../../errors/mod.ts";
import { FormatError } from "./format_error.ts";

/** Deeper nesting than any structure of the format has, by far. */
const MAXIMUM_DEPTH = 32;

const decoder = new Decoder({
  useBigInt64: true,
  // Strings arrive as bytes: the format lets str and bin stand for each other.
  rawStrings: true,
  extensionCodec: {
    tryToEncode: () => null,
    decode: (data, type) => new ExtData(type, data),
  },
  mapKeyConverter: (key) => key instanceof Uint8Array ? decodeText(key) : String(key),
});

const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Text of UTF-8 bytes. Invalid sequences become U+FFFD: names made by other programs need not be
 * UTF-8, and an entry with such a name must stay readable. (A tree whose keys collide or lose their
 * order that way is refused by the lookups.)
 */
export function decodeText(bytes: Uint8Array): string {
  return TEXT.decode(bytes);
}

/**
 * Decodes one message. Strings and binaries are both byte arrays (views of `bytes`), 64-bit
 * integers are bigints, maps plain objects, extensions `ExtData`.
 *
 * @param where What the bytes are, for messages.
 * @throws {FormatError} If the bytes are not exactly one message.
 */
export function decodeMessage(bytes: Uint8Array, where: string): unknown {
  checkMessage(bytes, where);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new FormatError(where, `not valid msgpack: ${reason}`, "malformed", { cause });
  }
}

/** Walks a message: every length fits in the bytes, nothing is missing, nothing follows. */
function checkMessage(bytes: Uint8Array, where: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  /** Values still to come at each open level, the message itself first. */
  const open = [1];

  const take = (count: number): number => {
    if (count > bytes.length - position) {
      throw new FormatError(where, `cut short: ${count} bytes expected at byte ${position}`);
    }
    const start = position;
    position += count;
    return start;
  };
  const takeLength = (width: number): number => {
    const start = take(width);
    if (width === 1) return view.getUint8(start);
    return width === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  const descend = (count: number): void => {
    if (count > bytes.length - position) {
      throw new FormatError(where, `cut short: ${count} values announced at byte ${position}`);
    }
    if (open.length > MAXIMUM_DEPTH) {
      throw new FormatError(where, `nested deeper than ${MAXIMUM_DEPTH} levels`);
    }
    open.push(count);
  };

  while (open.length > 0) {
    const level = open.length - 1;
    const left = open[level] ?? 0;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[level] = left - 1;
    const code = view.getUint8(take(1));
    if (code < 0x80 || code >= 0xe0) continue; // small integers
    if (code < 0x90) descend(2 * (code - 0x80));
    else if (code < 0xa0) descend(code - 0x90);
    else if (code < 0xc0) take(code - 0xa0);
    else if (code === 0xc0 || code === 0xc2 || code === 0xc3) continue; // nil, false, true
    else if (code === 0xc1) throw new FormatError(where, `invalid code c1 at byte ${position - 1}`);
    else if (code <= 0xc6) take(takeLength(1 << (code - 0xc4))); // bin
    else if (code <= 0xc9) take(1 + takeLength(1 << (code - 0xc7))); // ext: type, data
    else if (code === 0xca) take(4); // float32
    else if (code === 0xcb) take(8); // float64
    else if (code <= 0xcf) take(1 << (code - 0xcc)); // uint
    else if (code <= 0xd3) take(1 << (code - 0xd0)); // int
    else if (code <= 0xd8) take(1 + (1 << (code - 0xd4))); // fixext: type, data
    else if (code <= 0xdb) take(takeLength(1 << (code - 0xd9))); // str
    else if (code <= 0xdd) descend(takeLength(2 << (code - 0xdc))); // array
    else descend(2 * takeLength(2 << (code - 0xde))); // map
  }
  if (position !== bytes.length) {
    throw new FormatError(where, `${bytes.length - position} bytes follow the value`);
  }
}
