import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { decrypt } from "../../../../src/archive/encryption/mod.ts";
import {
  AlreadyExistsError,
  ArchiveIoError,
  generateKeyPair,
  loadPrivateKey,
  loadPublicKey,
  writeKeyFiles,
} from "../../../../src/archive/mod.ts";
import { namesIn, noise, readAll, streamOf, withTempDirectory } from "../_support.ts";
import { encrypted } from "./_encrypted.ts";

Deno.test("writeKeyFiles writes what loadPrivateKey and loadPublicKey read", async () => {
  await withTempDirectory(async (directory) => {
    const pair = await generateKeyPair();
    const paths = await writeKeyFiles(`${directory}/backup.key`, pair);
    assertEquals(paths, {
      privateKeyPath: `${directory}/backup.key`,
      publicKeyPath: `${directory}/backup.key.pub`,
    });
    const mode = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assertEquals(await mode(paths.privateKeyPath), 0o600);
    assertEquals(await mode(paths.publicKeyPath), 0o644);
    assertEquals(await Deno.readTextFile(paths.publicKeyPath), `${pair.publicKey}\n`);
    const text = await Deno.readTextFile(paths.privateKeyPath);
    assertMatch(text, /^-----BEGIN PRIVATE KEY-----\n/);
    assertMatch(text, /\n-----END PRIVATE KEY-----\n$/);
    assertEquals(text.split("\n").every((line) => line.length <= 64), true);

    const plaintext = noise(1000);
    const publicKey = await loadPublicKey(paths.publicKeyPath);
    const privateKey = await loadPrivateKey(paths.privateKeyPath);
    const ciphertext = streamOf(await encrypted(plaintext, publicKey));
    assertEquals(await readAll(decrypt(ciphertext, privateKey)), plaintext);
  });
});

Deno.test("writeKeyFiles replaces keys only when it is told to", async () => {
  await withTempDirectory(async (directory) => {
    const path = `${directory}/backup.key`;
    const [first, second] = [await generateKeyPair(), await generateKeyPair()];
    await writeKeyFiles(path, first);
    await assertRejects(() => writeKeyFiles(path, second), AlreadyExistsError, path);
    assertEquals(await Deno.readTextFile(path), first.privateKeyPem);
    await writeKeyFiles(path, second, { overwrite: true });
    assertEquals(await Deno.readTextFile(path), second.privateKeyPem);
    assertEquals(await namesIn(directory), ["backup.key", "backup.key.pub"]);
    await Deno.remove(path);
    await assertRejects(() => writeKeyFiles(path, second), AlreadyExistsError, `${path}.pub`);
    await assertRejects(
      () => writeKeyFiles(`${directory}/absent/key`, second),
      ArchiveIoError,
      "failed to write private key: no such file or directory",
    );
  });
});
