/**
 * Dirpacks: the entries of one directory in one stream, so that listing it costs one read. Frames:
 *
 * ```text
 * u8       1 = directory, 2 = anything else
 * u32 LE   length of what follows
 * bytes    the VFS entry, as in its own blob
 * 32       MAC of those bytes
 * ```
 *
 * @module
 */

import { ByteWriter } from "./_byte_writer.ts";
import { FormatError } from "./format_error.ts";
import { type Mac, MAC_BYTES, type MacFunction, macsEqual } from "./mac.ts";

const FRAME_HEADER_BYTES = 5;
const DIRECTORY = 1;
const NOT_DIRECTORY = 2;

/** No entry comes near this; a damaged length must not make the reader collect gigabytes. */
const MAXIMUM_FRAME_BYTES = 64 << 20;

/** One child of a directory. */
export interface DirpackFrame {
  readonly isDirectory: boolean;
  /** The VFS entry, encoded. */
  readonly entry: Uint8Array;
  /** Its MAC, verified. */
  readonly mac: Mac;
}

/** One frame. Frames of a directory go in ascending order of path, byte by byte. */
export function encodeDirpackFrame(frame: DirpackFrame): Uint8Array {
  const length = frame.entry.length + MAC_BYTES;
  const out = new ByteWriter(FRAME_HEADER_BYTES + length);
  out.u8(frame.isDirectory ? DIRECTORY : NOT_DIRECTORY);
  out.u32le(length);
  out.bytes(frame.entry);
  out.exactBytes(frame.mac, MAC_BYTES);
  return out.finish();
}

/** Reads a dirpack that arrives in pieces. */
export class DirpackDecoder {
  readonly #mac: MacFunction;
  /** Bytes received and not yet consumed: `#buffer[#start .. #end)`. */
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** @param mac The repository's MAC, to verify entries. */
  constructor(mac: MacFunction) {
    this.#mac = mac;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @returns The frames that they complete; copies, independent of `bytes`.
   * @throws {FormatError} If a frame is malformed, or its MAC does not match.
   */
  push(bytes: Uint8Array): DirpackFrame[] {
    this.#append(bytes);
    const frames: DirpackFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /**
   * Ends the stream.
   *
   * @throws {FormatError} If it ends inside a frame.
   */
  finish(): void {
    const left = this.#end - this.#start;
    if (left > 0) {
      throw new FormatError("dirpack", `ends inside a frame, after ${left} bytes of it`);
    }
  }

  #next(): DirpackFrame | undefined {
    const left = this.#end - this.#start;
    if (left < FRAME_HEADER_BYTES) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#start, left);
    const type = view.getUint8(0);
    if (type !== DIRECTORY && type !== NOT_DIRECTORY) {
      throw new FormatError("dirpack", `frame of unknown type ${type}`);
    }
    const length = view.getUint32(1, true);
    if (length < MAC_BYTES || length > MAXIMUM_FRAME_BYTES) {
      throw new FormatError("dirpack", `frame of ${length} bytes`);
    }
    if (left < FRAME_HEADER_BYTES + length) return undefined;

    const start = this.#start + FRAME_HEADER_BYTES;
    const macStart = start + length - MAC_BYTES;
    const entry = this.#buffer.slice(start, macStart);
    const mac = this.#buffer.slice(macStart, start + length);
    if (!macsEqual(this.#mac(entry), mac)) {
      throw new FormatError("dirpack", "an entry does not match its MAC", "checksum");
    }
    this.#start = start + length;
    return { isDirectory: type === DIRECTORY, entry, mac };
  }

  #append(bytes: Uint8Array): void {
    const left = this.#end - this.#start;
    const needed = left + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
    } else if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#buffer.set(bytes, left);
    this.#start = 0;
    this.#end = needed;
  }
}
