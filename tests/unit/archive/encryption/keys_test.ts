import { assertEquals, assertRejects } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { truncations } from "../../../faults/mutations.ts";
import {
  BUILT_IN_PUBLIC_KEY,
  generateKeyPair,
  InvalidKeyError,
  loadPrivateKey,
  loadPublicKey,
  parsePrivateKey,
  parsePublicKey,
} from "../../../../src/archive/mod.ts";

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const pem = (type: string, der: Uint8Array) =>
  `-----BEGIN ${type}-----\n${base64(der)}\n-----END ${type}-----\n`;

function nodeKey(kind: "ec", namedCurve: string, type: "pkcs8" | "sec1"): string {
  return generateKeyPairSync(kind, {
    namedCurve,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type, format: "pem" },
  }).privateKey;
}

/** PKCS#8 of an algorithm without parameters, or with NULL as RSA has it. */
function otherKey(...algorithm: number[]): Uint8Array {
  const oid = [0x06, algorithm.length, ...algorithm];
  const key = [0x04, 2, 0x04, 0];
  return new Uint8Array([
    0x30,
    3 + 2 + oid.length + 2 + key.length,
    ...[0x02, 1, 0],
    ...[0x30, oid.length + 2, ...oid, 0x05, 0],
    ...key,
  ]);
}

Deno.test("parsePublicKey reads the built-in key, and white space around a key", async () => {
  const key = await parsePublicKey(`\n  ${BUILT_IN_PUBLIC_KEY} \r\n`);
  assertEquals(
    base64(new Uint8Array(await crypto.subtle.exportKey("raw", key))),
    BUILT_IN_PUBLIC_KEY,
  );
});

Deno.test("parsePublicKey names what is wrong", async (t) => {
  const point = Uint8Array.from(atob(BUILT_IN_PUBLIC_KEY), (c) => c.charCodeAt(0));
  const compressed = point.slice();
  compressed[0] = 0x03;
  const besides = point.slice();
  besides[64] = 0;
  const outside = new Uint8Array(65).fill(0xff);
  outside[0] = 4;
  const cases: [name: string, text: string, message: string][] = [
    ["no base64", "not base64!", "invalid base64 public key: illegal base64 data"],
    ["no padding", BUILT_IN_PUBLIC_KEY.slice(0, -1), "invalid base64 public key: "],
    ["nothing", "", "invalid public key length: expected 65 bytes, got 0"],
    ["short", base64(point.slice(0, 64)), "invalid public key length: expected 65 bytes, got 64"],
    [
      "another form",
      base64(compressed),
      "invalid public key format: expected uncompressed point (0x04 prefix), got 0x03",
    ],
    ["besides the curve", base64(besides), "invalid P-256 public key: point not on curve"],
    ["outside the field", base64(outside), "invalid P-256 public key: point not on curve"],
  ];
  for (const [name, text, message] of cases) {
    await t.step(name, async () => {
      await assertRejects(
        () => parsePublicKey(text),
        InvalidKeyError,
        `failed to load encryption key: ${message}`,
      );
    });
  }
});

Deno.test("parsePrivateKey reads keys of other programs, whatever the block is called", async () => {
  await parsePrivateKey(nodeKey("ec", "P-256", "pkcs8"), "node");
  const text = await Deno.readTextFile(
    new URL("../../../fixtures/archive/test.key", import.meta.url),
  );
  await parsePrivateKey(text.replaceAll("PRIVATE KEY", "ANYTHING"), "renamed");
  await parsePrivateKey(`some text\r\n${text.replaceAll("\n", "\r\n")}`, "with CRLF");
});

Deno.test("parsePrivateKey names what is wrong", async (t) => {
  const range = (fill: number) => {
    const prefix = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
    const bytes = prefix.match(/../g) ?? [];
    return new Uint8Array([
      ...bytes.map((hex) => parseInt(hex, 16)),
      ...new Uint8Array(32).fill(fill),
    ]);
  };
  const rsa = otherKey(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
  const cases: [name: string, text: string, message: string][] = [
    ["no PEM", "no key", "failed to decode PEM block from k"],
    [
      "no base64",
      "-----BEGIN X-----\n???\n-----END X-----\n",
      "failed to decode PEM block from k",
    ],
    ["an empty block", pem("X", new Uint8Array()), "failed to parse PKCS8 private key: "],
    ["SEC1", nodeKey("ec", "P-256", "sec1"), "failed to parse PKCS8 private key: "],
    ["RSA", pem("PRIVATE KEY", rsa), "private key is not an EC key (got RSA)"],
    [
      "Ed25519",
      pem("PRIVATE KEY", otherKey(0x2b, 0x65, 0x70)),
      "private key is not an EC key (got Ed25519)",
    ],
    [
      "another curve",
      nodeKey("ec", "P-384", "pkcs8"),
      "failed to convert ECDSA key to ECDH: the key is not P-256",
    ],
    [
      "zero",
      pem("PRIVATE KEY", range(0)),
      "failed to parse PKCS8 private key: scalar out of range",
    ],
    [
      "more than the order",
      pem("PRIVATE KEY", range(0xff)),
      "failed to parse PKCS8 private key: scalar out of range",
    ],
  ];
  for (const [name, text, message] of cases) {
    await t.step(name, async () => {
      await assertRejects(
        () => parsePrivateKey(text, "k"),
        InvalidKeyError,
        `failed to load decryption key: ${message}`,
      );
    });
  }
});

Deno.test("parsePrivateKey refuses every truncation of the structure", async () => {
  const { privateKeyPem } = await generateKeyPair();
  const der = Uint8Array.from(
    atob(privateKeyPem.replaceAll(/-----.*-----|\n/g, "")),
    (c) => c.charCodeAt(0),
  );
  for (const cut of truncations(der)) {
    await assertRejects(() => parsePrivateKey(pem("PRIVATE KEY", cut), "cut"), InvalidKeyError);
  }
});

Deno.test("loadPublicKey and loadPrivateKey name a file that cannot be read", async () => {
  await assertRejects(
    () => loadPublicKey("/absent.pub"),
    InvalidKeyError,
    "failed to load encryption key: failed to read public key file: " +
      "open /absent.pub: no such file or directory",
  );
  await assertRejects(
    () => loadPrivateKey("/absent"),
    InvalidKeyError,
    "failed to load decryption key: failed to read private key file: " +
      "open /absent: no such file or directory",
  );
});
