import { assert, assertEquals } from "@std/assert";
import { prose, randomBytes, randomStream } from "./content.ts";
import { Plakar } from "./plakar.ts";
import {
  countPackfiles,
  create,
  digestStream,
  IMPORTER,
  open,
  packfileBytes,
  readTree,
  sha256,
  store,
  streamOf,
  until,
  Workspace,
} from "./workspace.ts";

const MIB = 1 << 20;

Deno.test("plakar lists, checks, reads and restores streams of any length that we stored", async (t) => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const streams = [
    { name: "0 B", content: () => streamOf() },
    { name: "1 B", content: () => streamOf(new Uint8Array([7])) },
    { name: "512 KiB", content: () => streamOf(randomBytes(512 << 10, 1)) },
    { name: "8 MiB of zeros", content: () => streamOf(new Uint8Array(8 * MIB)) },
    { name: "8 MiB", content: () => randomStream(8, MIB, 2) },
    { name: "20 MB of text", content: () => streamOf(prose(20_000_000, 3)) },
    { name: "300 MB", content: () => randomStream(300, 1_000_000, 4) },
  ];
  const stored: { id: string; name: string; bytes: number; sha256: string }[] = [];
  for (const { name, content } of streams) {
    const id = await store(ours, "/neo4j.dump", content());
    stored.push({ id, name, ...await digestStream(content()) });
  }

  await t.step("ls", async () => {
    const listed = await plakar.snapshots(repository);
    assertEquals(listed.map(({ id }) => id).sort(), stored.map(({ id }) => id).sort());
    assertEquals(new Set(listed.map(({ directory }) => directory)), new Set(["/"]));
    for (const { id } of stored) {
      const lines = await plakar.list(repository, id);
      assertEquals(lines.length, 1);
      assert(lines[0]?.endsWith("/neo4j.dump") || lines[0]?.endsWith(" neo4j.dump"), lines[0]);
    }
  });
  await t.step("check", () => plakar.check(repository));
  for (const { name, id, bytes, sha256 } of stored) {
    await t.step(`cat ${name}`, async () => {
      assertEquals(await plakar.catDigest(repository, id, "/neo4j.dump"), { bytes, sha256 });
    });
  }
  for (const { name, id, bytes, sha256 } of stored) {
    await t.step(`restore ${name}`, async () => {
      const to = workspace.at(`restored ${name}`);
      await plakar.restore(repository, id, to);
      using file = await Deno.open(`${to}/neo4j.dump`);
      assertEquals(await digestStream(file.readable), { bytes, sha256 });
    });
  }
});

Deno.test("plakar restores a tree of 2,000 files that we stored, every byte, mode and link", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const writer = await ours.createSnapshot({ name: "tree", importer: IMPORTER });
  const expected: Record<string, unknown> = {};
  const directory = (path: string, mode: number) => {
    writer.addDirectory(path, { mode });
    expected[path] = { type: "directory", mode };
  };
  const file = async (path: string, content: Uint8Array, mode: number) => {
    await writer.addFile(path, streamOf(content), { mode });
    expected[path] = { type: "file", mode, sha256: sha256(content) };
  };
  const link = (path: string, target: string) => {
    writer.addSymlink(path, target);
    expected[path] = { type: "symlink", target };
  };
  writer.addDirectory("/", { mode: 0o755 });
  for (let folder = 0; folder < 20; folder++) {
    directory(`/folder ${folder}`, 0o750);
    directory(`/folder ${folder}/inner`, 0o755);
    for (let number = 0; number < 98; number++) {
      const where = number % 2 === 0 ? "inner/" : "";
      const content = randomBytes(number % 7 === 0 ? 0 : number * 37, folder * 1000 + number);
      await file(`/folder ${folder}/${where}file ${number}`, content, 0o600 + number % 64);
    }
  }
  for (const name of ["Ümläut ß", "日本語", "עברית", "🦕 \u{1F468}\u200D\u{1F469}", "new\nline"]) {
    await file(`/${name}`, new TextEncoder().encode(name), 0o644);
  }
  directory("/empty", 0o700);
  link("/link", "folder 0/file 1");
  link("/dangling", "../nowhere");
  await writer.commit();

  await plakar.check(repository, writer.id);
  const lines = await plakar.list(repository, writer.id, "/", true);
  assertEquals(lines.length, Object.keys(expected).length);
  const to = workspace.at("restored");
  await plakar.restore(repository, writer.id, to);
  const restored = await readTree(to);
  assertEquals(Object.keys(restored).sort(), Object.keys(expected).sort());
  assertEquals(restored, Object.fromEntries(Object.entries(expected).sort()) as typeof restored);
});

Deno.test("plakar reads two groups that our command line made, the second deduplicated", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  const dump = randomBytes(40 * MIB, 20);
  const tasks = prose(5_000_000, 21);
  const contents: Record<string, Uint8Array>[] = [];
  const sizes: number[] = [];
  for (let run = 0; run < 2; run++) {
    // Near the end: with these chunk sizes, cuts may need ten chunks to fall into step again.
    if (run > 0) dump.set(randomBytes(dump.length / 100, 22), 38 * MIB);
    await Deno.writeFile(workspace.at("neo4j.dump"), dump);
    await Deno.writeFile(workspace.at("prefect.dump"), tasks);
    contents.push({ "/neo4j.dump": dump.slice(), "/prefect.dump": tasks });
    await workspace.runTool(
      "create",
      "from-files",
      "--format=raw",
      "--backend=plakar",
      `--repo=${repository}`,
      `--neo4j-path=${workspace.at("neo4j.dump")}`,
      `--postgres-path=${workspace.at("prefect.dump")}`,
    );
    sizes.push(await packfileBytes(repository));
  }

  const [first = 0, both = 0] = sizes;
  assert(both - first < 0.12 * first, `the second group added ${both - first} of ${first} bytes`);
  await plakar.check(repository);
  const snapshots = await plakar.snapshots(repository);
  assertEquals(snapshots.length, 6);
  const found: string[] = [];
  for (const { id } of snapshots) {
    for (const path of ["/neo4j.dump", "/prefect.dump", "/backup_information.json"]) {
      const { code, stdout } = await plakar.tryRun(repository, ["cat", `${id}:${path}`]);
      if (code === 0) found.push(`${path} ${sha256(stdout)}`);
    }
  }
  const information = found.filter((line) => line.startsWith("/backup_information.json"));
  assertEquals(information.length, 2);
  assertEquals(
    found.filter((line) => !information.includes(line)).sort(),
    contents.flatMap((group) =>
      Object.entries(group).map(([path, content]) => `${path} ${sha256(content)}`)
    ).sort(),
  );
});

Deno.test("plakar finds a repository sound after our backup was killed, and after the next", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  await using ours = await create(repository);
  const before = await store(ours, "/neo4j.dump", streamOf(randomBytes(3 * MIB, 30)));
  const packfiles = await countPackfiles(repository);

  // The dump command never ends by itself: the tool is killed in the middle, whatever the machine.
  const endless = `sh -c 'echo $$ > ${workspace.at("pid")}; exec cat /dev/urandom'`;
  const command = [
    "create",
    "from-commands",
    "--format=raw",
    "--backend=plakar",
    `--repo=${repository}`,
  ];
  const child = workspace.tool([...command, `--neo4j-command=${endless}`]).spawn();
  const output = Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  try {
    await until("a packfile of the backup", async () => {
      return await countPackfiles(repository) > packfiles;
    });
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await output;
    await endCommand(workspace.at("pid"));
  }

  await plakar.check(repository);
  assertEquals((await plakar.snapshots(repository)).map(({ id }) => id), [before]);
  const text = prose(2_000_000, 31);
  await Deno.writeFile(workspace.at("prose"), text);
  await workspace.runTool(...command, `--neo4j-command=cat ${workspace.at("prose")}`);
  await plakar.check(repository);
  const after = await plakar.snapshots(repository);
  assertEquals(after.length, 3);
  const digests: string[] = [];
  for (const { id } of after) {
    const { code, stdout } = await plakar.tryRun(repository, ["cat", `${id}:/neo4j-backup.tar`]);
    if (code === 0) digests.push(sha256(stdout));
  }
  assertEquals(digests, [sha256(text)]);
  await using reopened = await open(repository);
  const { unreadable } = await reopened.snapshots();
  assertEquals(unreadable, []);
});

Deno.test("plakar reads a backup that was made after a packfile was lost", async () => {
  await using workspace = await Workspace.make();
  await using plakar = await Plakar.start();
  const repository = workspace.at("repository");
  const dump = randomBytes(5 * MIB, 41);
  {
    await using ours = await create(repository);
    await store(ours, "/neo4j.dump", streamOf(dump));
  }
  const packfiles: { path: string; size: number }[] = [];
  for await (const folder of Deno.readDir(`${repository}/packfiles`)) {
    for await (const { name } of Deno.readDir(`${repository}/packfiles/${folder.name}`)) {
      const path = `${repository}/packfiles/${folder.name}/${name}`;
      packfiles.push({ path, size: (await Deno.stat(path)).size });
    }
  }
  packfiles.sort((a, b) => b.size - a.size);
  await Deno.remove(packfiles[0]!.path);

  await using ours = await open(repository);
  const again = await store(ours, "/neo4j.dump", streamOf(dump));
  assertEquals(await plakar.catDigest(repository, again, "/neo4j.dump"), {
    bytes: dump.length,
    sha256: sha256(dump),
  });
  await plakar.check(repository, again);
});

/** Ends the dump command that wrote its id to a file: its parent is gone. */
async function endCommand(pidFile: string): Promise<void> {
  try {
    Deno.kill(Number(await Deno.readTextFile(pidFile)), "SIGKILL");
  } catch (error) {
    // A closed pipe has ended it already.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
