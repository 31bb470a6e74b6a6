import { ToolError } from "../../errors/mod.ts";
import { SCALAR_BYTES } from "./_p256.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;

const EC_PUBLIC_KEY = "2a8648ce3d0201";
const P256 = "2a8648ce3d030107";
/** What keys of other kinds are called in messages. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  "2a864886f70d010101": "RSA",
  "2b656e": "X25519",
  "2b6570": "Ed25519",
};

/** A private key that is sound but of another kind than needed. */
export class OtherKeyKindError extends ToolError {
  /** Such as `RSA`. */
  readonly kind: string;
  /** Whether it is an EC key, on another curve. */
  readonly isCurve: boolean;

  constructor(kind: string, isCurve: boolean) {
    super(`the key is ${kind}`);
    this.kind = kind;
    this.isCurve = isCurve;
  }
}

/**
 * The scalar of an EC private key on P-256.
 *
 * ```
 * SEQUENCE { INTEGER 0, SEQUENCE { OID ecPublicKey, OID curve },
 *            OCTET STRING { SEQUENCE { INTEGER 1, OCTET STRING scalar, … } } … }
 * ```
 *
 * @throws {SyntaxError} when it is not PKCS#8
 * @throws {OtherKeyKindError} when it is another kind of key
 */
export function readPkcs8Scalar(der: Uint8Array): Uint8Array {
  const outer = new DerReader(new DerReader(der).take(SEQUENCE));
  if (outer.take(INTEGER).some((byte) => byte > 1)) throw new SyntaxError("unknown version");
  const algorithm = new DerReader(outer.take(SEQUENCE));
  const kind = toHex(algorithm.take(OBJECT_IDENTIFIER));
  if (kind !== EC_PUBLIC_KEY) throw new OtherKeyKindError(ALGORITHMS[kind] ?? "unknown", false);
  if (toHex(algorithm.take(OBJECT_IDENTIFIER)) !== P256) {
    throw new OtherKeyKindError("not P-256", true);
  }
  const key = new DerReader(new DerReader(outer.take(OCTET_STRING)).take(SEQUENCE));
  key.take(INTEGER);
  const scalar = key.take(OCTET_STRING);
  if (scalar.length > SCALAR_BYTES) throw new SyntaxError("private key is too long");
  const padded = new Uint8Array(SCALAR_BYTES);
  padded.set(scalar, SCALAR_BYTES - scalar.length);
  return padded;
}

/** Reads the elements of DER one after another. */
class DerReader {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Content of the next element, which must have this tag. */
  take(tag: number): Uint8Array {
    if (this.#byte() !== tag) throw new SyntaxError("unexpected structure");
    let length = this.#byte();
    if (length > 0x82 || length === 0x80) throw new SyntaxError("unexpected length");
    if (length > 0x80) {
      const count = length - 0x80;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    }
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new SyntaxError("data is truncated");
    const content = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return content;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new SyntaxError("data is truncated");
    return byte;
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
