import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createRepository, openStore } from "../../src/kloset/mod.ts";
import { Bench, filesBelow } from "./_bench.ts";

/** Writes snapshots that belong to no backup, with the given files. */
async function writeSnapshots(bench: Bench, count: number, files: Record<string, string>) {
  await using repository = await createRepository(openStore(bench.repository), { jobs: 1 });
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const writer = await repository.createSnapshot({
      name: `snapshot ${index}`,
      importer: { type: "test", origin: "here", directory: "/" },
    });
    for (const [path, text] of Object.entries(files)) {
      await writer.addFile(path, new Blob([text]).stream());
    }
    await writer.commit();
    ids.push(writer.id);
  }
  return ids;
}

Deno.test("snapshots list says so when there is nothing, and keeps stdout empty", async () => {
  await using bench = await Bench.create();
  await writeSnapshots(bench, 1, { "/foreign": "not a backup of ours" });
  for (const format of ["text", "json"]) {
    const { stdout, stderr } = await bench.succeed(["snapshots", "list", "--log-format", format]);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, "No backups found in repository");
  }
});

Deno.test("snapshots commands need a repository that exists", async (t) => {
  await using bench = await Bench.create();
  for (const args of [["list"], ["show", "ab"], ["cat", "ab"], ["check"]]) {
    await t.step(args.join(" "), async () => {
      await bench.fail(
        ["snapshots", ...args],
        `failed to open plakar repository ${bench.repository}: there is none`,
      );
      assertEquals((await filesBelow(bench.root)).some((path) => path.includes("CONFIG")), false);
    });
  }
});

Deno.test("snapshots are found by a prefix of any length", async () => {
  await using bench = await Bench.create();
  // More snapshots than hex digits: two of them begin alike.
  const ids = await writeSnapshots(bench, 17, { "/a": "content" });
  const first = Map.groupBy(ids, (id) => id.slice(0, 1));
  const [digit = "", alike = []] = [...first].find(([, group]) => group.length > 1) ?? [];
  await bench.fail(
    ["snapshots", "show", digit],
    `ambiguous snapshot ID "${digit}": matches ${alike.length} snapshots; provide a longer prefix`,
  );
  const [id = ""] = alike;
  for (const prefix of [id, id.slice(0, 9), id.slice(0, 16).toUpperCase()]) {
    assertEquals((await bench.json(["snapshots", "show", prefix])).id, id);
  }
  await bench.fail(["snapshots", "show", "xyz"], 'invalid snapshot ID "xyz": not valid hex');
  const { code, stderr } = await bench.run(["snapshots", "show", "0".repeat(64)]);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^Error: snapshot not found: 0{64}\nAvailable snapshots: [0-9a-f]{16}(, [0-9a-f]{16}){16}\n$/,
  );
});

Deno.test("snapshots show tells header, tags and entries", async () => {
  await using bench = await Bench.create();
  const { components } = await bench.backUp();
  const { stdout } = await bench.succeed(["snapshots", "show", components[1].snapshot_id]);
  for (
    const text of [
      `Snapshot:  ${components[1].snapshot_id}`,
      "_postgres\n",
      "Source:    infrahub://",
      "  infrahub.component=postgres\n",
      "/prefect.dump\n",
    ]
  ) assertStringIncludes(stdout, text);
});

Deno.test("snapshots cat writes the only file, or the one that is named", async () => {
  await using bench = await Bench.create();
  const { components } = await bench.backUp();
  const id = components[1].snapshot_id;
  const { stdout } = await bench.start(["snapshots", "cat", id]).output();
  assertEquals(stdout, await Deno.readFile(bench.dump));
  const named = await bench.start(["snapshots", "cat", id, "/prefect.dump"]).output();
  assertEquals(named.stdout, stdout);
  await bench.fail(
    ["snapshots", "cat", id, "/nothing"],
    `no such file in snapshot ${id}: /nothing`,
  );
  await bench.fail(
    ["snapshots", "cat", id, "/"],
    `not a regular file in snapshot ${id}: / (directory)`,
  );
});

Deno.test("snapshots cat wants to know which one when there are several files", async () => {
  await using bench = await Bench.create();
  const [id = ""] = await writeSnapshots(bench, 1, { "/a": "text a", "/b": "text b" });
  await bench.fail(
    ["snapshots", "cat", id],
    `snapshot ${id.slice(0, 16)} contains several files; ` +
      'name one of them, as shown by "snapshots show"',
  );
  assertEquals((await bench.succeed(["snapshots", "cat", id, "b"])).stdout, "text b");
});

Deno.test("snapshots cat ends quietly when its reader has had enough", async () => {
  await using bench = await Bench.create();
  const { components } = await bench.backUp();
  const child = bench.start(["snapshots", "cat", components[0].snapshot_id]);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, stderr], [1, ""]);
});

Deno.test("snapshots check finds damage and says whom it hits", async () => {
  await using bench = await Bench.create();
  const { backup_id, components } = await bench.backUp();
  assertEquals(
    (await bench.succeed(["snapshots", "check"])).stdout,
    "3 snapshots checked: no damage found\n",
  );
  const packfiles: { path: string; size: number }[] = [];
  for (const path of await filesBelow(`${bench.repository}/packfiles`)) {
    packfiles.push({ path, size: (await Deno.stat(path)).size });
  }
  const { path: largest } = packfiles.reduce((a, b) => a.size > b.size ? a : b);
  // The largest packfile is the one of the Neo4j dump, and its middle is a chunk.
  const bytes = await Deno.readFile(largest);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
  await Deno.chmod(largest, 0o600);
  await Deno.writeFile(largest, bytes);

  const { code, stdout, stderr } = await bench.run(["snapshots", "check", "--quiet"]);
  assertEquals([code, stderr], [1, "Error: 1 of 3 snapshots are damaged\n"]);
  assertMatch(
    stdout,
    new RegExp(
      `^DAMAGED {2}snapshot ${components[0].snapshot_id}, /neo4j-backup\\.tar, ` +
        "chunk [0-9a-f]{64}, packfile [0-9a-f]{64}: .+",
    ),
  );
  assertStringIncludes(stdout, `\nDamaged backup ${backup_id}: neo4j\n`);

  const json = await bench.run(["snapshots", "check", "--log-format", "json"]);
  assertEquals(json.code, 1);
  const report = JSON.parse(json.stdout);
  assertEquals(report.ok, false);
  assertEquals(report.damage[0].snapshot_id, components[0].snapshot_id);
  assertEquals(report.damaged_groups, [{ backup_id, components: ["neo4j"] }]);

  // The others are sound, each by itself; and the whole backup is not.
  const others = components.slice(1).map((one: { snapshot_id: string }) => one.snapshot_id);
  await bench.succeed(["snapshots", "check", ...others]);
  assertEquals((await bench.run(["snapshots", "check", "--backup-id", backup_id])).code, 1);

  // Nothing comes out under a final name.
  const out = `${bench.root}/out`;
  const restore = await bench.run(["restore", "--to", out, "--quiet"]);
  assertEquals([restore.code, restore.stdout], [1, ""]);
  assertMatch(restore.stderr, /^Error: failed to extract neo4j snapshot: [^\n]+\n$/);
  assertEquals(await Deno.lstat(out).then(() => true, () => false), false);
  const cat = await bench.run(["snapshots", "cat", components[0].snapshot_id]);
  assertEquals(cat.code, 1);
});

Deno.test("snapshots check --fast looks at the structure", async () => {
  await using bench = await Bench.create();
  await bench.backUp();
  assertEquals((await bench.json(["snapshots", "check", "--fast"])).fast, true);
  for (const path of await filesBelow(`${bench.repository}/packfiles`)) await Deno.remove(path);
  const { code, stdout } = await bench.run(["snapshots", "check", "--fast"]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "DAMAGED");
});
