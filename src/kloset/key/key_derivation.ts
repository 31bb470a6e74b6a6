import { pbkdf2, scrypt, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { KlosetError } from "../errors.ts";
import { type Encryption, FormatError, type KdfParameters } from "../format/mod.ts";
import { AES_KEY_BYTES } from "../encryption/mod.ts";
import type { Argon2idReply, Argon2idRequest } from "./argon2id_worker.ts";

/** The cost that version 1.1.3 of the Go library gives a passphrase: 256 MiB, four passes. */
export const DEFAULT_KDF: KdfParameters = {
  kdf: "ARGON2ID",
  saltSize: 16,
  time: 4,
  memory: 256 * 1024,
  threads: 1,
  keyLength: AES_KEY_BYTES,
};

/** Memory that a CONFIG may ask for; more is damaged or hostile. */
const MAXIMUM_MEMORY_BYTES = 2 * 1024 ** 3;

/** The same for the number of passes over it. */
const MAXIMUM_PASSES = 1024;

/** The same for repeated hashes. */
const MAXIMUM_ITERATIONS = 10_000_000;

/**
 * The repository's key: what its passphrase gives with its salt. Takes about a second, and 256 MiB
 * for that time.
 *
 * @param passphrase UTF-8; wiping it is for the caller
 * @returns 32 bytes
 * @throws {FormatError} CONFIG asks for what no writer does; with the reason `version` where a later
 * one may
 * @throws the signal's reason
 */
export async function deriveKey(
  passphrase: Uint8Array,
  { kdf, salt }: Pick<Encryption, "kdf" | "salt">,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  checkParameters(kdf, salt);
  signal?.throwIfAborted();
  switch (kdf.kdf) {
    case "ARGON2ID":
      return await deriveByArgon2id({ passphrase, salt, kdf }, signal);
    case "SCRYPT":
      return new Uint8Array(
        await promisify<Uint8Array, Uint8Array, number, ScryptOptions, Uint8Array>(scrypt)(
          passphrase,
          salt,
          kdf.keyLength,
          {
            N: kdf.n,
            r: kdf.r,
            p: kdf.p,
            // What it needs, and some room for its own.
            maxmem: 128 * kdf.r * (kdf.n + kdf.p) + 1024 ** 2,
          },
        ),
      );
    case "PBKDF2":
      return new Uint8Array(
        await promisify(pbkdf2)(passphrase, salt, kdf.iterations, kdf.keyLength, "sha256"),
      );
  }
}

/** Derives on a thread of its own, which leaves with all its memory. */
async function deriveByArgon2id(
  request: Argon2idRequest,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const worker = new Worker(new URL("./argon2id_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    worker.onmessage = ({ data }: MessageEvent<Argon2idReply>) => {
      if ("key" in data) resolve(data.key);
      else reject(new KlosetError(`Cannot derive the key of the repository: ${data.error}`));
    };
    worker.onerror = (event) => {
      // Handled here: without this the event would end the process.
      event.preventDefault();
      reject(new KlosetError(`Cannot derive the key of the repository: ${event.message}`));
    };
    worker.postMessage(request);
    return await promise;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    worker.terminate();
  }
}

function checkParameters(kdf: KdfParameters, salt: Uint8Array): void {
  const where = "CONFIG.Encryption.KDFParams";
  const isSound = kdf.keyLength === AES_KEY_BYTES && salt.length === kdf.saltSize &&
    salt.length >= 8 && isAffordable(kdf);
  if (!isSound) throw new FormatError(where, "no writer uses these values");
  if (kdf.kdf === "PBKDF2" && kdf.hashing !== "SHA256") {
    throw new FormatError(where, `hash "${kdf.hashing}" is not known`, "version");
  }
}

function isAffordable(kdf: KdfParameters): boolean {
  switch (kdf.kdf) {
    case "ARGON2ID":
      return kdf.time >= 1 && kdf.time <= MAXIMUM_PASSES && kdf.threads >= 1 &&
        kdf.memory >= 8 * kdf.threads && kdf.memory <= MAXIMUM_MEMORY_BYTES / 1024;
    case "SCRYPT":
      return kdf.n >= 2 && Number.isInteger(Math.log2(kdf.n)) && kdf.r >= 1 && kdf.p >= 1 &&
        kdf.p <= MAXIMUM_PASSES && 128 * kdf.n * kdf.r <= MAXIMUM_MEMORY_BYTES;
    case "PBKDF2":
      return kdf.iterations >= 1 && kdf.iterations <= MAXIMUM_ITERATIONS;
  }
}
