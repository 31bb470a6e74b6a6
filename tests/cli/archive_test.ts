import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bench, exists, noise } from "./_bench.ts";
import { postgresDump } from "../fixtures/small_dumps.ts";

const TARBALL = ["--backend", "tarball"];

async function createArchive(bench: Bench, args: readonly string[] = []) {
  const { stdout } = await bench.succeed([
    "create",
    "from-files",
    "--neo4j-path",
    bench.neo4j,
    "--postgres-path",
    bench.dump,
    ...TARBALL,
    "--log-format",
    "json",
    ...args,
  ], { env: { BACKUP_DIR: `${bench.root}/archives` } });
  return JSON.parse(stdout);
}

Deno.test("files become an archive in $BACKUP_DIR that tar reads and restore --to brings back", async () => {
  await using bench = await Bench.create();
  const result = await createArchive(bench);
  assertEquals(result.ok, true);
  assertMatch(result.path, /\/archives\/infrahub_backup_\d{8}_\d{6}\.tar\.gz$/);
  assertEquals((await Deno.stat(result.path)).size, result.bytes);
  const listing = await new Deno.Command("tar", { args: ["-tzf", result.path] }).output();
  assertEquals(new TextDecoder().decode(listing.stdout).trim().split("\n").sort(), [
    "backup",
    "backup/backup_information.json",
    "backup/database",
    "backup/database/databases",
    "backup/database/databases/neo4j",
    "backup/database/databases/neo4j/store.db",
    "backup/database/neo4j.conf",
    "backup/prefect.dump",
  ]);
  const out = `${bench.root}/out`;
  await bench.succeed(["restore", result.path, "--to", out, ...TARBALL]);
  const diff = await new Deno.Command("diff", {
    args: ["-r", bench.neo4j, `${out}/backup/database`],
  }).output();
  assertEquals(diff.code, 0);
});

Deno.test("an archive for a key of keygen needs that key", async () => {
  await using bench = await Bench.create();
  const key = `${bench.root}/backup.key`;
  const made = await bench.succeed(["keygen", "--output", key]);
  assertEquals(made.stdout, await Deno.readTextFile(`${key}.pub`));
  assertEquals(((await Deno.stat(key)).mode ?? 0) & 0o777, 0o600);
  const { path } = await createArchive(bench, ["--encrypt-key", `${key}.pub`]);
  const out = `${bench.root}/out`;
  await bench.fail(
    ["restore", path, "--to", out, ...TARBALL],
    "backup file is encrypted; provide --decrypt-key to decrypt",
  );
  assertEquals(await exists(out), false);
  await bench.succeed(["restore", path, "--to", out, ...TARBALL, "--decrypt-key", key]);
  assertEquals(await Deno.readFile(`${out}/backup/prefect.dump`), await Deno.readFile(bench.dump));
});

Deno.test("a damaged archive is refused, and leaves nothing behind", async () => {
  await using bench = await Bench.create();
  const { path } = await createArchive(bench);
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.subarray(0, bytes.length - 1_000));
  const { code, stderr } = await bench.run([
    "restore",
    path,
    "--to",
    `${bench.root}/out`,
    ...TARBALL,
  ]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Error: ");
  assertEquals(await exists(`${bench.root}/out`), false);
});

Deno.test("two archives within a second have different names", async () => {
  await using bench = await Bench.create();
  await Deno.writeFile(bench.dump, postgresDump(noise(5, 1_000)));
  const [first, second] = await Promise.all([createArchive(bench), createArchive(bench)]);
  assertEquals(first.path === second.path, false);
});

Deno.test("a repository on the command line that an archive's backup does not use is told of", async () => {
  await using bench = await Bench.create();
  const argv = ["create", "from-files", "--neo4j-path", bench.neo4j, ...TARBALL];
  const env = { BACKUP_DIR: `${bench.root}/archives` };
  const warning = "--repo is not used by the tarball backend";
  const told = await bench.succeed([...argv, "--repo", `${bench.root}/elsewhere`], { env });
  assertStringIncludes(told.stderr, warning);
  assertEquals(await exists(`${bench.root}/elsewhere`), false);
  const silent = await bench.succeed(argv, {
    env: { ...env, INFRAHUB_REPO: `${bench.root}/elsewhere` },
  });
  assertEquals(silent.stderr.includes(warning), false);
});
