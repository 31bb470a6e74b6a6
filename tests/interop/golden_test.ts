/**
 * The golden repositories, read by our engine and our command line. Needs no plakar.
 *
 * @module
 */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  EncryptedRepositoryError,
  type SnapshotReader,
  WrongPassphraseError,
} from "../../src/kloset/mod.ts";
import { type GoldenEntry, goldenNames, GoldenRepository } from "../fixtures/golden.ts";
import { digestOf, open, stateVersions, store, streamOf, Workspace } from "./workspace.ts";

/** What the snapshot holds, in the form of a golden description, by path. */
async function entriesOf(
  snapshot: SnapshotReader,
  expected: readonly GoldenEntry[],
): Promise<GoldenEntry[]> {
  const timed = new Set(
    expected.filter(({ mtime }) => mtime !== undefined).map(({ path }) => path),
  );
  const entries: GoldenEntry[] = [];
  for await (const { path, type, mode, size, mtime, linkTarget } of snapshot.entries()) {
    if (type === "other") throw new Error(`Unexpected entry of another type: ${path}`);
    const content = type === "file" ? await digestOf(snapshot, path) : undefined;
    if (content !== undefined) assertEquals(content.bytes, size, path);
    entries.push({
      path,
      type,
      mode,
      ...(content && { size, sha256: content.sha256 }),
      ...(type === "symlink" && { target: linkTarget ?? "" }),
      ...(timed.has(path) && { mtime: mtime.getTime() / 1000 }),
    });
  }
  return entries.sort(byPath);
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

Deno.test("golden repositories of plakar are read, byte for byte", async (t) => {
  for (const name of goldenNames()) {
    await t.step(name, async () => {
      await using repository = await GoldenRepository.unpack(name);
      const { golden, path } = repository;
      assertEquals(await stateVersions(path), [...golden.stateVersions]);
      if (golden.passphrase !== undefined) {
        await assertRejects(async () => {
          await using _opened = await open(path);
        }, EncryptedRepositoryError);
        await assertRejects(async () => {
          await using _opened = await open(path, `${golden.passphrase}!`);
        }, WrongPassphraseError);
      }
      await using opened = await open(path, golden.passphrase);
      const { headers, unreadable } = await opened.snapshots();
      assertEquals(unreadable, []);
      assertEquals(
        headers.map(({ identifier, name, tags, importer: { type, directory } }) => {
          return { id: identifier, name, tags, importer: { type, directory } };
        }),
        golden.snapshots.map(({ id, name, tags, importer }) => ({
          id,
          name,
          tags: [...tags],
          importer,
        })),
      );
      for (const { id, entries, errors = [] } of golden.snapshots) {
        const snapshot = await opened.openSnapshot(id);
        assertEquals((await snapshot.errors()).map(({ path }) => path), [...errors]);
        assertEquals(await entriesOf(snapshot, entries), entries.toSorted(byPath));
        assertEquals(await snapshot.check(), []);
      }
      for (const id of golden.removed) await assertRejects(() => opened.openSnapshot(id));
    });
  }
});

Deno.test("golden repositories take a further snapshot, in their own flavour", async (t) => {
  for (const name of goldenNames()) {
    await t.step(name, async () => {
      await using repository = await GoldenRepository.unpack(name);
      const { golden, path } = repository;
      const content = new TextEncoder().encode("one more\n");
      let id = "";
      {
        await using opened = await open(path, golden.passphrase);
        id = await store(opened, "/more", streamOf(content));
      }
      assertEquals(await stateVersions(path), [...golden.stateVersions]);
      await using opened = await open(path, golden.passphrase);
      const { headers } = await opened.snapshots();
      const ids = headers.map(({ identifier }) => identifier);
      assertEquals(ids.sort(), [...golden.snapshots.map(({ id }) => id), id].sort());
      assertEquals((await digestOf(await opened.openSnapshot(id), "/more")).bytes, 9);
    });
  }
});

Deno.test("the command line lists, checks and reads the golden repository of 1.0", async () => {
  await using workspace = await Workspace.make();
  await using repository = await GoldenRepository.unpack("flavour_1_0");
  const { golden, path } = repository;
  const at = `--repo=${path}`;
  const listing = JSON.parse(
    await workspace.runTool("snapshots", "list", at, "--log-format=json"),
  );
  assertEquals(
    listing.map((group: { backup_id: string }) => group.backup_id),
    ["20240507_070809", "20240506_070809"],
  );
  // All bytes are there; that they are no dumps is what a check tells of them, and nothing else.
  const check = await workspace.tryTool("snapshots", "check", at, "--log-format=json");
  const { damage } = JSON.parse(check.stdout);
  for (const { message } of damage) assertStringIncludes(message, "not a whole dump");
  const [first] = golden.snapshots;
  const cat = workspace.tool(["snapshots", "cat", at, first?.id ?? "", "/neo4j.dump"]);
  const { stdout } = await cat.output();
  assertEquals(stdout.length, first?.entries[1]?.size);
});
