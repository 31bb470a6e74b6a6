import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import {
  checkEnterpriseBackupSpace,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "../../../../src/infrahub/neo4j/enterprise.ts";
import { readAll, withTempDirectory } from "../_support.ts";
import { failure } from "../fake_environment.ts";
import { CREDENTIALS, setUp, steps } from "./_enterprise.ts";

const NO = failure(["x"], 1, "no");
const REPRODUCIBLE = "--sort=name --format=gnu --mtime=@0 --owner=0 --group=0 --numeric-owner";

Deno.test("neo4jEnterpriseSource() backs up, streams a sorted tar, and cleans up", async () => {
  const { environment, deployment, journal } = setUp();
  const source = neo4jEnterpriseSource(deployment, CREDENTIALS, journal, {
    metadata: "users",
    stallTimeoutMs: 0,
  });
  const { content, finished } = await source.open(deployment.signal);
  assertEquals(new TextDecoder().decode(await readAll(content)), "tar bytes");
  await finished;
  assertEquals(steps(environment), [
    "mkdir -m 700 /tmp/WORK",
    "mkdir /tmp/WORK/infrahubops",
    "neo4j-admin database backup --expand-commands --include-metadata=users --compress=false " +
    "--to-path=/tmp/WORK/infrahubops graph",
    `tar ${REPRODUCIBLE} --version`,
    `tar ${REPRODUCIBLE} -cf - -C /tmp/WORK infrahubops`,
    "rm -rf /tmp/WORK",
  ]);
  assertEquals(journal.pending, []);
});

Deno.test("neo4jEnterpriseSource()'s tar is the same for the same files, made at another time", async () => {
  const { environment, deployment, journal } = setUp();
  const options = { metadata: "all", stallTimeoutMs: 0 } as const;
  const source = neo4jEnterpriseSource(deployment, CREDENTIALS, journal, options);
  const { content } = await source.open(deployment.signal);
  await readAll(content);
  const command = steps(environment).find((step) => step.includes(" -cf ")) ?? "";
  await withTempDirectory(async (root) => {
    const files = ["neo4j.backup", "sub/b", "sub/a", "sub/deep/c", `long-${"x".repeat(150)}`];
    const make = async (work: string, names: readonly string[], time: number) => {
      const folder = `${root}/${work}/infrahubops`;
      await Deno.mkdir(`${folder}/sub/deep`, { recursive: true });
      for (const name of names) {
        await Deno.writeTextFile(`${folder}/${name}`, `content of ${name}`);
        await Deno.utime(`${folder}/${name}`, time, time);
      }
      await Deno.utime(folder, time, time);
      const [program = "", ...args] = command.replace("/tmp/WORK", `${root}/${work}`).split(" ");
      const tar = await new Deno.Command(program, { args }).output();
      assertEquals([tar.code, new TextDecoder().decode(tar.stderr)], [0, ""]);
      return tar.stdout;
    };
    const first = await make("first", files, 1_700_000_000);
    assertEquals(await make("second", files.toReversed(), 1_800_000_000.5), first);
    await Deno.writeTextFile(`${root}/second/infrahubops/sub/a`, "content of it, changed");
    assertNotEquals(await make("second", [], 1_900_000_000), first);
  });
});

Deno.test("neo4jEnterpriseSource() does without that where tar cannot", async () => {
  const { environment, deployment, journal } = setUp((e) => e.on("database", "--version", NO));
  const options = { metadata: "all", stallTimeoutMs: 0 } as const;
  const source = neo4jEnterpriseSource(deployment, CREDENTIALS, journal, options);
  const { content } = await source.open(deployment.signal);
  await readAll(content);
  assertEquals(steps(environment).includes("tar -cf - -C /tmp/WORK infrahubops"), true);
});

Deno.test("neo4jEnterpriseSource() cleans up after every failure", async (t) => {
  const rows: [string, string, string][] = [
    ["directory", "mkdir /tmp", "failed to prepare neo4j backup directory: "],
    ["backup", "database backup", "failed to backup neo4j: "],
    ["tar", "-cf", "no"],
  ];
  for (const [name, pattern, message] of rows) {
    await t.step(name, async () => {
      const { environment, deployment, journal } = setUp((e) => e.on("database", pattern, NO));
      const source = neo4jEnterpriseSource(deployment, CREDENTIALS, journal, {
        metadata: "all",
        stallTimeoutMs: 0,
      });
      await assertRejects(
        async () => {
          const { content, finished } = await source.open(deployment.signal);
          await readAll(content).catch(() => {/* the same error */});
          await finished;
        },
        Error,
        message,
      );
      assertEquals(steps(environment).at(-1), "rm -rf /tmp/WORK");
      assertEquals(journal.pending, []);
    });
  }
});

Deno.test("neo4jEnterpriseSource() ends a backup whose files do not grow", async () => {
  const { environment, deployment, journal } = setUp((e) =>
    e.on("database", "database backup", "stall").on("database", /^du /, "4", "8", "9", "9")
  );
  const source = neo4jEnterpriseSource(deployment, CREDENTIALS, journal, {
    metadata: "all",
    stallTimeoutMs: 40_000,
  });
  await assertRejects(
    async () => await source.open(deployment.signal),
    DeploymentError,
    "failed to backup neo4j: no progress for 40s",
  );
  assertEquals(steps(environment).at(-1), "rm -rf /tmp/WORK");
});

Deno.test("checkEnterpriseBackupSpace() refuses when there is too little space", async () => {
  const df = (free: number) =>
    "Filesystem 1024-blocks Used Available Capacity Mounted on\n" +
    `over lay 100 50 ${free} 50% /`;
  const { deployment } = setUp((e) =>
    e.on("database", "df -Pk /tmp", df(1_000_000), df(1_000), NO)
  );
  await checkEnterpriseBackupSpace(deployment, 512_000_000);
  await assertRejects(
    () => checkEnterpriseBackupSpace(deployment, 512_000_000),
    DeploymentRefusedError,
    "not enough space in /tmp of database for the Neo4j backup: about 537.1 MB needed, 1000.0 KB",
  );
  await checkEnterpriseBackupSpace(deployment, 512_000_000);
});

Deno.test("openNeo4jEnterpriseTarget() leaves the database alone when given up", async () => {
  const fake = setUp();
  const target = await openNeo4jEnterpriseTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    { stallTimeoutMs: 0, migrateFormat: false },
  );
  await target.abort(new Error("damaged"));
  assertEquals(steps(fake.environment), [
    "mkdir -m 700 /tmp/WORK",
    "aborted tar xf - -C /tmp/WORK",
    "rm -rf /tmp/WORK",
  ]);
});
