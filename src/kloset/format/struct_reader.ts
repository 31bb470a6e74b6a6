import { ExtData } from "@msgpack/msgpack";
import { FormatError } from "./format_error.ts";
import { type Mac, MAC_BYTES } from "./mac.ts";
import { decodeMessage, decodeText } from "./msgpack_reader.ts";
import { ZERO_TIME_NS } from "./timestamp.ts";
import { type Uuid, UUID_BYTES } from "./uuid.ts";

/**
 * Reads the fields of one msgpack struct by name, with the leniency of the Go library: unknown keys
 * are ignored, missing keys and nil are zero values, any integer code serves any integer field, str
 * and bin stand for each other, and a struct may come as an array of exactly its fields. Byte
 * results are copies.
 *
 * Every method throws {@linkcode FormatError} when the value is of another kind or out of range.
 */
export class StructReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /**
   * @param value A decoded message, or a part of one.
   * @param names The struct's keys in declaration order.
   * @param where What the struct is, for messages.
   */
  constructor(value: unknown, names: readonly string[], where: string) {
    this.#where = where;
    if (value === null || value === undefined) {
      this.#fields = {};
    } else if (Array.isArray(value)) {
      if (value.length !== names.length) {
        throw new FormatError(where, `array of ${value.length} fields instead of ${names.length}`);
      }
      this.#fields = Object.fromEntries(names.map((name, i) => [name, value[i]]));
    } else if (isMap(value)) {
      this.#fields = value;
    } else {
      throw new FormatError(where, `${kindOf(value)} instead of a map`);
    }
  }

  /** Reads a whole message that is one struct. A message of nil alone is refused. */
  static fromBytes(bytes: Uint8Array, names: readonly string[], where: string): StructReader {
    const value = decodeMessage(bytes, where);
    if (value === null) throw new FormatError(where, "nil instead of a map");
    return new StructReader(value, names, where);
  }

  /** An unsigned integer of at most so many bits. */
  uint(name: string, bits: 8 | 16 | 32): number {
    const value = this.#safeInteger(name);
    if (value < 0 || value >= 2 ** bits) {
      throw this.#error(name, `${value} is not an unsigned ${bits}-bit integer`);
    }
    return value;
  }

  /** A signed integer that a number holds exactly. */
  int(name: string): number {
    return this.#safeInteger(name);
  }

  /** A size or count: an unsigned 64-bit integer that a number holds exactly. */
  size(name: string): number {
    const value = this.#safeInteger(name);
    if (value < 0) throw this.#error(name, `${value} is negative`);
    return value;
  }

  /** An unsigned 64-bit integer, exact. */
  uint64(name: string): bigint {
    const value = this.#integer(name);
    if (BigInt.asUintN(64, value) !== value) throw this.#error(name, `${value} is negative`);
    return value;
  }

  /** A signed 64-bit integer, exact. */
  int64(name: string): bigint {
    const value = this.#integer(name);
    if (BigInt.asIntN(64, value) !== value) {
      throw this.#error(name, `${value} is not a signed 64-bit integer`);
    }
    return value;
  }

  float(name: string): number {
    const value = this.#get(name) ?? 0;
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    throw this.#error(name, `${kindOf(value)} instead of a number`);
  }

  bool(name: string): boolean {
    const value = this.#get(name) ?? false;
    if (typeof value === "boolean") return value;
    throw this.#error(name, `${kindOf(value)} instead of a boolean`);
  }

  string(name: string): string {
    return toText(this.#get(name), this.#path(name));
  }

  /** Bytes; `undefined` for nil and for a missing key. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.#get(name) ?? undefined;
    if (value === undefined) return undefined;
    if (value instanceof Uint8Array) return value.slice();
    throw this.#error(name, `${kindOf(value)} instead of bytes`);
  }

  /** A MAC; 32 zero bytes for nil and for a missing key. */
  mac(name: string): Mac {
    return toMac(this.#get(name), this.#path(name));
  }

  /** A MAC; `undefined` for nil and for a missing key. */
  optionalMac(name: string): Mac | undefined {
    return this.has(name) ? this.mac(name) : undefined;
  }

  uuid(name: string): Uuid {
    const value = this.bytes(name) ?? new Uint8Array(UUID_BYTES);
    if (value.length !== UUID_BYTES) {
      throw this.#error(name, `UUID of ${value.length} bytes instead of ${UUID_BYTES}`);
    }
    return value;
  }

  /** A point in time, nanoseconds since 1970; Go's zero time for nil and for a missing key. */
  time(name: string): bigint {
    const value = this.#get(name) ?? undefined;
    if (value === undefined) return ZERO_TIME_NS;
    if (!(value instanceof ExtData) || value.type !== -1 || !(value.data instanceof Uint8Array)) {
      throw this.#error(name, `${kindOf(value)} instead of a timestamp`);
    }
    return toTime(value.data, this.#path(name));
  }

  /** The items of an array as `read` reads them; empty for nil and for a missing key. */
  array<T>(name: string, read: (value: unknown, where: string) => T): T[] {
    const value = this.#get(name) ?? [];
    if (!Array.isArray(value)) throw this.#error(name, `${kindOf(value)} instead of an array`);
    const where = this.#path(name);
    return value.map((item) => read(item, where));
  }

  /** An array of texts. */
  strings(name: string): string[] {
    return this.array(name, toText);
  }

  /** An array of MACs. */
  macs(name: string): Mac[] {
    return this.array(name, toMac);
  }

  /** An array of structs, each handed to `read`. */
  structs<T>(name: string, names: readonly string[], read: (fields: StructReader) => T): T[] {
    return this.array(name, (item, where) => read(new StructReader(item, names, where)));
  }

  /** A struct inside this one; all zero values for nil and for a missing key. */
  struct(name: string, names: readonly string[]): StructReader {
    return new StructReader(this.#get(name), names, this.#path(name));
  }

  /** Whether the key is there and not nil. */
  has(name: string): boolean {
    const value = this.#get(name);
    return value !== undefined && value !== null;
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #integer(name: string): bigint {
    const value = this.#get(name) ?? 0n;
    if (typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    throw this.#error(name, `${kindOf(value)} instead of an integer`);
  }

  #safeInteger(name: string): number {
    const value = Number(this.#integer(name));
    if (Number.isSafeInteger(value)) return value;
    throw this.#error(name, `${this.#integer(name)} is too large`);
  }

  #path(name: string): string {
    return `${this.#where}.${name}`;
  }

  #error(name: string, problem: string): FormatError {
    return new FormatError(this.#path(name), problem);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) &&
    !(value instanceof ExtData);
}

function kindOf(value: unknown): string {
  if (value instanceof Uint8Array) return "a string or binary";
  if (value instanceof ExtData) return `an extension of type ${value.type}`;
  if (Array.isArray(value)) return "an array";
  if (value === null) return "nil";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}

function toText(value: unknown, where: string): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Uint8Array) return decodeText(value);
  throw new FormatError(where, `${kindOf(value)} instead of a string`);
}

function toMac(value: unknown, where: string): Mac {
  if (value === null || value === undefined) return new Uint8Array(MAC_BYTES);
  if (!(value instanceof Uint8Array)) {
    throw new FormatError(where, `${kindOf(value)} instead of a MAC`);
  }
  if (value.length !== MAC_BYTES) {
    throw new FormatError(where, `MAC of ${value.length} bytes instead of ${MAC_BYTES}`);
  }
  return value.slice();
}

/**
 * Timestamp extension: u32 seconds; or 30 bits nanoseconds, 34 bits seconds; or u32 nanoseconds,
 * i64 seconds.
 */
function toTime(data: Uint8Array, where: string): bigint {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let seconds: bigint;
  let fraction = 0n;
  if (data.length === 4) {
    seconds = BigInt(view.getUint32(0));
  } else if (data.length === 8) {
    const word = view.getBigUint64(0);
    seconds = BigInt.asUintN(34, word);
    fraction = word >> 34n;
  } else if (data.length === 12) {
    fraction = BigInt(view.getUint32(0));
    seconds = view.getBigInt64(4);
  } else {
    throw new FormatError(where, `timestamp of ${data.length} bytes`);
  }
  if (fraction >= 1_000_000_000n) {
    throw new FormatError(where, `timestamp with ${fraction} nanoseconds`);
  }
  return seconds * 1_000_000_000n + fraction;
}
