import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { truncations } from "../../../faults/mutations.ts";
import {
  DecryptionError,
  generateKeyPair,
  KeyMismatchError,
  openArchive,
  parsePrivateKey,
  parsePublicKey,
  writeArchive,
} from "../../../../src/archive/mod.ts";
import { beginSession, decrypt, encryptWith } from "../../../../src/archive/encryption/mod.ts";
import { encrypted } from "./_encrypted.ts";
import { decryptIndependently } from "./_independent_decrypt.ts";
import {
  concat,
  METADATA,
  namesIn,
  noise,
  readAll,
  sha256,
  streamOf,
  withTempDirectory,
} from "../_support.ts";

const MIB = 1024 * 1024;
const PAIR = await generateKeyPair();
const PUBLIC = await parsePublicKey(PAIR.publicKey);
const PRIVATE = await parsePrivateKey(PAIR.privateKeyPem, "test");

async function decrypted(ciphertext: Uint8Array): Promise<Uint8Array> {
  return await readAll(decrypt(streamOf(ciphertext), PRIVATE));
}

function changed(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer));
  return copy;
}

const SIZES = [
  { size: 0, chunks: 0, bytes: 86 },
  { size: 100, chunks: 1, bytes: 86 + 100 + 32 },
  { size: 4 * MIB, chunks: 1, bytes: 86 + 4 * MIB + 32 },
  { size: 4 * MIB + 1, chunks: 2, bytes: 86 + 4 * MIB + 1 + 64 },
  { size: 10 * MIB, chunks: 3, bytes: 86 + 10 * MIB + 96 },
];

for (const { size, chunks, bytes } of SIZES) {
  Deno.test(`encryptWith makes of ${size} bytes what the format says, and decrypt reads it`, async () => {
    const plaintext = noise(size);
    const ciphertext = await encrypted(plaintext, PUBLIC);
    assertEquals(ciphertext.length, bytes);
    const independent = decryptIndependently(ciphertext, PAIR.privateKeyPem);
    assertEquals(sha256(independent.plaintext), sha256(plaintext));
    assertEquals(
      { ...independent, plaintext: undefined },
      { version: 2, chunkBytes: 4 * MIB, plaintextBytes: size, chunks, plaintext: undefined },
    );
    assertEquals(sha256(await decrypted(ciphertext)), sha256(plaintext));
  });
}

Deno.test("encryptWith uses another key and other IVs each time", async () => {
  const plaintext = noise(100);
  const [a, b] = [await encrypted(plaintext, PUBLIC), await encrypted(plaintext, PUBLIC)];
  assert(sha256(a.subarray(1, 66)) !== sha256(b.subarray(1, 66)));
  assert(sha256(a.subarray(86, 98)) !== sha256(b.subarray(86, 98)));
});

Deno.test("encryptWith and decrypt let their source go when they are cancelled", async () => {
  const session = await beginSession(PUBLIC);
  const makers = [
    (source: ReadableStream<Uint8Array>) => encryptWith(source, session).ciphertext,
    (source: ReadableStream<Uint8Array>) => decrypt(source, PRIVATE),
  ];
  for (const make of makers) {
    for (const readFirst of [false, true]) {
      let reason: unknown;
      const stalling = new ReadableStream<Uint8Array>({ cancel: (why) => void (reason = why) });
      const reader = make(stalling).getReader();
      const read = readFirst ? reader.read() : undefined;
      await reader.cancel("enough");
      await read;
      assertEquals(reason, "enough");
    }
  }
});

Deno.test("decrypt refuses another key", async () => {
  const other = await generateKeyPair();
  const key = await parsePrivateKey(other.privateKeyPem, "other");
  const ciphertext = await encrypted(noise(5 * MIB), PUBLIC);
  await assertRejects(
    () => readAll(decrypt(streamOf(ciphertext), key)),
    DecryptionError,
    "failed to decrypt backup: decryption failed at chunk 0/2: " +
      "message authentication failed (wrong key or corrupted data)",
  );
});

Deno.test("decrypt refuses every truncation", async () => {
  for (const cut of truncations(await encrypted(noise(100), PUBLIC))) {
    const error = await assertRejects(() => decrypted(cut), DecryptionError);
    const place = cut.length < 86
      ? "failed to read header: "
      : cut.length < 102
      ? "failed to read chunk 0 header: "
      : "failed to read chunk 0 ciphertext: ";
    assert(error.message.startsWith(`failed to decrypt backup: ${place}`), error.message);
  }
});

Deno.test("decrypt refuses every changed byte", async () => {
  const ciphertext = await encrypted(noise(100), PUBLIC);
  for (let at = 0; at < ciphertext.length; at++) {
    // The chunk size only bounds chunks: most changes of it change nothing, and need not.
    if (at >= 66 && at < 70) continue;
    const error = await assertRejects(
      () => decrypted(changed(ciphertext, (view) => view.setUint8(at, view.getUint8(at) ^ 0x10))),
    );
    assertInstanceOf(error, DecryptionError, `byte ${at}`);
  }
});

Deno.test("decrypt names what is wrong with a file", async (t) => {
  const plaintext = noise(9 * MIB);
  const ciphertext = await encrypted(plaintext, PUBLIC);
  const chunk = 4 * MIB + 32;
  const withoutLast = ciphertext.slice(0, 86 + 2 * chunk);
  const exchanged = concat(
    ciphertext.subarray(0, 86),
    ciphertext.subarray(86 + chunk, 86 + 2 * chunk),
    ciphertext.subarray(86, 86 + chunk),
    ciphertext.subarray(86 + 2 * chunk),
  );
  const cases: { name: string; bytes: Uint8Array; message: string }[] = [
    {
      name: "another version",
      bytes: changed(ciphertext, (view) => view.setUint8(0, 1)),
      message: "unsupported encryption version: 0x01 (expected 0x02)",
    },
    {
      name: "no point",
      bytes: changed(ciphertext, (view) => view.setUint8(1, 2)),
      message: "invalid ephemeral public key in header: ",
    },
    {
      name: "a point beside the curve",
      bytes: changed(ciphertext, (view) => view.setUint8(65, view.getUint8(65) ^ 1)),
      message: "invalid ephemeral public key in header: point not on curve",
    },
    {
      name: "chunks removed and their number changed",
      bytes: changed(withoutLast, (view) => view.setBigUint64(78, 2n)),
      message: `Size mismatch: expected ${9 * MIB} bytes, got ${8 * MIB} bytes`,
    },
    {
      name: "another size",
      bytes: changed(ciphertext, (view) => view.setBigUint64(70, 2n ** 63n)),
      message: `Size mismatch: expected ${2n ** 63n} bytes, got ${9 * MIB} bytes`,
    },
    {
      name: "fewer chunks announced",
      bytes: changed(ciphertext, (view) => {
        view.setBigUint64(70, BigInt(8 * MIB));
        view.setBigUint64(78, 2n);
      }),
      message: "unexpected data after the last chunk",
    },
    {
      name: "more chunks announced",
      bytes: changed(ciphertext, (view) => view.setBigUint64(78, 2n ** 64n - 1n)),
      message: "failed to read chunk 3 header: unexpected end of file",
    },
    {
      name: "bytes at the end",
      bytes: concat(ciphertext, new Uint8Array(1)),
      message: "unexpected data after the last chunk",
    },
    {
      name: "a chunk of 4 GiB",
      bytes: changed(ciphertext, (view) => view.setUint32(86 + 12, 0xffffffff)),
      message: `failed to read chunk 0 ciphertext: length 4294967295 is not between 17 and ${
        4 * MIB + 16
      }`,
    },
    {
      name: "a chunk of 4 GiB, announced",
      bytes: changed(ciphertext, (view) => {
        view.setUint32(66, 0xffffffff);
        view.setUint32(86 + 12, 0xffffffff);
      }),
      message: `length 4294967295 is not between 17 and ${64 * MIB + 16}`,
    },
    {
      name: "an empty chunk",
      bytes: changed(ciphertext, (view) => view.setUint32(86 + 12, 16)),
      message: "length 16 is not between 17",
    },
    {
      name: "a changed second chunk",
      bytes: changed(ciphertext, (view) => view.setUint8(86 + chunk + 1000, 0)),
      message: "decryption failed at chunk 1/3: ",
    },
  ];
  for (const { name, bytes, message } of cases) {
    await t.step(name, async () => {
      await assertRejects(() => decrypted(bytes), DecryptionError, message);
    });
  }
  await t.step("chunks exchanged: the format cannot tell, an archive inside it can", async () => {
    const result = await decrypted(exchanged);
    assertEquals(sha256(result.subarray(0, 4 * MIB)), sha256(plaintext.subarray(4 * MIB, 8 * MIB)));
  });
});

Deno.test("writeArchive encrypts on the way to the disk, and openArchive reads it", async () => {
  await withTempDirectory(async (directory) => {
    const content = noise(9_000_000);
    const path = `${directory}/a.tar.gz.enc`;
    const written = await writeArchive({
      path,
      metadata: { ...METADATA, components: ["database"] },
      sources: [{ name: "database/a", content: streamOf(content), size: content.length }],
      recipient: PUBLIC,
    });
    assertEquals(written.metadata.encrypted, true);
    assertEquals(await namesIn(directory), ["a.tar.gz.enc"]);
    const file = await Deno.readFile(path);
    const independent = decryptIndependently(file, PAIR.privateKeyPem);
    assertEquals(independent.plaintextBytes, independent.plaintext.length);
    assertEquals(independent.plaintext[0], 0x1f);
    const archive = await openArchive(path, { privateKey: PRIVATE });
    assertEquals(sha256(await readAll(archive.streamEntry("database/a"))), sha256(content));
    await archive.extractTo(`${directory}/out`);
    assertEquals(
      sha256(await Deno.readFile(`${directory}/out/backup/database/a`)),
      sha256(content),
    );
    await assertRejects(() => openArchive(path), KeyMismatchError);
  });
});

Deno.test("writeArchive leaves nothing when an encrypted archive is aborted", async () => {
  await withTempDirectory(async (directory) => {
    const content = noise(9_000_000);
    for (const phase of ["write", "verify"]) {
      const aborting = new AbortController();
      await assertRejects(
        () =>
          writeArchive({
            path: `${directory}/a.tar.gz.enc`,
            metadata: { ...METADATA, components: ["database"] },
            sources: [{ name: "database/a", content: streamOf(content), size: content.length }],
            recipient: PUBLIC,
            signal: aborting.signal,
            onProgress: (at) => {
              if (at === phase) aborting.abort(new Error("enough"));
            },
          }),
        Error,
        "enough",
      );
      assertEquals(await namesIn(directory), []);
    }
  });
});
