import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bench, exists, noise } from "./_bench.ts";
import { neo4jDump } from "../fixtures/small_dumps.ts";

Deno.test("a backup from files comes back byte for byte", async () => {
  await using bench = await Bench.create();
  const created = await bench.succeed([
    "create",
    "from-files",
    "--neo4j-path",
    bench.neo4j,
    "--postgres-path",
    bench.dump,
    "--infrahub-version",
    "1.2.0",
  ]);
  assertMatch(created.stdout, /^Backup \d{8}_\d{6} complete: 3 components, [^\n]*\n$/);
  for (
    const line of [
      'msg="Neo4j edition derived from path" neo4j_edition=enterprise',
      `msg="Creating new Plakar repository: ${bench.repository}"`,
      `msg="Plakar repository created: ${bench.repository}"`,
      'msg="Creating Plakar streaming backup" backup_id=',
      'msg="Creating snapshot for component: neo4j"',
      'msg="Component snapshot created" component=neo4j new=',
      'msg="Component snapshot created" component=postgres new=',
      'msg="Component snapshot created" component=metadata new=',
      'msg="Plakar streaming backup completed successfully" backup_id=',
    ]
  ) assertStringIncludes(created.stderr, line);

  const [group] = await bench.json(["snapshots", "list"]);
  assertEquals(group.status, "complete");
  assertEquals([group.infrahub_version, group.neo4j_edition], ["1.2.0", "enterprise"]);
  assertEquals(group.components, ["neo4j", "postgres", "metadata"]);

  const out = `${bench.root}/out`;
  const restored = await bench.succeed(["restore", "--to", out]);
  assertMatch(
    restored.stdout,
    /^Backup \d{8}_\d{6} of \S+ restored to [^\n]*: 3 files, [^\n]*verified\n$/,
  );
  assertEquals(await Deno.readFile(`${out}/prefect.dump`), await Deno.readFile(bench.dump));
  const metadata = JSON.parse(await Deno.readTextFile(`${out}/backup_information.json`));
  assertEquals(metadata.backup_id, `infrahub_backup_${group.backup_id}`);
  await Deno.mkdir(`${out}/unpacked`);
  const unpack = ["-xf", `${out}/neo4j-backup.tar`, "-C", `${out}/unpacked`];
  await new Deno.Command("tar", { args: unpack }).output();
  const diff = await new Deno.Command("diff", {
    args: ["-r", bench.neo4j, `${out}/unpacked/infrahubops`],
  }).output();
  assertEquals([diff.code, new TextDecoder().decode(diff.stdout)], [0, ""]);
  await bench.assertSound();
});

Deno.test("a second backup of the same files adds next to nothing", async () => {
  await using bench = await Bench.create();
  const first = await bench.backUp();
  // What an export does: the same content in new files.
  await Deno.utime(`${bench.neo4j}/neo4j.conf`, 1, 1);
  const second = await bench.backUp();
  assert(second.backup_id > first.backup_id);
  assertEquals(second.totals.bytes_read, first.totals.bytes_read);
  const [neo4j, postgres] = second.components;
  assertEquals([neo4j.bytes_new, postgres.bytes_new], [0, 0]);
  assert(second.totals.bytes_stored < 100_000, `${second.totals.bytes_stored}`);
  assertEquals(
    first.components.map((component: { component: string }) => component.component),
    ["neo4j", "postgres", "metadata"],
  );
});

Deno.test("a Community dump is stored as it is, under its own name", async () => {
  await using bench = await Bench.create();
  const path = `${bench.root}/neo4j.dump`;
  await Deno.writeFile(path, neo4jDump(noise(3, 100_000)));
  const result = await bench.json(["create", "from-files", "--neo4j-path", path]);
  assertEquals(result.components.length, 2);
  const id = result.components[0].snapshot_id;
  const shown = await bench.json(["snapshots", "show", id]);
  assertEquals(
    shown.entries.map((entry: { path: string; mode: string }) => [entry.path, entry.mode]),
    [["/", "0755"], ["/neo4j.dump", "0644"]],
  );
  assertEquals(shown.tags.slice(0, 7), [
    `infrahub.backup-id=${result.backup_id}`,
    "infrahub.component=neo4j",
    "infrahub.backup-status=complete",
    "infrahub.version=",
    shown.tags[4],
    "infrahub.neo4j-edition=community",
    "infrahub.components=neo4j,metadata",
  ]);
  // After those that the Go tool knows: whose it is.
  const origin = shown.tags.slice(7).map((tag: string) => tag.slice(0, tag.indexOf("=")));
  assertEquals(origin, ["infrahub.host", "infrahub.run"]);
  assertMatch(shown.tags[4], /^infrahub\.backup-tool-version=\d+\.\d+\.\d+/);
  assertEquals(shown.name, `${result.backup_id}_neo4j`);
  assertEquals([shown.source.type, shown.source.directory], ["infrahub", "/"]);
});

Deno.test("backups within one second get different ids", async () => {
  await using bench = await Bench.create();
  const path = `${bench.root}/neo4j.dump`;
  await Deno.writeFile(path, neo4jDump("dump"));
  const ids = new Set<string>();
  for (let count = 0; count < 3; count++) {
    ids.add((await bench.json(["create", "from-files", "--neo4j-path", path])).backup_id);
  }
  assertEquals(ids.size, 3);
});

Deno.test("bad input is one line, exit 1, and no repository", async (t) => {
  await using bench = await Bench.create();
  const { root, neo4j, dump, repository } = bench;
  await Deno.writeTextFile(`${root}/empty.dump`, "");
  await Deno.mkdir(`${root}/hollow`);
  const create = ["create", "from-files", "--neo4j-path"];
  const rows: [string, string[], string | RegExp, string[]?][] = [
    [
      "missing neo4j path",
      [...create, `${root}/none`],
      `neo4j backup path not accessible: ${root}/none: no such file or directory`,
    ],
    [
      "missing postgres file",
      [...create, neo4j, "--postgres-path", `${root}/none`],
      `postgres dump file not accessible: ${root}/none: no such file or directory`,
    ],
    [
      "unreadable file in the directory",
      [...create, neo4j],
      // Some versions of the runtime do not list a directory that holds a denied file.
      /^neo4j backup path not accessible: \S+\/neo4j(\/neo4j\.conf)?: the runtime's permissions/,
      [`--deny-read=${neo4j}/neo4j.conf`],
    ],
    [
      "unreadable dump",
      [...create, neo4j, "--postgres-path", dump],
      `postgres dump file not accessible: ${dump}: the runtime's permissions do not allow it`,
      [`--deny-read=${dump}`],
    ],
    [
      "empty dump",
      [...create, `${root}/empty.dump`],
      `neo4j backup path is empty: ${root}/empty.dump`,
    ],
    [
      "directory without files",
      [...create, `${root}/hollow`],
      `neo4j backup path contains no files: ${root}/hollow`,
    ],
    [
      "directory without a Community dump",
      [...create, neo4j, "--neo4j-edition", "community"],
      `neo4j backup path contains no .dump file: ${neo4j}`,
    ],
  ];
  for (const [name, args, message, runtime = []] of rows) {
    await t.step(name, async () => {
      await bench.fail(args, message, { runtime });
      assertEquals(await exists(repository), false);
    });
  }
});

Deno.test("a location that holds something else is never written to", async (t) => {
  await using bench = await Bench.create();
  const file = `${bench.root}/file`;
  const full = `${bench.root}/full`;
  await Deno.writeTextFile(file, "precious");
  await Deno.mkdir(full);
  await Deno.writeTextFile(`${full}/file`, "precious");
  const rows: [string, RegExp][] = [
    [file, /^failed to open plakar repository .*\/file: .+/],
    [full, /^failed to open plakar repository .*\/full: the directory is not empty/],
    ["gopher://x/y", /^failed to open plakar repository gopher:\/\/x\/y: .+/],
  ];
  for (const [repo, message] of rows) {
    await t.step(repo, async () => {
      const args = ["create", "from-files", "--neo4j-path", bench.neo4j, "--repo", repo];
      await bench.fail(args, message);
    });
  }
  assertEquals(await Deno.readTextFile(file), "precious");
  assertEquals((await Array.fromAsync(Deno.readDir(full))).length, 1);
});

Deno.test("a repository that cannot be used is reported, not replaced", async (t) => {
  await using bench = await Bench.create();
  await bench.backUp();
  const path = `${bench.repository}/CONFIG`;
  const intact = await Deno.readFile(path);
  const rows: [string, (config: Uint8Array) => Uint8Array, RegExp][] = [
    ["empty CONFIG", () => new Uint8Array(), /CONFIG/],
    ["foreign CONFIG", () => new Uint8Array(200).fill(65), /CONFIG is not of a Kloset repository/],
    ["damaged CONFIG", (config) => config.with(100, (config[100] ?? 0) ^ 1), /CONFIG is damaged/],
    ["unknown version", (config) => config.with(14, 9), /version|damaged/],
  ];
  for (const [name, change, message] of rows) {
    await t.step(name, async () => {
      await Deno.writeFile(path, change(intact));
      const reason = new RegExp(
        `^failed to open plakar repository [^:]*: .*(${message.source})`,
      );
      await bench.fail(["create", "from-files", "--neo4j-path", bench.neo4j], reason);
      await bench.fail(["snapshots", "list"], reason);
      assertEquals(await Deno.readFile(path), change(intact));
    });
  }
  await Deno.writeFile(path, intact);
  await bench.assertSound();
});

Deno.test("a repository that cannot be written is still read", async () => {
  await using bench = await Bench.create();
  await bench.backUp();
  const readOnly = { runtime: [`--deny-write=${bench.repository}`] };
  await bench.succeed(["snapshots", "list"], readOnly);
  await bench.succeed(["snapshots", "check"], readOnly);
  await bench.succeed(["restore", "--to", `${bench.root}/out`], readOnly);
  await bench.fail(
    ["create", "from-files", "--neo4j-path", bench.neo4j],
    /^failed to create snapshot for neo4j: .+/,
    readOnly,
  );
});

Deno.test("a full disk fails the backup and leaves the earlier one intact", async (t) => {
  await using bench = await Bench.create();
  await Deno.mkdir(bench.repository);
  const mount = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=8m", "tmpfs", bench.repository],
  }).output();
  await t.step({
    name: mount.success ? "on a file system of 8 MiB" : "skipped: mounting needs root",
    ignore: !mount.success,
    fn: async () => {
      try {
        const { backup_id } = await bench.backUp();
        await Deno.writeFile(bench.dump, neo4jDump(noise(9, 12_000_000)));
        await bench.fail(
          ["create", "from-files", "--neo4j-path", bench.dump],
          /^(streaming backup|failed to commit snapshot|streaming backup failed) .*neo4j.*space/i,
        );
        const groups = await bench.json(["snapshots", "list"]);
        assertEquals(groups.map((group: { backup_id: string }) => group.backup_id), [backup_id]);
        await bench.assertSound();
      } finally {
        await new Deno.Command("umount", { args: [bench.repository] }).output();
      }
    },
  });
});
