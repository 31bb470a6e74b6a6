import { assert, assertEquals } from "@std/assert";
import { prose, randomBytes, randomStream } from "./content.ts";
import { Plakar } from "./plakar.ts";
import {
  create,
  digestOf,
  filesUnder,
  open,
  packfileBytes,
  sha256,
  store,
  streamOf,
  Workspace,
} from "./workspace.ts";

/** What a repository is expected to hold: by snapshot id, the path of its file and its SHA-256. */
type Expected = Map<string, { path: string; sha256: string }>;

/** Both programs list exactly these snapshots, read them, and find them sound. */
async function assertBothAgree(plakar: Plakar, repository: string, expected: Expected) {
  await plakar.check(repository);
  const listed = (await plakar.snapshots(repository)).map(({ id }) => id);
  assertEquals(listed.sort(), [...expected.keys()].sort());
  await using ours = await open(repository);
  const { headers, unreadable } = await ours.snapshots();
  assertEquals(unreadable, []);
  assertEquals(headers.map(({ identifier }) => identifier).sort(), listed);
  for (const [id, { path, sha256 }] of expected) {
    assertEquals((await plakar.catDigest(repository, id, path)).sha256, sha256);
    const snapshot = await ours.openSnapshot(id);
    assertEquals((await digestOf(snapshot, path)).sha256, sha256);
    assertEquals(await snapshot.check(), []);
  }
}

for (const begunBy of ["plakar", "us"] as const) {
  Deno.test(`a repository begun by ${begunBy} and written by both in turn is sound to both`, async () => {
    await using workspace = await Workspace.make();
    await using plakar = await Plakar.start();
    const repository = workspace.at("repository");
    if (begunBy === "plakar") await plakar.create(repository);
    else await (await create(repository)).close();
    const expected: Expected = new Map();
    const content = randomBytes(6_000_000, 1);
    for (let turn = 0; turn < 6; turn++) {
      content.set(prose(100_000, turn), turn * 900_000);
      const digest = sha256(content);
      if (turn % 2 === 0) {
        await using ours = await open(repository);
        const id = await store(ours, "/neo4j.dump", streamOf(content));
        expected.set(id, { path: "/neo4j.dump", sha256: digest });
      } else {
        const id = await plakar.backupStream(repository, "plakar.dump", content);
        expected.set(id, { path: "/plakar.dump", sha256: digest });
      }
      await assertBothAgree(plakar, repository, expected);
    }

    // One of each removed by plakar, its packfiles collected; then both go on.
    for (const id of [...expected.keys()].slice(0, 2)) {
      await plakar.remove(repository, id);
      expected.delete(id);
    }
    await plakar.maintenance(repository);
    await assertBothAgree(plakar, repository, expected);
    await plakar.maintenance(repository);
    await assertBothAgree(plakar, repository, expected);
    {
      // Chunks of the removed snapshots must not be taken for stored.
      await using ours = await open(repository);
      const first = randomBytes(6_000_000, 1);
      first.set(prose(100_000, 0), 0);
      const id = await store(ours, "/neo4j.dump", streamOf(first));
      expected.set(id, { path: "/neo4j.dump", sha256: sha256(first) });
    }
    await assertBothAgree(plakar, repository, expected);
  });
}

Deno.test("two backups at once, one of plakar's and one of ours, both succeed", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const [mine, theirs] = [randomBytes(20_000_000, 1), randomBytes(20_000_000, 2)];
  const [id] = await Promise.all([
    store(ours, "/neo4j.dump", streamOf(mine)),
    plakar.run(repository, ["backup", "-no-progress", "stdin:dump"], { stdin: theirs }),
  ]);
  const other = (await plakar.snapshots(repository)).find((found) => found.id !== id);
  await assertBothAgree(
    plakar,
    repository,
    new Map([
      [id, { path: "/neo4j.dump", sha256: sha256(mine) }],
      [other?.id ?? "none", { path: "/dump", sha256: sha256(theirs) }],
    ]),
  );
});

const STREAM_BYTES = 256_000_000;
const stream = () => randomStream(256, 1_000_000, 40);

Deno.test("plakar adds under 1 % when it backs up bytes that we stored", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  await store(ours, "/neo4j.dump", stream());
  const before = await packfileBytes(repository);
  assert(before >= STREAM_BYTES);
  await plakar.backupStream(repository, "dump", stream());
  const added = await packfileBytes(repository) - before;
  assert(added < STREAM_BYTES / 100, `plakar added ${added} bytes`);
});

Deno.test("we add under 1 % when we back up bytes that plakar stored", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository);
  await plakar.backupStream(repository, "dump", stream());
  const before = await packfileBytes(repository);
  assert(before >= STREAM_BYTES);
  await using ours = await open(repository);
  await store(ours, "/neo4j.dump", stream());
  const added = await packfileBytes(repository) - before;
  assert(added < STREAM_BYTES / 100, `we added ${added} bytes`);
});

Deno.test("plakar's maintenance keeps all that our snapshots need, and leaves no orphan behind", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const contents = Array.from({ length: 4 }, (_, seed) => randomBytes(3_000_000, seed + 50));
  const expected: Expected = new Map();
  for (const content of contents) {
    const id = await store(ours, "/neo4j.dump", streamOf(content));
    expected.set(id, { path: "/neo4j.dump", sha256: sha256(content) });
  }
  await plakar.maintenance(repository);
  await plakar.maintenance(repository);
  await assertBothAgree(plakar, repository, expected);
  const before = await packfileBytes(repository);
  const [gone = ""] = expected.keys();
  await plakar.remove(repository, gone);
  expected.delete(gone);
  await plakar.maintenance(repository);
  await plakar.maintenance(repository);
  await assertBothAgree(plakar, repository, expected);
  const freed = before - await packfileBytes(repository);
  assert(freed > 3_000_000, `freed ${freed} bytes`);
});

Deno.test("plakar's sync copies a snapshot of ours into a repository of its own", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const [repository, copy] = [workspace.at("repository"), workspace.at("copy")];
  await using ours = await create(repository);
  const content = prose(4_000_000, 60);
  const id = await store(ours, "/neo4j.dump", streamOf(content));
  await plakar.create(copy);
  await plakar.run(repository, ["sync", "to", copy]);
  await assertBothAgree(
    plakar,
    copy,
    new Map([[id, { path: "/neo4j.dump", sha256: sha256(content) }]]),
  );
});

Deno.test("our backups leave no lock and no temporary file", async () => {
  await using workspace = await Workspace.make();
  const repository = workspace.at("repository");
  {
    await using ours = await create(repository);
    await store(ours, "/neo4j.dump", streamOf(randomBytes(1_000_000, 70)));
  }
  for await (const path of filesUnder(repository)) {
    assert(/\/(CONFIG|(packfiles|states)\/[0-9a-f]{2}\/[0-9a-f]{64})$/.test(path), path);
  }
});
