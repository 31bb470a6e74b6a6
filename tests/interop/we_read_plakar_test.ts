import { assert, assertEquals, assertRejects } from "@std/assert";
import { configureRepository } from "./configure.ts";
import { prose, randomBytes, randomStream } from "./content.ts";
import { Plakar } from "./plakar.ts";
import { EncryptedRepositoryError } from "../../src/kloset/mod.ts";
import {
  digestOf,
  digestStream,
  open,
  readTree,
  sha256,
  snapshotTree,
  Workspace,
} from "./workspace.ts";

async function write(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(path, bytes);
}

/** Checks a snapshot of ours or theirs: every byte equal to the source on the disk, and sound. */
async function assertSameTree(repository: string, id: string, source: string): Promise<number> {
  await using opened = await open(repository);
  const snapshot = await opened.openSnapshot(id);
  assertEquals(await snapshot.check(), []);
  const [stored, expected] = [await snapshotTree(snapshot, source), await readTree(source)];
  assertEquals(Object.keys(stored), Object.keys(expected));
  assertEquals(stored, expected);
  return Object.keys(stored).length;
}

Deno.test("we read 10,000 files that plakar stored", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const [repository, source] = [workspace.at("repository"), workspace.at("source")];
  for (let folder = 0; folder < 100; folder++) {
    const path = `${source}/${folder % 10}/${folder}`;
    await Deno.mkdir(path, { recursive: true });
    for (let file = 0; file < 100; file++) {
      await write(`${path}/${file}.txt`, `${folder} ${file}\n`.repeat(file));
    }
  }
  await plakar.create(repository);
  const id = await plakar.backup(repository, source);
  assertEquals(await assertSameTree(repository, id, source), 10_000 + 100 + 10);
});

Deno.test("we read a tree 60 levels deep that plakar stored", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const [repository, source] = [workspace.at("repository"), workspace.at("source")];
  let path = source;
  for (let level = 0; level < 60; level++) {
    await Deno.mkdir(path);
    for (let file = 0; file < 5; file++) await write(`${path}/file ${file}`, `${level}`);
    path += `/level ${level}`;
  }
  await plakar.create(repository);
  const id = await plakar.backup(repository, source);
  assertEquals(await assertSameTree(repository, id, source), 59 + 60 * 5);
});

for (const compression of ["LZ4", "GZIP", "none"] as const) {
  Deno.test(`we read names, modes, links and contents of any kind from plakar, compression ${compression}`, async () => {
    await using workspace = await Workspace.make();
    await using plakar = await Plakar.start();
    const [repository, source] = [workspace.at("repository"), workspace.at("source")];
    await Deno.mkdir(`${source}/日本語/ディレクトリ`, { recursive: true });
    await Deno.mkdir(`${source}/empty`);
    await Deno.chmod(`${source}/empty`, 0o700);
    const contents: Record<string, Uint8Array | string> = {
      "empty file": "",
      "one byte": "x",
      "prose": prose(9_000_000, 1),
      "noise": randomBytes(3_000_000, 2),
      "zeros": new Uint8Array(17 << 20),
      "Ümläut ß": "umlaut",
      "u\u0308": "decomposed",
      "日本語/ディレクトリ/ファイル": "CJK",
      "עברית": "right to left",
      "🦕 \u{1F468}\u200D\u{1F469}": "emoji",
      "new\nline\tand tab": "control characters",
      "-rf *": "shell",
      [`${"n".repeat(255)}`]: "longest name",
    };
    for (const [name, content] of Object.entries(contents)) {
      await write(`${source}/${name}`, content);
    }
    await Deno.chmod(`${source}/one byte`, 0o4711);
    await Deno.symlink("prose", `${source}/link`);
    await Deno.symlink("../../nowhere", `${source}/dangling`);
    await plakar.create(repository, { compression: compression !== "none" });
    if (compression === "GZIP") await configureRepository(repository, { compression });
    const id = await plakar.backup(repository, source);
    assertEquals(await assertSameTree(repository, id, source), 18);
  });
}

Deno.test("we read a SHA256 repository that plakar wrote", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const [repository, source] = [workspace.at("repository"), workspace.at("source")];
  await Deno.mkdir(source);
  await write(`${source}/prose`, prose(3_000_000, 1));
  await plakar.create(repository, { hashing: "SHA256" });
  const id = await plakar.backup(repository, source);
  assertEquals(await assertSameTree(repository, id, source), 1);
});

Deno.test("we read streams that plakar stored, by our command line as well", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository);
  const streams = [
    { name: "empty", content: () => randomStream(0, 0, 0) },
    { name: "byte", content: () => randomStream(1, 1, 1) },
    { name: "big", content: () => randomStream(150, 1_000_000, 2) },
  ];
  const ids: string[] = [];
  for (const { name, content } of streams) {
    ids.push(await plakar.backupStream(repository, name, content()));
  }
  await using opened = await open(repository);
  const { headers, unreadable } = await opened.snapshots();
  assertEquals(unreadable, []);
  assertEquals(headers.map(({ identifier }) => identifier), ids);
  for (const [index, { name, content }] of streams.entries()) {
    const want = await digestStream(content());
    const snapshot = await opened.openSnapshot(ids[index] ?? "");
    assertEquals(await digestOf(snapshot, `/${name}`), want);
    assertEquals(await digestStream(snapshot.read(`/${name}`)), want);
    assertEquals(await snapshot.check(), []);
    const cat = workspace.tool([
      "snapshots",
      "cat",
      `--repo=${repository}`,
      (ids[index] ?? "").slice(0, 8),
      `/${name}`,
    ]);
    const { code, stdout, stderr } = await cat.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(sha256(stdout), want.sha256);
  }
  const checked = await workspace.tryTool("snapshots", "check", `--repo=${repository}`);
  assertEquals(checked.code, 0, checked.stderr);
});

Deno.test("we see what is left after plakar removed snapshots and collected packfiles", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository);
  const contents = Array.from({ length: 6 }, (_, seed) => randomBytes(2_000_000, seed));
  const ids: string[] = [];
  for (const content of contents) {
    ids.push(await plakar.backupStream(repository, "dump", content));
  }
  const assertLeft = async (left: readonly number[]) => {
    await using opened = await open(repository);
    const { headers, unreadable } = await opened.snapshots();
    assertEquals(unreadable, []);
    assertEquals(headers.map(({ identifier }) => identifier), left.map((index) => ids[index]));
    for (const index of left) {
      const snapshot = await opened.openSnapshot(ids[index] ?? "");
      const want = sha256(contents[index] ?? new Uint8Array());
      assertEquals((await digestOf(snapshot, "/dump")).sha256, want);
      assertEquals(await snapshot.check(), []);
    }
  };
  await assertLeft([0, 1, 2, 3, 4, 5]);
  await plakar.remove(repository, ids[1] ?? "");
  await assertLeft([0, 2, 3, 4, 5]);
  // The first pass colours packfiles, the second deletes them; each leaves a state of its own.
  await plakar.maintenance(repository);
  await assertLeft([0, 2, 3, 4, 5]);
  await plakar.maintenance(repository);
  await assertLeft([0, 2, 3, 4, 5]);
  await plakar.remove(repository, ids[5] ?? "");
  await plakar.remove(repository, ids[0] ?? "");
  await assertLeft([2, 3, 4]);
});

Deno.test("without its passphrase we refuse an encrypted repository of plakar, and write nothing to it", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await plakar.create(repository, { passphrase: "correct horse battery staple, 2024" });
  await plakar.backupStream(repository, "dump", new Uint8Array(10));
  const before = await readTree(repository);
  await assertRejects(async () => {
    await using _opened = await open(repository);
  }, EncryptedRepositoryError);
  await write(workspace.at("neo4j.dump"), "x");
  for (
    const command of [
      ["snapshots", "list"],
      ["snapshots", "check"],
      ["create", "from-files", `--neo4j-path=${workspace.at("neo4j.dump")}`, "--backend=plakar"],
    ]
  ) {
    const { code, stderr } = await workspace.tryTool(...command, `--repo=${repository}`);
    assertEquals(code, 1);
    assert(/encrypt/i.test(stderr), stderr);
  }
  assertEquals(await readTree(repository), before);
});
