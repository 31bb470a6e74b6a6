import { assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_KDF, deriveKey } from "../../../../src/kloset/key/key_derivation.ts";
import {
  type Argon2idParameters,
  FormatError,
  type KdfParameters,
} from "../../../../src/kloset/format/mod.ts";
import { bytesOf } from "../_hex.ts";

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function argon2id(time: number, memory: number, threads = 1): Argon2idParameters {
  return { kdf: "ARGON2ID", saltSize: 8, time, memory, threads, keyLength: 32 };
}

interface Vector {
  readonly kdf: KdfParameters;
  readonly passphrase: string;
  readonly salt: Uint8Array;
  readonly key: string;
}

/**
 * Of the Go library's repository (format reference, appendix B.8); of the reference implementation of
 * Argon2, whose version of RFC 9106 needs a secret that this use has not; of RFC 7914, section 12;
 * and of the vectors of PBKDF2 with SHA-256 that follow RFC 6070.
 */
const VECTORS: readonly Vector[] = [
  {
    kdf: DEFAULT_KDF,
    passphrase: "secret",
    salt: bytesOf("e3fd6885957c6bd29e66feba601b62a2"),
    key: "7c4b85c1979ec2f06d001ef1a4f82c9fe4067fd0373bd6f8fc1245bc49c3bc98",
  },
  {
    kdf: argon2id(2, 256),
    passphrase: "password",
    salt: utf8("somesalt"),
    key: "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
  },
  {
    kdf: argon2id(2, 256, 2),
    passphrase: "password",
    salt: utf8("somesalt"),
    key: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
  },
  {
    kdf: argon2id(2, 65_536),
    passphrase: "differentpassword",
    salt: utf8("somesalt"),
    key: "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
  },
  {
    kdf: { kdf: "SCRYPT", saltSize: 14, n: 16_384, r: 8, p: 1, keyLength: 32 },
    passphrase: "pleaseletmein",
    salt: utf8("SodiumChloride"),
    key: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
  },
  {
    kdf: { kdf: "PBKDF2", saltSize: 36, iterations: 4096, keyLength: 32, hashing: "SHA256" },
    passphrase: "passwordPASSWORDpassword",
    salt: utf8("saltSALTsaltSALTsaltSALTsaltSALTsalt"),
    key: "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1",
  },
];

Deno.test("keys are derived as others derive them", async (t) => {
  for (const { kdf, passphrase, salt, key } of VECTORS) {
    await t.step(JSON.stringify(kdf), async () => {
      assertEquals(await deriveKey(utf8(passphrase), { kdf, salt }), bytesOf(key));
    });
  }
});

Deno.test("values that no writer uses are refused before anything is spent on them", async () => {
  const salt = new Uint8Array(16);
  const scrypt = { kdf: "SCRYPT", saltSize: 16, n: 32_768, r: 8, p: 1, keyLength: 32 } as const;
  const pbkdf2 = {
    kdf: "PBKDF2",
    saltSize: 16,
    iterations: 100_000,
    keyLength: 32,
    hashing: "SHA256",
  } as const;
  const sound = { ...argon2id(4, 1024), saltSize: 16 };
  const refused: KdfParameters[] = [
    { ...sound, time: 0 },
    { ...sound, time: 1 << 20 },
    { ...sound, memory: 7 },
    { ...sound, memory: 3 << 20 },
    { ...sound, threads: 0 },
    { ...sound, keyLength: 16 },
    { ...sound, saltSize: 17 },
    { ...scrypt, n: 1000 },
    { ...scrypt, n: 1 << 30 },
    { ...scrypt, r: 0 },
    { ...scrypt, p: 1 << 20 },
    { ...pbkdf2, iterations: 0 },
    { ...pbkdf2, iterations: 1e9 },
  ];
  for (const kdf of refused) {
    const error = await assertRejects(() => deriveKey(utf8("x"), { kdf, salt }), FormatError);
    assertEquals(error.reason, "malformed");
  }
  const unknown = { ...pbkdf2, hashing: "SHA3" };
  const error = await assertRejects(
    () => deriveKey(utf8("x"), { kdf: unknown, salt }),
    FormatError,
  );
  assertEquals(error.reason, "version");
  await assertRejects(() => deriveKey(utf8("x"), { kdf: sound, salt: salt.slice(1) }), FormatError);
});

Deno.test("a derivation ends when it is aborted", async () => {
  const reason = new Error("enough");
  const salt = new Uint8Array(16);
  const kdf = { ...DEFAULT_KDF };
  await assertRejects(
    () => deriveKey(utf8("x"), { kdf, salt }, AbortSignal.abort(reason)),
    Error,
    "enough",
  );
  const controller = new AbortController();
  const derivation = deriveKey(utf8("x"), { kdf, salt }, controller.signal);
  controller.abort(reason);
  await assertRejects(() => derivation, Error, "enough");
});
