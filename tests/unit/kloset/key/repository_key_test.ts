import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  type Encryption,
  FormatError,
  type KdfParameters,
} from "../../../../src/kloset/format/mod.ts";
import {
  newEncryption,
  opensCanary,
  repositoryEncryption,
} from "../../../../src/kloset/key/mod.ts";

const kernels = await Kernels.load();
const PASSPHRASE = new TextEncoder().encode("a passphrase of a test");
const KDF: KdfParameters = {
  kdf: "PBKDF2",
  saltSize: 16,
  iterations: 1,
  keyLength: 32,
  hashing: "SHA256",
};

Deno.test("repositoryEncryption() gives the key that newEncryption() has made", async () => {
  const { configuration, unit } = await newEncryption(kernels, PASSPHRASE, { kdf: KDF });
  const again = await repositoryEncryption(PASSPHRASE, configuration);
  assertEquals(again, unit);
  assert(opensCanary(kernels, again, configuration));
});

Deno.test("newEncryption() makes another salt, key and canary each time", async () => {
  const [a, b] = [
    await newEncryption(kernels, PASSPHRASE, { kdf: KDF }),
    await newEncryption(kernels, PASSPHRASE, { kdf: KDF }),
  ];
  for (
    const [one, other] of [
      [a.configuration.salt, b.configuration.salt],
      [a.unit.key, b.unit.key],
      [a.configuration.canary, b.configuration.canary],
    ]
  ) {
    assert(one!.some((byte, i) => byte !== other![i]));
  }
  assert(!opensCanary(kernels, a.unit, b.configuration));
});

Deno.test("opensCanary() is false for another passphrase, and for a canary changed anywhere", async () => {
  const { configuration, unit } = await newEncryption(kernels, PASSPHRASE, { kdf: KDF });
  const other = await repositoryEncryption(new TextEncoder().encode("another"), configuration);
  assert(!opensCanary(kernels, other, configuration));
  const { canary } = configuration;
  for (let i = 0; i < canary.length; i++) {
    assert(
      !opensCanary(kernels, unit, { ...configuration, canary: canary.with(i, canary[i]! ^ 1) }),
    );
  }
  for (const length of [0, 1, canary.length - 1]) {
    assert(!opensCanary(kernels, unit, { ...configuration, canary: canary.slice(0, length) }));
  }
});

Deno.test("repositoryEncryption() tells what is unknown from what is damaged", async () => {
  const { configuration } = await newEncryption(kernels, PASSPHRASE, { kdf: KDF });
  const reasonOf = async (change: Partial<Encryption>) =>
    (await assertRejects(
      () => repositoryEncryption(PASSPHRASE, { ...configuration, ...change }),
      FormatError,
    )).reason;
  assertEquals(await reasonOf({ subKeyAlgorithm: "AES256-GCM" }), "version");
  assertEquals(await reasonOf({ dataAlgorithm: "X" }), "version");
  for (const chunkSize of [0, -1, 2 ** 40]) {
    assertEquals(await reasonOf({ chunkSize }), "malformed");
  }
});
