/**
 * A growing buffer with the integer writes that the layouts need. Names say width and byte order.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    checkUint(value, 0xff);
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16be(value: number): void {
    checkUint(value, 0xffff);
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  u32be(value: number): void {
    checkUint(value, 0xffffffff);
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  u32le(value: number): void {
    checkUint(value, 0xffffffff);
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  u64be(value: number | bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, uint64(value));
  }

  u64le(value: number | bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, uint64(value), true);
  }

  i64be(value: number | bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, int64(value));
  }

  i64le(value: number | bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigInt64(at, int64(value), true);
  }

  f64be(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value);
  }

  bytes(value: Uint8Array): void {
    const start = this.#reserve(value.length);
    this.#bytes.set(value, start);
  }

  /** Writes bytes of which the layout fixes the number, such as a MAC. */
  exactBytes(value: Uint8Array, length: number): void {
    if (value.length !== length) {
      throw new RangeError(`Cannot encode ${value.length} bytes where ${length} are required`);
    }
    this.bytes(value);
  }

  /** A copy of what was written, of exactly that length. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /**
   * Makes room and returns where it starts. Call it before touching the buffer or its view: both
   * may be replaced by larger ones.
   */
  #reserve(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return start;
  }
}

function checkUint(value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new RangeError(`Cannot encode ${value} as an integer between 0 and ${maximum}`);
  }
}

function exact(value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot encode ${value}: not an exact integer`);
  }
  return BigInt(value);
}

function uint64(value: number | bigint): bigint {
  const wide = exact(value);
  if (BigInt.asUintN(64, wide) !== wide) {
    throw new RangeError(`Cannot encode ${wide} as an unsigned 64-bit integer`);
  }
  return wide;
}

function int64(value: number | bigint): bigint {
  const wide = exact(value);
  if (BigInt.asIntN(64, wide) !== wide) {
    throw new RangeError(`Cannot encode ${wide} as a signed 64-bit integer`);
  }
  return wide;
}
