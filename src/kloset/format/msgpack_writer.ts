/**
 * Writes msgpack exactly as the Go library of the format does, because ids are MACs of these bytes.
 *
 * The dialect: integers of sized Go types keep their full width whatever the value; only Go's `int`
 * is written in as few bytes as possible. Structs are maps in declaration order.
 *
 * @module
 */

import { ByteWriter } from "./_byte_writer.ts";
import { MAC_BYTES } from "./mac.ts";

const NS_PER_SECOND = 1_000_000_000n;
const TEXT = new TextEncoder();

/** One pair of a struct, or `false` for a pair that is left out because its value is empty. */
export type StructPair = readonly [key: string, write: (writer: MsgpackWriter) => void] | false;

/** Collects one msgpack value; the caller writes what headers announce, in order. */
export class MsgpackWriter {
  readonly #out = new ByteWriter();

  /** What was written. */
  finish(): Uint8Array {
    return this.#out.finish();
  }

  nil(): void {
    this.#out.u8(0xc0);
  }

  bool(value: boolean): void {
    this.#out.u8(value ? 0xc3 : 0xc2);
  }

  /** A Go uint8: always `cc` and one byte. */
  uint8(value: number): void {
    this.#out.u8(0xcc);
    this.#out.u8(value);
  }

  /** A Go uint16: always `cd` and two bytes. */
  uint16(value: number): void {
    this.#out.u8(0xcd);
    this.#out.u16be(value);
  }

  /** A Go uint32, also versions and file modes: always `ce` and four bytes. */
  uint32(value: number): void {
    this.#out.u8(0xce);
    this.#out.u32be(value);
  }

  /** A Go uint64: always `cf` and eight bytes. */
  uint64(value: number | bigint): void {
    this.#out.u8(0xcf);
    this.#out.u64be(value);
  }

  /** A Go int64, also durations in nanoseconds: always `d3` and eight bytes. */
  int64(value: number | bigint): void {
    this.#out.u8(0xd3);
    this.#out.i64be(value);
  }

  /** A Go int: the shortest form; unsigned forms when not negative. */
  int(value: number): void {
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`Cannot encode ${value}: not an exact integer`);
    }
    const out = this.#out;
    if (value >= 0) {
      if (value <= 0x7f) out.u8(value);
      else if (value <= 0xff) this.uint8(value);
      else if (value <= 0xffff) this.uint16(value);
      else if (value <= 0xffffffff) this.uint32(value);
      else this.uint64(value);
    } else if (value >= -0x20) {
      out.u8(value + 0x100);
    } else if (value >= -0x80) {
      out.u8(0xd0);
      out.u8(value + 0x100);
    } else if (value >= -0x8000) {
      out.u8(0xd1);
      out.u16be(value + 0x10000);
    } else if (value >= -0x80000000) {
      out.u8(0xd2);
      out.u32be(value + 0x100000000);
    } else {
      this.int64(value);
    }
  }

  float64(value: number): void {
    this.#out.u8(0xcb);
    this.#out.f64be(value);
  }

  string(value: string): void {
    const bytes = TEXT.encode(value);
    const out = this.#out;
    if (bytes.length < 32) {
      out.u8(0xa0 + bytes.length);
    } else if (bytes.length <= 0xff) {
      out.u8(0xd9);
      out.u8(bytes.length);
    } else if (bytes.length <= 0xffff) {
      out.u8(0xda);
      out.u16be(bytes.length);
    } else {
      out.u8(0xdb);
      out.u32be(bytes.length);
    }
    out.bytes(bytes);
  }

  /** Bytes; `undefined` is Go's nil slice. */
  bytes(value: Uint8Array | undefined): void {
    if (value === undefined) return this.nil();
    const out = this.#out;
    if (value.length <= 0xff) {
      out.u8(0xc4);
      out.u8(value.length);
    } else if (value.length <= 0xffff) {
      out.u8(0xc5);
      out.u16be(value.length);
    } else {
      out.u8(0xc6);
      out.u32be(value.length);
    }
    out.bytes(value);
  }

  /** A MAC: `c4 20` and 32 bytes. */
  mac(value: Uint8Array): void {
    if (value.length !== MAC_BYTES) {
      throw new RangeError(`Cannot encode ${value.length} bytes as a MAC of ${MAC_BYTES}`);
    }
    this.bytes(value);
  }

  /** A point in time, nanoseconds since 1970: the shortest of the three timestamp forms. */
  time(ns: bigint): void {
    const out = this.#out;
    const fraction = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
    const seconds = (ns - fraction) / NS_PER_SECOND;
    if (fraction === 0n && seconds >= 0n && seconds < 1n << 32n) {
      out.u8(0xd6);
      out.u8(0xff);
      out.u32be(Number(seconds));
    } else if (seconds >= 0n && seconds < 1n << 34n) {
      out.u8(0xd7);
      out.u8(0xff);
      out.u64be((fraction << 34n) | seconds);
    } else {
      out.u8(0xc7);
      out.u8(12);
      out.u8(0xff);
      out.u32be(Number(fraction));
      out.i64be(seconds);
    }
  }

  arrayHeader(count: number): void {
    const out = this.#out;
    if (count < 16) {
      out.u8(0x90 + count);
    } else if (count <= 0xffff) {
      out.u8(0xdc);
      out.u16be(count);
    } else {
      out.u8(0xdd);
      out.u32be(count);
    }
  }

  mapHeader(count: number): void {
    const out = this.#out;
    if (count < 16) {
      out.u8(0x80 + count);
    } else if (count <= 0xffff) {
      out.u8(0xde);
      out.u16be(count);
    } else {
      out.u8(0xdf);
      out.u32be(count);
    }
  }

  /** An array: its header, then each item as `write` writes it. */
  array<T>(items: readonly T[], write: (item: T) => void): void {
    this.arrayHeader(items.length);
    for (const item of items) write(item);
  }

  /** A struct: a map of the pairs in the order given, without those that are `false`. */
  struct(pairs: readonly StructPair[]): void {
    const present = pairs.filter((pair) => pair !== false);
    this.mapHeader(present.length);
    for (const [key, write] of present) {
      this.string(key);
      write(this);
    }
  }
}

/** Encodes one struct as a whole message. */
export function encodeStruct(pairs: readonly StructPair[]): Uint8Array {
  const writer = new MsgpackWriter();
  writer.struct(pairs);
  return writer.finish();
}
