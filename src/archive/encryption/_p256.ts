/** Prime of the field of P-256. */
const PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
/** Constant of its equation `y² = x³ − 3x + b`. */
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
/** Order of its group. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const ALGORITHM = { name: "ECDH", namedCurve: "P-256" };

/** Length of an uncompressed point: `0x04 ‖ X ‖ Y`. */
export const POINT_BYTES = 65;
/** Length of a private scalar. */
export const SCALAR_BYTES = 32;

/** PKCS#8 of a P-256 key without its public half, up to the scalar: its last 32 bytes. */
// deno-fmt-ignore
const PKCS8_PREFIX = [
  0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
  0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01,
  0x01, 0x04, 0x20,
];

/**
 * Imports an uncompressed point as the public half of a key.
 *
 * The equation is checked here: the runtime takes any 64 bytes for a point, and notices only later,
 * with an error that tells nobody which key was wrong.
 *
 * @throws {RangeError} when it is not a point of the curve
 */
export async function importPublicKey(point: Uint8Array): Promise<CryptoKey> {
  if (point.length !== POINT_BYTES || point[0] !== 0x04) {
    throw new RangeError("it is not an uncompressed point");
  }
  const x = toInteger(point.subarray(1, 33));
  const y = toInteger(point.subarray(33));
  const onCurve = x < PRIME && y < PRIME && (y * y - (x * x * x - 3n * x + B)) % PRIME === 0n;
  if (!onCurve) throw new RangeError("point not on curve");
  return await crypto.subtle.importKey("raw", new Uint8Array(point), ALGORITHM, true, []);
}

/**
 * Imports a scalar as a private key.
 *
 * The runtime gets PKCS#8 that was made here and never what a user's file holds: version 2.4 of
 * Deno ends the process when a key there is not what it expects, an RSA key for example.
 *
 * @throws {RangeError} when it is not a private key of the curve
 */
export async function importPrivateKey(scalar: Uint8Array): Promise<CryptoKey> {
  const value = toInteger(scalar);
  if (scalar.length !== SCALAR_BYTES || value === 0n || value >= ORDER) {
    throw new RangeError("scalar out of range");
  }
  const pkcs8 = new Uint8Array([...PKCS8_PREFIX, ...scalar]);
  return await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["deriveBits"]);
}

/** A new key pair, exportable. */
export async function generatePair(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["deriveBits"]);
}

/** The uncompressed point of a public key. */
export async function exportPoint(key: CryptoKey): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key));
}

/** The secret that two keys share: 32 bytes, the x coordinate. */
export async function sharedSecret(
  privateKey: CryptoKey,
  publicKey: CryptoKey,
): Promise<ArrayBuffer> {
  return await crypto.subtle.deriveBits({ name: "ECDH", public: publicKey }, privateKey, 256);
}

function toInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
