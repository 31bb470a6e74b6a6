import { assertEquals, assertStringIncludes } from "@std/assert";
import { createRepository, openStore } from "../../src/kloset/mod.ts";
import { postgresDump } from "../fixtures/small_dumps.ts";
import { Bench, exists, filesBelow } from "./_bench.ts";

/** Makes a backup whose second component fails. */
async function backUpIncompletely(bench: Bench): Promise<void> {
  await bench.run([
    "create",
    "from-commands",
    "--neo4j-command",
    `cat ${bench.tar}`,
    "--postgres-command",
    "false",
  ]);
}

Deno.test("restore takes the newest complete backup by default", async () => {
  await using bench = await Bench.create();
  const { backup_id } = await bench.backUp();
  await backUpIncompletely(bench);
  const result = await bench.json(["restore", "--to", `${bench.root}/out`]);
  assertEquals(result.backup_id, backup_id);
  assertEquals(
    (await filesBelow(`${bench.root}/out`)).map((path) => path.slice(path.lastIndexOf("/") + 1)),
    ["backup_information.json", "neo4j-backup.tar", "prefect.dump"],
  );
});

Deno.test("restore refuses an incomplete backup unless forced", async () => {
  await using bench = await Bench.create();
  await backUpIncompletely(bench);
  const out = `${bench.root}/out`;
  const [{ backup_id }] = await bench.json(["snapshots", "list"]);
  const refusal =
    /^Error: backup group \S+ is incomplete \(missing: postgres, metadata\); use --force/;
  const refused = await bench.run(["restore", "--to", out, "--quiet"]);
  assertEquals([refused.code, refusal.test(refused.stderr)], [1, true], refused.stderr);
  assertEquals(await exists(out), false);
  const { stderr } = await bench.succeed(["restore", "--to", out, "--force"]);
  assertStringIncludes(
    stderr,
    `Backup group ${backup_id} is incomplete (missing: postgres, metadata)`,
  );
  assertEquals(await filesBelow(out), [`${out}/neo4j-backup.tar`]);
});

Deno.test("restore of one snapshot brings back that component", async () => {
  await using bench = await Bench.create();
  const { components } = await bench.backUp();
  const out = `${bench.root}/out`;
  await bench.succeed([
    "restore",
    "--to",
    out,
    "--snapshot",
    components[1].snapshot_id.slice(0, 7),
  ]);
  assertEquals(await filesBelow(out), [`${out}/prefect.dump`]);
  assertEquals(await Deno.readFile(`${out}/prefect.dump`), await Deno.readFile(bench.dump));
});

Deno.test("restore refuses a directory with content, and leaves it alone", async () => {
  await using bench = await Bench.create();
  await bench.backUp();
  await bench.fail(
    ["restore", "--to", bench.neo4j],
    /^target directory is not empty: .*\/neo4j contains "(databases|neo4j\.conf)"$/,
  );
  await bench.fail(
    ["restore", "--to", bench.dump],
    /^target directory not accessible: .*\/p\.dump: /,
  );
  assertEquals(await exists(bench.dump), true);
});

Deno.test("restore says which backups there are", async () => {
  await using bench = await Bench.create();
  const { backup_id } = await bench.backUp();
  const { code, stderr } = await bench.run([
    "restore",
    "--to",
    `${bench.root}/out`,
    "--backup-id",
    "20000101_000000",
  ]);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    `Error: backup group not found: 20000101_000000\nAvailable groups:\n  ${backup_id} (`,
  );
});

Deno.test("restore and check take a snapshot without its record for damaged", async () => {
  await using bench = await Bench.create();
  {
    await using repository = await createRepository(openStore(bench.repository), { jobs: 1 });
    const writer = await repository.createSnapshot({
      name: "20260101_000000_postgres",
      tags: [
        "infrahub.backup-id=20260101_000000",
        "infrahub.component=postgres",
        "infrahub.components=postgres",
      ],
      importer: { type: "infrahub", origin: "here", directory: "/" },
    });
    await writer.addFile("/other.file", new Blob(["something"]).stream());
    await writer.commit();
  }
  await bench.fail(
    ["restore", "--to", `${bench.root}/out`],
    /^snapshot [0-9a-f]{16} \(postgres\) is damaged: .*does not contain \/prefect\.dump$/,
  );
  const check = await bench.run(["snapshots", "check"]);
  assertEquals(check.code, 1);
  assertStringIncludes(check.stdout, "the postgres snapshot does not contain /prefect.dump");
});

Deno.test("restore keeps times, and gives files to their owner alone", async () => {
  await using bench = await Bench.create();
  const mtime = new Date("2026-01-02T03:04:05Z");
  {
    await using repository = await createRepository(openStore(bench.repository), { jobs: 1 });
    const writer = await repository.createSnapshot({
      name: "20260101_000000_postgres",
      tags: ["infrahub.backup-id=20260101_000000", "infrahub.component=postgres"],
      importer: { type: "infrahub", origin: "here", directory: "/" },
    });
    const content = new Blob([postgresDump("rows")]).stream();
    await writer.addFile("/prefect.dump", content, { mode: 0o640, mtime });
    await writer.commit();
  }
  await bench.succeed(["restore", "--to", `${bench.root}/out`]);
  const info = await Deno.stat(`${bench.root}/out/prefect.dump`);
  assertEquals([(info.mode ?? 0) & 0o7777, info.mtime], [0o600, mtime]);
});
