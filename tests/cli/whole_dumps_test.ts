import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createRepository, openRepository, openStore } from "../../src/kloset/mod.ts";
import { neo4jDump, postgresDump } from "../fixtures/small_dumps.ts";
import { Bench, noise } from "./_bench.ts";

const FIXTURES = new URL("../fixtures/dumps/", import.meta.url).pathname;

const text = (content: string) => new TextEncoder().encode(content);
const join = async (...parts: Uint8Array<ArrayBuffer>[]) =>
  new Uint8Array(await new Blob(parts).arrayBuffer());

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** As a terminal, or a transfer as text, mangles line ends. */
function withCarriageReturns(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...bytes].flatMap((byte) => byte === 10 ? [13, 10] : [byte]));
}

/** What is not the whole dump that it should be, by what was done to it. */
async function spoilt(dump: Uint8Array<ArrayBuffer>): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  return [
    ["cut by 4 KiB", dump.slice(0, -4096)],
    ["cut by its last byte", dump.slice(0, -1)],
    ["cut to its beginning", dump.slice(0, 14)],
    ["after a log line", await join(text("pg_dump: saving\n"), dump)],
    ["before a log line", await join(dump, text("done\n"))],
    ["with other line ends", withCarriageReturns(dump)],
    ["twice", await join(dump, dump)],
    ["in gzip", await gzip(dump)],
    ["as SQL", text("--\n-- PostgreSQL database dump\n--\nSET statement_timeout = 0;\n")],
    ["a word", text("oops\n")],
  ];
}

Deno.test("a PostgreSQL dump that is not whole is refused, from a command and from a file", async (t) => {
  await using bench = await Bench.create();
  const dump = await Deno.readFile(`${FIXTURES}/postgres_15.dump`);
  const path = `${bench.root}/spoilt.dump`;
  for (const [name, bytes] of await spoilt(dump)) {
    await t.step(name, async () => {
      await Deno.writeFile(path, bytes);
      const rows = [
        [
          "from-commands",
          "--neo4j-command",
          `cat ${bench.tar}`,
          "--postgres-command",
          `cat ${path}`,
        ],
        ["from-files", "--neo4j-path", bench.neo4j, "--postgres-path", path],
      ];
      for (const args of rows) {
        const { code, stdout, stderr } = await bench.run(["create", ...args]);
        assertEquals([args[0], code, stdout], [args[0], 1, ""]);
        assertStringIncludes(stderr, "streaming backup failed for postgres: ");
        assertStringIncludes(stderr, "the PostgreSQL dump ");
      }
      const env = { INFRAHUB_BACKEND: "tarball", INFRAHUB_BACKUP_DIR: `${bench.root}/archives` };
      const { code, stderr } = await bench.run(["create", ...rows[1]!], { env });
      assertEquals(code, 1);
      assertStringIncludes(stderr, "the PostgreSQL dump ");
      const left = await Array.fromAsync(Deno.readDir(`${bench.root}/archives`));
      assertEquals(left.map((entry) => entry.name), []);
    });
  }
  // The Neo4j components were stored before; no group claims to be complete.
  const groups = await bench.json(["snapshots", "list"]);
  assertEquals(
    new Set(groups.map((group: { status: string }) => group.status)),
    new Set(["incomplete"]),
  );
});

Deno.test("a Neo4j dump that is not whole is refused", async (t) => {
  await using bench = await Bench.create();
  const path = `${bench.root}/neo4j.dump`;
  const community = neo4jDump(noise(4, 200_000));
  const enterprise = await Deno.readFile(bench.tar);
  const rows: [string, string, [string, Uint8Array<ArrayBuffer>][]][] = [
    ["community", "the Neo4j dump ", await spoilt(community)],
    ["enterprise", "the Neo4j backup ", [
      ["without its end mark", enterprise.slice(0, -10_240)],
      ...await spoilt(enterprise),
    ]],
  ];
  for (const [edition, message, cases] of rows) {
    for (const [name, bytes] of cases) {
      // Two zstd frames in a row are a dump to zstd and to Neo4j; a gzip around one is another format.
      if (edition === "community" && (name === "twice" || name === "in gzip")) continue;
      // Tar fills its last 10 KiB with zeros, of which some may be missing.
      if (edition === "enterprise" && name.startsWith("cut by")) continue;
      await t.step(`${edition}, ${name}`, async () => {
        await Deno.writeFile(path, bytes);
        const { code, stderr } = await bench.run([
          "create",
          "from-commands",
          `--neo4j-edition=${edition}`,
          "--neo4j-command",
          `cat ${path}`,
        ]);
        assertEquals(code, 1);
        assertStringIncludes(stderr, message);
      });
    }
  }
  assertEquals(await bench.snapshotIds(), []);
});

Deno.test("a dump is stored raw when that is asked for, and said to be so", async () => {
  await using bench = await Bench.create();
  await Deno.writeTextFile(bench.dump, "whatever this is");
  await bench.succeed([
    "create",
    "from-files",
    "--format=raw",
    "--neo4j-path",
    bench.neo4j,
    "--postgres-path",
    bench.dump,
  ]);
  const [group] = await bench.json(["snapshots", "list"]);
  const postgres = group.snapshots.find((one: { component: string }) =>
    one.component === "postgres"
  );
  const { tags } = await bench.json(["snapshots", "show", postgres.snapshot_id]);
  assert(tags.includes("infrahub.dump-format=raw"));
  await bench.succeed(["snapshots", "check", "--dumps"]);
  const { stdout } = await bench.succeed(["restore", "--to", `${bench.root}/out`]);
  assertStringIncludes(stdout, "not known to be whole: ");
  assertEquals(await Deno.readTextFile(`${bench.root}/out/prefect.dump`), "whatever this is");
  const bytes = await Deno.readFile(`${bench.root}/out/backup_information.json`);
  assertEquals(JSON.parse(new TextDecoder().decode(bytes)).dump_format, "raw");
});

Deno.test("an archive of raw dumps is recorded as such, and unpacked as it is", async () => {
  await using bench = await Bench.create();
  await Deno.writeTextFile(bench.dump, "whatever this is");
  const made = await bench.json([
    "create",
    "from-files",
    "--backend=tarball",
    "--format=raw",
    `--backup-dir=${bench.root}`,
    "--neo4j-path",
    bench.neo4j,
    "--postgres-path",
    bench.dump,
  ]);
  const out = `${bench.root}/out`;
  const { stdout } = await bench.succeed(["restore", "--backend=tarball", made.path, "--to", out]);
  assertStringIncludes(stdout, "(its dumps are not known to be whole)");
  assertEquals(await Deno.readTextFile(`${out}/backup/prefect.dump`), "whatever this is");
  const text = await Deno.readTextFile(`${out}/backup/backup_information.json`);
  assertEquals(JSON.parse(text).dump_format, "raw");
});

Deno.test("a Community dump is found in the directory that holds it", async () => {
  await using bench = await Bench.create();
  const folder = `${bench.root}/dumps`;
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/neo4j.dump`, neo4jDump("graph"));
  await Deno.writeFile(`${folder}/system.dump`, neo4jDump("system"));
  const args = ["create", "from-files", "--neo4j-edition", "community", "--neo4j-path", folder];
  await bench.succeed(args);
  await bench.succeed(["restore", "--to", `${bench.root}/out`]);
  assertEquals(await Deno.readFile(`${bench.root}/out/neo4j.dump`), neo4jDump("graph"));
  await Deno.rename(`${folder}/neo4j.dump`, `${folder}/other.dump`);
  await bench.fail(
    args,
    `neo4j backup path contains several dumps, name one of them: other.dump, system.dump`,
  );
  await Deno.remove(`${folder}/system.dump`);
  await bench.succeed(args);
});

/** Stores a dump as the Go tool does: whatever its command wrote before it failed. */
async function storeUnseen(bench: Bench, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const store = await openStore(bench.repository);
  const isNew = await store.presence() === "absent";
  await using repository = await (isNew ? createRepository : openRepository)(store);
  const writer = await repository.createSnapshot({
    name: "postgres",
    tags: ["infrahub.backup-id=20260101_000000", "infrahub.component=postgres"],
    importer: { type: "infrahub", origin: "here", directory: "/" },
  });
  await writer.addFile("/prefect.dump", new Blob([bytes]).stream());
  await writer.commit();
}

Deno.test("a check looks into small dumps and the beginning of others, with --dumps into all", async (t) => {
  const whole = postgresDump(noise(6, 3_000_000));
  const rows: [string, Uint8Array<ArrayBuffer>, { plain: number; dumps: number }][] = [
    ["whole", whole, { plain: 0, dumps: 0 }],
    ["without its end", whole.slice(0, -100), { plain: 0, dumps: 1 }],
    ["500 bytes of one", whole.slice(0, 500), { plain: 1, dumps: 1 }],
    ["14 bytes", text("pg_dump: error"), { plain: 1, dumps: 1 }],
    ["nothing", new Uint8Array(0), { plain: 1, dumps: 1 }],
    ["something large", new Uint8Array(noise(7, 2_000_000)), { plain: 1, dumps: 1 }],
  ];
  for (const [name, bytes, { plain, dumps }] of rows) {
    await t.step(name, async () => {
      await using bench = await Bench.create();
      await storeUnseen(bench, bytes);
      for (const [args, code] of [[[], plain], [["--dumps"], dumps]] as const) {
        const outcome = await bench.run(["snapshots", "check", ...args]);
        assertEquals([args, outcome.code], [args, code]);
        assertEquals(outcome.stdout.includes("not a whole dump"), code === 1);
      }
      const out = `${bench.root}/out`;
      const restored = await bench.run(["restore", "--force", "--to", out]);
      assertEquals(restored.code, 0);
      assertEquals(restored.stdout.includes("verified"), dumps === 0);
      assertEquals(await Deno.readFile(`${out}/prefect.dump`), bytes);
      const refused = await bench.run(["restore", "--to", `${out}2`]);
      assertEquals(refused.code, dumps);
    });
  }
});
