/**
 * Encrypted repositories, made by either program and read by the other.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CorruptionError,
  createRepository,
  openStore,
  WrongPassphraseError,
} from "../../src/kloset/mod.ts";
import { prose, randomBytes, randomStream } from "./content.ts";
import { Plakar } from "./plakar.ts";
import {
  create,
  digestOf,
  digestStream,
  filesUnder,
  open,
  readTree,
  sha256,
  stateVersions,
  store,
  streamOf,
  Workspace,
} from "./workspace.ts";

const PASSPHRASE = "correct horse battery staple, 2026 ünïcode";
const MIB = 1 << 20;

Deno.test("plakar lists, checks, reads and restores what we stored encrypted", async (t) => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  plakar.setPassphrase(repository, PASSPHRASE);
  await using ours = await create(repository, PASSPHRASE);
  const streams = [
    { name: "0 B", content: () => streamOf() },
    { name: "1 B", content: () => streamOf(new Uint8Array([7])) },
    { name: "64 KiB", content: () => streamOf(randomBytes(64 << 10, 1)) },
    { name: "8 MiB of zeros", content: () => streamOf(new Uint8Array(8 * MIB)) },
    { name: "20 MB of text", content: () => streamOf(prose(20_000_000, 3)) },
    { name: "100 MB", content: () => randomStream(100, 1_000_000, 4) },
  ];
  const stored: { id: string; name: string; bytes: number; sha256: string }[] = [];
  for (const { name, content } of streams) {
    const id = await store(ours, "/neo4j.dump", content());
    stored.push({ id, name, ...await digestStream(content()) });
  }
  const listed = await plakar.snapshots(repository);
  assertEquals(listed.map(({ id }) => id).sort(), stored.map(({ id }) => id).sort());
  await plakar.check(repository);
  for (const { name, id, bytes, sha256 } of stored) {
    await t.step(name, async () => {
      assertEquals(await plakar.catDigest(repository, id, "/neo4j.dump"), { bytes, sha256 });
      const to = workspace.at(`restored ${name}`);
      await plakar.restore(repository, id, to);
      using file = await Deno.open(`${to}/neo4j.dump`);
      assertEquals(await digestStream(file.readable), { bytes, sha256 });
    });
  }
  await t.step("another passphrase", async () => {
    plakar.setPassphrase(repository, `${PASSPHRASE}!`);
    const { code } = await plakar.tryRun(repository, ["ls"]);
    assert(code !== 0);
  });
});

for (
  const options of [{}, { compression: false }, { hashing: "SHA256" }] as const
) {
  Deno.test(`we read, check and go on with an encrypted repository of plakar, ${JSON.stringify(options)}`, async () => {
    await using workspace = await Workspace.make();
    await using plakar = await Plakar.start();
    const repository = workspace.at("repository");
    await plakar.create(repository, { passphrase: PASSPHRASE, ...options });
    await Deno.mkdir(workspace.at("tree/inner"), { recursive: true });
    for (const [i, name] of ["a", "inner/b", "inner/c"].entries()) {
      await Deno.writeFile(workspace.at(`tree/${name}`), randomBytes(i * 70_000, i));
    }
    const tree = await plakar.backup(repository, workspace.at("tree"));
    const dump = randomBytes(20 * MIB, 9);
    const stream = await plakar.backupStream(repository, "dump", dump);
    const before = await readTree(repository);
    {
      await using ours = await open(repository, PASSPHRASE);
      const { headers, unreadable } = await ours.snapshots();
      assertEquals(unreadable, []);
      assertEquals(headers.map(({ identifier }) => identifier), [tree, stream]);
      for (const id of [tree, stream]) {
        assertEquals(await (await ours.openSnapshot(id)).check(), []);
      }
      const { sha256: digest } = await digestOf(await ours.openSnapshot(stream), "/dump");
      assertEquals(digest, sha256(dump));
    }
    assertEquals(await readTree(repository), before);
    await assertRejects(() => open(repository, "another passphrase"), WrongPassphraseError);
    assertEquals(await readTree(repository), before);

    // The same content, stored by us: chunks of plakar are found by their keyed ids.
    const content = new Uint8Array(dump.length + 100_000);
    content.set(dump);
    let own: string;
    {
      await using ours = await open(repository, PASSPHRASE);
      const writer = await ours.createSnapshot({
        name: "again",
        importer: { type: "interop", origin: "here", directory: "/" },
      });
      await writer.addFile("/dump", streamOf(content));
      await writer.commit();
      own = writer.id;
      const { chunks, chunksNew } = writer.statistics;
      assert(chunksNew < chunks / 3, `${chunksNew} of ${chunks} chunks are new`);
    }
    assertEquals(await stateVersions(repository), ["1.1.0"]);
    await plakar.check(repository);
    assertEquals((await plakar.catDigest(repository, own, "/dump")).sha256, sha256(content));
    await plakar.remove(repository, stream);
    await using ours = await open(repository, PASSPHRASE);
    const ids = (await ours.snapshots()).headers.map(({ identifier }) => identifier);
    assertEquals(ids, [tree, own]);
  });
}

Deno.test("nothing that we store encrypted shows the content, the names or the host", async () => {
  await using workspace = await Workspace.make();
  const repository = workspace.at("repository");
  const line = new TextEncoder().encode("attribute-value-that-nobody-may-see\n");
  const content = new Uint8Array(3 * MIB);
  for (let at = 0; at + line.length < content.length; at += line.length) content.set(line, at);
  {
    await using ours = await createRepository(openStore(repository), {
      encrypt: true,
      passphrase: () => Promise.resolve(new TextEncoder().encode(PASSPHRASE)),
      hostname: "host-that-nobody-may-see",
    });
    await store(ours, "/file-name-that-nobody-may-see", streamOf(content));
  }
  const secrets = ["that-nobody-may-see", PASSPHRASE, "application/octet"];
  for await (const path of filesUnder(repository)) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(path));
    for (const secret of secrets) assert(!text.includes(secret), `${path} shows ${secret}`);
  }
});

Deno.test("plakar and we find damage in an encrypted chunk", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  plakar.setPassphrase(repository, PASSPHRASE);
  let id: string;
  {
    await using ours = await create(repository, PASSPHRASE);
    id = await store(ours, "/dump", streamOf(randomBytes(4 * MIB, 5)));
  }
  let largest = { path: "", size: 0 };
  for await (const path of filesUnder(`${repository}/packfiles`)) {
    const { size } = await Deno.stat(path);
    if (size > largest.size) largest = { path, size };
  }
  const bytes = await Deno.readFile(largest.path);
  bytes[1_000_000]! ^= 1;
  await Deno.writeFile(largest.path, bytes);
  const { code } = await plakar.tryRun(repository, ["check"]);
  assert(code !== 0, "plakar finds it");
  await using ours = await open(repository, PASSPHRASE);
  const snapshot = await ours.openSnapshot(id);
  const error = await assertRejects(() => digestOf(snapshot, "/dump"), CorruptionError);
  assert(error.message.includes("authentication tag"), error.message);
  assert((await snapshot.check()).length > 0);
});
