import { problemOf } from "../../errors/mod.ts";
import { decodeBase64, encodeBase64 } from "./_base64.ts";
import {
  exportPoint,
  generatePair,
  importPrivateKey,
  importPublicKey,
  POINT_BYTES,
} from "./_p256.ts";
import { OtherKeyKindError, readPkcs8Scalar } from "./_pkcs8.ts";
import { InvalidKeyError } from "../errors.ts";

/**
 * The public key that archives are encrypted for when the user names none. OpsMill alone holds its
 * private half: users cannot decrypt such an archive themselves.
 */
export const BUILT_IN_PUBLIC_KEY =
  "BGa4rFkHUGHIW4BscM7U5A/wnQlkN8CMUohu18sTC/qLEztz8Cm01YiyaRmrauCZK02gYJp51i+4GE9VAqzWF70=";

/** Prefixes of the texts that {@linkcode loadPublicKey} and {@linkcode loadPrivateKey} throw. */
const ENCRYPTION = "failed to load encryption key";
const DECRYPTION = "failed to load decryption key";

/**
 * Reads a public key: base64 of the 65 bytes of an uncompressed P-256 point, white space around it
 * allowed.
 *
 * @throws {InvalidKeyError}
 */
export async function parsePublicKey(text: string): Promise<CryptoKey> {
  let point: Uint8Array;
  try {
    point = decodeBase64(text.trim());
  } catch (error) {
    throw invalid(`${ENCRYPTION}: invalid base64 public key`, error);
  }
  if (point.length !== POINT_BYTES) {
    throw new InvalidKeyError(
      `${ENCRYPTION}: invalid public key length: expected 65 bytes, got ${point.length}`,
    );
  }
  const [first = 0] = point;
  if (first !== 0x04) {
    throw new InvalidKeyError(
      `${ENCRYPTION}: invalid public key format: expected uncompressed point (0x04 prefix), ` +
        `got 0x${first.toString(16).padStart(2, "0")}`,
    );
  }
  try {
    return await importPublicKey(point);
  } catch (error) {
    throw invalid(`${ENCRYPTION}: invalid P-256 public key`, error);
  }
}

/** Loads a public-key file, as {@linkcode parsePublicKey}. */
export async function loadPublicKey(path: string): Promise<CryptoKey> {
  return await parsePublicKey(
    await readKeyFile(path, `${ENCRYPTION}: failed to read public key file`),
  );
}

/**
 * Reads a private key: PEM with a PKCS#8 key on P-256. The block's type is not looked at.
 *
 * @param source what messages call it, such as its path
 * @throws {InvalidKeyError}
 */
export async function parsePrivateKey(pem: string, source: string): Promise<CryptoKey> {
  const der = decodePem(pem);
  if (der === undefined) {
    throw new InvalidKeyError(`${DECRYPTION}: failed to decode PEM block from ${source}`);
  }
  try {
    return await importPrivateKey(readPkcs8Scalar(der));
  } catch (error) {
    if (!(error instanceof OtherKeyKindError)) {
      throw invalid(`${DECRYPTION}: failed to parse PKCS8 private key`, error);
    }
    throw invalid(
      `${DECRYPTION}: ${
        error.isCurve
          ? "failed to convert ECDSA key to ECDH"
          : `private key is not an EC key (got ${error.kind})`
      }`,
      error,
      error.isCurve,
    );
  }
}

/** Loads a private-key file, as {@linkcode parsePrivateKey}. */
export async function loadPrivateKey(path: string): Promise<CryptoKey> {
  const pem = await readKeyFile(path, `${DECRYPTION}: failed to read private key file`);
  return await parsePrivateKey(pem, path);
}

/** A key pair in the form of its files. */
export interface KeyPair {
  /** PKCS#8 PEM. */
  readonly privateKeyPem: string;
  /** Base64 of the uncompressed point, without a newline. */
  readonly publicKey: string;
}

/** Makes a new key pair. */
export async function generateKeyPair(): Promise<KeyPair> {
  const pair = await generatePair();
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return {
    privateKeyPem: ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""]
      .join("\n"),
    publicKey: encodeBase64(await exportPoint(pair.publicKey)),
  };
}

function decodePem(text: string): Uint8Array | undefined {
  const block = /^-----BEGIN ([^\r\n]*)-----[ \t]*\r?\n([^-]*?)^-----END \1-----/m.exec(text);
  try {
    return block === null ? undefined : decodeBase64((block[2] ?? "").replace(/[ \t]/g, ""));
  } catch {
    return undefined; // not base64: told like any other text that is not PEM
  }
}

async function readKeyFile(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new InvalidKeyError(`${what}: open ${path}: ${problemOf(error)}`, { cause: error });
  }
}

function invalid(what: string, error: unknown, withCause = true): InvalidKeyError {
  return new InvalidKeyError(withCause ? `${what}: ${problemOf(error)}` : what, { cause: error });
}
