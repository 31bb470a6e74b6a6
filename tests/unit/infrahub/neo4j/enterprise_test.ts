import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import {
  checkEnterpriseBackupSpace,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "../../../../src/infrahub/neo4j/enterprise.ts";
import type { EnterpriseRestoreOptions } from "../../../../src/infrahub/neo4j/enterprise_restore.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { readAll, withTempDirectory } from "../_support.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph", username: "me", password: new Secret("hu'sh $(x)") };
const NO = failure(["x"], 1, "no");
const REPRODUCIBLE = "--sort=name --format=gnu --mtime=@0 --owner=0 --group=0 --numeric-owner";

function setUp(prepare: (environment: FakeEnvironment) => void = () => {}) {
  const environment = new FakeEnvironment();
  prepare(environment);
  environment
    .on("database", /^mkdir/, "")
    .on("database", /^rm /, "")
    .on("database", /^chown/, "")
    .on("database", /^ls -A/, "infrahubops\n")
    .on("database", "whoami", "root")
    .on("database", /^du /, "8\t/x")
    .on("database", "database backup", "")
    .on("database", /^tar .*--version/, "")
    .on("database", /^tar .*-cf/, "tar bytes")
    .on("database", /^tar xf/, "")
    .on("database", "SHOW SERVERS", "serverCount\n1")
    .on("database", "statusCheck", 'requester, serverId\nfalse, "s1"\nTRUE, "s2"')
    .on("database", "requestedPrimariesCount", "a, b\n1, 2")
    .on(
      "database",
      "SHOW SETTINGS",
      'name, value\n"server.directories.data", "/srv/data"\n' +
        '"server.directories.transaction.logs.root", "/srv/data/transactions"',
    )
    .on("database", "currentStatus", 'currentStatus\n"starting"', 'currentStatus\n"online"')
    .on("database", "cypher-shell", "")
    .on("database", "neo4j-admin", "");
  const { deployment, lines } = fakeDeployment(environment);
  return { environment, deployment, lines, journal: new UndoJournal(deployment) };
}

/** The log without the service, and with one name for the work directory. */
const steps = (environment: FakeEnvironment) =>
  environment.log.map((line) =>
    line.slice("database: ".length)
      .replaceAll(/infrahubops-[0-9a-f-]{36}/g, "WORK")
      .replace("cypher-shell -d system --format plain ", "")
  );

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
      .on("database", "du -skL /var/lib/neo4j/data/databases/graph", "500000\t/x")
  );
  await checkEnterpriseBackupSpace(deployment, CREDENTIALS);
  await assertRejects(
    () => checkEnterpriseBackupSpace(deployment, CREDENTIALS),
    DeploymentRefusedError,
    "not enough space in /tmp of database for the Neo4j backup: about 537.1 MB needed, 1000.0 KB",
  );
  await checkEnterpriseBackupSpace(deployment, CREDENTIALS);
});

const OPTIONS: EnterpriseRestoreOptions = { stallTimeoutMs: 0, migrateFormat: false };

async function restore(
  fake: ReturnType<typeof setUp>,
  options: EnterpriseRestoreOptions = OPTIONS,
) {
  const target = await openNeo4jEnterpriseTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    options,
  );
  await target.write(new TextEncoder().encode("tar"));
  await target.close();
}

const SETTINGS =
  "SHOW SETTINGS 'server.directories.data', 'server.directories.transaction.logs.root' " +
  "YIELD name, value RETURN name, value";
const METADATA = 'sh -c if [ -e "$1" ]; then cypher-shell -d system --param "$2" <"$1"; fi sh ' +
  "/srv/data/scripts/graph/restore_metadata.cypher database => 'graph'";
const RESTORE = "neo4j-admin database restore --expand-commands --overwrite-destination=true " +
  "--from-path=/tmp/WORK/infrahubops graph";

Deno.test("openNeo4jEnterpriseTarget() restores a single server", async () => {
  const fake = setUp();
  await restore(fake, { ...OPTIONS, migrateFormat: true });
  assertEquals(steps(fake.environment), [
    "mkdir -m 700 /tmp/WORK",
    "tar xf - -C /tmp/WORK",
    "ls -A /tmp/WORK",
    "chown -R neo4j:neo4j /tmp/WORK",
    "whoami",
    "SHOW SERVERS YIELD * RETURN count(*) as serverCount",
    SETTINGS,
    "rm -f /srv/data/scripts/graph/restore_metadata.cypher",
    "stop database `graph`",
    RESTORE,
    "neo4j-admin database migrate --expand-commands --to-format=block graph",
    METADATA,
    "start database `graph`",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "rm -rf /tmp/WORK",
  ]);
  for (const text of ["database restore", "migrate", "restore_metadata.cypher"]) {
    assertEquals(fake.environment.find(text).user, "neo4j");
  }
  const metadata = fake.environment.calls.find(({ argv }) => argv[0] === "sh");
  assertEquals(metadata?.secrets.NEO4J_PASSWORD, "hu'sh $(x)");
  for (const { command } of fake.environment.calls) assertEquals(command.includes("hu'sh"), false);
  assertEquals(fake.journal.pending, []);
});

Deno.test("openNeo4jEnterpriseTarget() names the step of a single server that failed", async (t) => {
  const rows: [string, RegExp | string, string, boolean][] = [
    ["tar", /^tar xf/, "failed to copy backup to container: ", false],
    ["chown", /^chown/, "failed to change backup ownership: ", false],
    ["stop", "stop database", "failed to stop neo4j database: ", true],
    ["restore", "database restore", "failed to restore neo4j: ", true],
    ["metadata", /^sh -c/, "failed to restore neo4j metadata: ", true],
  ];
  for (const [name, pattern, message, started] of rows) {
    await t.step(name, async () => {
      const fake = setUp((e) => e.on("database", pattern, NO));
      await assertRejects(() => restore(fake), DeploymentError, message);
      assertEquals(fake.journal.pending.length, started ? 1 : 0);
      await fake.journal.undo();
      assertEquals(fake.journal.pending, []);
      assertEquals(steps(fake.environment).includes("start database `graph`"), started);
      // Whoever reads "as before" finds a database that answers.
      assertEquals(
        steps(fake.environment).filter((step) => step.startsWith("SHOW DATABASE")).length,
        started ? 2 : 0,
      );
      assertEquals(steps(fake.environment).includes("rm -rf /tmp/WORK"), true);
    });
  }
});

Deno.test("openNeo4jEnterpriseTarget() waits for the database though the run was ended", async () => {
  const controller = new AbortController();
  const fake = setUp((e) =>
    e.on("database", "start database", () => {
      controller.abort(new Error("SIGTERM"));
      return "";
    })
  );
  const deployment = { ...fake.deployment, signal: controller.signal };
  await restore({ ...fake, deployment });
  const looks = steps(fake.environment).filter((step) => step.includes("currentStatus"));
  assertEquals(looks.length, 2);
});

Deno.test("openNeo4jEnterpriseTarget() says that a half restored database has to be started by hand", async () => {
  const fake = setUp((e) =>
    e.on("database", "database restore", NO)
      .on("database", "currentStatus", 'currentStatus\n"offline"')
  );
  await assertRejects(() => restore(fake), DeploymentError, "failed to restore neo4j: ");
  await fake.journal.undo();
  assertEquals(fake.journal.pending, ["start Neo4j database graph"]);
  assertStringIncludes(
    fake.lines.join("\n"),
    "Neo4j database graph did not come online within 2m0s: it is offline",
  );
});

Deno.test("openNeo4jEnterpriseTarget() restores a cluster with its own topology", async () => {
  const fake = setUp((e) => e.on("database", "SHOW SERVERS", "serverCount\n3"));
  await restore(fake);
  assertEquals(steps(fake.environment).slice(6), [
    "CALL dbms.cluster.statusCheck([]) YIELD requester, serverId RETURN requester, serverId",
    "SHOW DATABASE `graph` YIELD requestedPrimariesCount, requestedSecondariesCount RETURN " +
    "requestedPrimariesCount, requestedSecondariesCount LIMIT 1",
    SETTINGS,
    "rm -f /srv/data/scripts/graph/restore_metadata.cypher",
    "STOP DATABASE `graph`",
    "DROP DATABASE `graph` IF EXISTS",
    RESTORE,
    "CREATE DATABASE `graph`\nTOPOLOGY 1 PRIMARY 2 SECONDARIES\nOPTIONS {\n  existingData: 'use',\n" +
    "  existingDataSeedInstance: 's2'\n}",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    "SHOW DATABASE `graph` YIELD currentStatus RETURN currentStatus",
    METADATA,
    "rm -rf /tmp/WORK",
  ]);
});

Deno.test("openNeo4jEnterpriseTarget() fails when a cluster does not come online", async () => {
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on(
        "database",
        "SHOW SETTINGS",
        'name, value\n"server.directories.data", "/srv/data"\n' +
          '"server.directories.transaction.logs.root", "/srv/data/transactions"',
      )
      .on("database", "currentStatus", 'currentStatus\n"online"\n"starting"')
  );
  await assertRejects(
    () => restore(fake),
    DeploymentError,
    "Neo4j database graph did not come online within 10m0s: it is online, starting",
  );
});

Deno.test("openNeo4jEnterpriseTarget() does not drop what it cannot seed", async () => {
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on("database", "statusCheck", 'requester, serverId\nfalse, "s1"')
  );
  await assertRejects(
    () => restore(fake),
    DeploymentError,
    "failed to find current server ID (no requester=true found in output)",
  );
  assertEquals(steps(fake.environment).some((step) => step.startsWith("DROP")), false);
});

Deno.test("openNeo4jEnterpriseTarget() tries the option's newer name, and says what is missing", async () => {
  const unknown = failure(["x"], 1, "Unrecognised option existingDataSeedInstance");
  const fake = setUp((e) =>
    e.on("database", "SHOW SERVERS", "serverCount\n3")
      .on("database", "existingDataSeedInstance", unknown)
      .on("database", "existingDataSeedServer", NO)
  );
  const error = await assertRejects(() => restore(fake), DeploymentError);
  assertStringIncludes(error.message, "failed to create database with seeder: ");
  assertStringIncludes(error.message, "database graph has been dropped and is not back yet");
});

Deno.test("openNeo4jEnterpriseTarget() leaves the database alone when given up", async () => {
  const fake = setUp();
  const target = await openNeo4jEnterpriseTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    OPTIONS,
  );
  await target.abort(new Error("damaged"));
  assertEquals(steps(fake.environment), [
    "mkdir -m 700 /tmp/WORK",
    "aborted tar xf - -C /tmp/WORK",
    "rm -rf /tmp/WORK",
  ]);
});
