import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import {
  neo4jCommunitySource,
  openNeo4jCommunityTarget,
} from "../../../../src/infrahub/neo4j/community.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { readAll } from "../_support.ts";
import { type Answer, failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "graph-1", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

const SETTINGS = [
  "name, value",
  '"server.directories.data", "/data"',
  '"server.directories.transaction.logs.root", "/logs, of transactions"',
].join("\n");

/** A container whose Neo4j can be held; `command` is answered as told. */
function setUp(pattern: string, ...answers: Answer[]) {
  const environment = new FakeEnvironment()
    .on("database", pattern, ...answers)
    .on("database", "cat /var", "7")
    .on("database", "shift\n  echo", "S 1 present", "T 1 absent")
    .on("database", /^mkdir/, "")
    .on("database", "infrahub-watchdog", "")
    .on("database", '>"$1/stopping"', "")
    .on("database", "kill -CONT", "")
    .on("database", "whoami", "root")
    .on("database", "migrate", "")
    .on("database", "SHOW SETTINGS", SETTINGS)
    .on("database", "infrahub-exchange", "")
    .on("database", "infrahub-look", "-\nformer\n-\nformer")
    .on("database", "infrahub-put-back", "")
    .on("database", /^rm -rf/, "")
    .on("database", /^ls -A/, "graph-1\nsystem")
    .on("database", "cypher-shell", "1\n1");
  const { deployment, lines, controller } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  /** What has been done to Neo4j, in words. */
  const story = () =>
    environment.log.map((line) =>
      line.slice("database: ".length).replace(/infrahub-restore-[0-9a-f]{8}/g, "infrahub-restore-…")
    ).flatMap((command) =>
      command.includes("kill -CONT")
        ? ["resume"]
        : command.includes('>"$1/stopping"')
        ? ["stop"]
        : /^(aborted )?neo4j-admin/.test(command)
        ? [command]
        : command.includes("infrahub-exchange")
        ? ["exchange"]
        : command.includes("infrahub-put-back")
        ? ["exchange back"]
        : command.startsWith("rm -rf /data")
        ? [command.replace(/before-.*/, "before-…")]
        : command.includes("SHOW SETTINGS")
        ? []
        : command.startsWith("cypher-shell")
        ? ["ready?"]
        : []
    );
  return { environment, deployment, lines, controller, journal, story };
}

Deno.test("neo4jCommunitySource() dumps between stop and resumption", async () => {
  const { deployment, journal, story } = setUp("--to-stdout", "dump");
  const source = neo4jCommunitySource(deployment, CREDENTIALS, journal, { stallTimeoutMs: 0 });
  assertEquals(source.recordPath, "/neo4j.dump");
  const { content, finished } = await source.open(deployment.signal);
  assertEquals(new TextDecoder().decode(await readAll(content)), "dump");
  await finished;
  assertEquals(story(), [
    "stop",
    "neo4j-admin database dump --to-stdout graph-1",
    "resume",
    "ready?",
  ]);
  assertEquals(journal.pending, []);
});

Deno.test("neo4jCommunitySource() resumes after a dump that fails or is interrupted", async (t) => {
  await t.step("fails", async () => {
    const { deployment, journal, story } = setUp("--to-stdout", NO);
    const source = neo4jCommunitySource(deployment, CREDENTIALS, journal, { stallTimeoutMs: 0 });
    const { content, finished } = await source.open(deployment.signal);
    await assertRejects(() => readAll(content), Error, "no");
    await assertRejects(() => finished, Error, "no");
    assertEquals(story().slice(-2), ["resume", "ready?"]);
  });
  await t.step("interrupted", async () => {
    const { deployment, journal, story, controller } = setUp("--to-stdout", "stall");
    const source = neo4jCommunitySource(deployment, CREDENTIALS, journal, { stallTimeoutMs: 0 });
    const { finished } = await source.open(deployment.signal);
    const reason = new Error("SIGTERM");
    controller.abort(reason);
    assertEquals(await assertRejects(() => finished), reason);
    assertEquals(story().slice(-2), ["resume", "ready?"]);
    assertEquals(journal.pending, []);
  });
});

Deno.test("neo4jCommunitySource() keeps a good dump whose resumption failed, and says so", async () => {
  const { environment, deployment, journal, lines } = setUp("--to-stdout", "dump");
  environment.run = failing(environment, "kill -CONT", NO);
  environment.run = failing(environment, "cypher-shell", NO);
  const source = neo4jCommunitySource(deployment, CREDENTIALS, journal, { stallTimeoutMs: 0 });
  const { content, finished } = await source.open(deployment.signal);
  await readAll(content);
  await finished;
  assertEquals(journal.pending, ["resume Neo4j"]);
  assertEquals(lines.some((line) => line.startsWith("warn Could not bring Neo4j back")), true);
});

const LOAD =
  "neo4j-admin database load --from-stdin --overwrite-destination=true infrahub-restore-…";
const DISCARD =
  "rm -rf /data/databases/infrahub-restore-… /logs, of transactions/infrahub-restore-…";

async function load(
  fake: ReturnType<typeof setUp>,
  migrateFormat = false,
  onPutBack = () => {},
) {
  let replaced = false;
  const target = await openNeo4jCommunityTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    { stallTimeoutMs: 0, migrateFormat, onReplace: () => replaced = true, onPutBack },
  );
  await target.write(new TextEncoder().encode("du"));
  await target.write(new TextEncoder().encode("mp"));
  return { ...target, isReplaced: () => replaced };
}

Deno.test("openNeo4jCommunityTarget() loads beside the database in use, then exchanges both", async () => {
  let loaded = "";
  const fake = setUp("--from-stdin", (_call, { input = "" }) => {
    loaded = input;
    return "";
  });
  const target = await load(fake, true);
  await target.close();
  assertEquals(fake.journal.pending, [
    "put the Neo4j database back as it was",
    "remove what was loaded beside the Neo4j database",
  ]);
  await target.settle(false);
  await target.finish();
  assertEquals(loaded, "dump");
  assertEquals(target.isReplaced(), true);
  assertEquals(fake.story(), [
    LOAD,
    "neo4j-admin database migrate --to-format=block infrahub-restore-…",
    "stop",
    "exchange",
    "resume",
    "ready?",
    "rm -rf /data/databases/graph-1.before-…",
  ]);
  assertEquals(fake.environment.find("--from-stdin").user, "neo4j");
  assertEquals(fake.environment.find("migrate").user, "neo4j");
  const { argv, user } = fake.environment.find("infrahub-exchange");
  assertEquals(user, undefined);
  const [databases, transactions, database, staged, former, watchdog] = argv.slice(4);
  assertEquals([databases, transactions, database], [
    "/data/databases",
    "/logs, of transactions",
    "graph-1",
  ]);
  assertEquals(staged, fake.environment.find("--from-stdin").argv.at(-1));
  assertMatch(former ?? "", /^graph-1\.before-[0-9a-f]{8}$/);
  assertEquals(watchdog, fake.environment.find("mkdir").argv.at(-1));
  assertEquals(fake.journal.pending, []);
});

Deno.test("openNeo4jCommunityTarget() names what a killed restore has left, and lets it be", async () => {
  const fake = setUp("--from-stdin", "");
  const left = "infrahub-restore-0123abcd";
  fake.environment.run = answering(fake.environment, "ls -A", `graph-1\n${left}\nsystem`);
  const target = await load(fake);
  await target.close();
  assertEquals(fake.lines.filter((line) => line.startsWith("warn ")), [
    `warn Left by earlier restores in /data/databases and /logs, of transactions: ${left}; ` +
    "remove them when no other restore runs and nobody needs them",
  ]);
  assertEquals(fake.environment.log.some((line) => line.includes(left)), false);
});

Deno.test("openNeo4jCommunityTarget() changes nothing when the load fails", async (t) => {
  await t.step("load fails", async () => {
    const fake = setUp("--from-stdin", NO);
    const target = await load(fake);
    await assertRejects(
      () => target.close(),
      DeploymentError,
      "failed to load neo4j dump from stream: ",
    );
    assertEquals(fake.story(), [LOAD, DISCARD]);
    assertEquals([target.isReplaced(), fake.journal.pending], [false, []]);
  });
  await t.step("migration fails", async () => {
    const fake = setUp("database migrate", NO);
    fake.environment.on("database", "--from-stdin", "");
    const target = await load(fake, true);
    await assertRejects(
      () => target.close(),
      DeploymentError,
      "failed to migrate neo4j to block format: ",
    );
    assertEquals(fake.story().includes("stop"), false);
    assertEquals(fake.story().at(-1), DISCARD);
    assertEquals(target.isReplaced(), false);
  });
  await t.step("given up", async () => {
    const fake = setUp("--from-stdin", "");
    const target = await load(fake);
    await target.abort(new Error("damaged"));
    assertEquals(fake.story(), [`aborted ${LOAD}`, DISCARD]);
    assertEquals(fake.journal.pending, []);
  });
  await t.step("Neo4j cannot be held", async () => {
    const fake = setUp("--from-stdin", "");
    fake.environment.run = failing(fake.environment, "infrahub-watchdog", NO);
    const target = await load(fake);
    await assertRejects(() => target.close(), DeploymentError, "failed to start watchdog");
    assertEquals(fake.story().at(-1), DISCARD);
    assertEquals([target.isReplaced(), fake.journal.pending], [false, []]);
  });
});

/** The environment's `run`, but commands with `text` are answered so. */
function answering(
  environment: FakeEnvironment,
  text: string,
  answer: string,
): FakeEnvironment["run"] {
  const run = environment.run.bind(environment);
  return (service, argv, options) =>
    argv.join(" ").includes(text) ? Promise.resolve(answer) : run(service, argv, options);
}

/** The environment's `run`, but commands with `text` fail. */
function failing(environment: FakeEnvironment, text: string, error: Error): FakeEnvironment["run"] {
  const run = environment.run.bind(environment);
  return (service, argv, options) =>
    argv.join(" ").includes(text) ? Promise.reject(error) : run(service, argv, options);
}

Deno.test("openNeo4jCommunityTarget() resumes, and says whether it has replaced the database", async (t) => {
  const rows = [["taken back", 3, false], ["half done", 4, true], ["connection lost", 137, true]];
  for (const [name, code, replaced] of rows as [string, number, boolean][]) {
    await t.step(name, async () => {
      const fake = setUp("--from-stdin", "");
      const error = failure(["sh"], code, "mv failed");
      fake.environment.run = failing(fake.environment, "infrahub-exchange", error);
      const target = await load(fake);
      await assertRejects(
        () => target.close(),
        DeploymentError,
        "failed to put the loaded neo4j database in its place: ",
      );
      assertEquals(
        fake.story(),
        replaced
          ? [
            LOAD,
            ...["stop", "resume", "ready?"],
            ...["stop", "exchange back", "resume", "ready?"],
            // Once it is back, and once more by whoever loaded it.
            ...[DISCARD, DISCARD],
          ]
          : [LOAD, "stop", "resume", "ready?", DISCARD],
      );
      assertEquals(target.isReplaced(), replaced);
      assertEquals(fake.journal.pending, []);
    });
  }
  await t.step("Neo4j does not open the new one, and the former comes back", async () => {
    const fake = setUp("--from-stdin", "");
    const run = fake.environment.run;
    fake.environment.run = (service, argv, options) => {
      const isNew = fake.environment.log.some((line) => line.includes("infrahub-exchange")) &&
        !fake.environment.log.some((line) => line.includes("infrahub-put-back"));
      return argv.join(" ").includes("RETURN 1") && isNew
        ? Promise.reject(NO)
        : run.call(fake.environment, service, argv, options);
    };
    let isBack = false;
    const target = await load(fake, false, () => isBack = true);
    await assertRejects(() => target.close(), DeploymentError, "Neo4j did not become ready");
    assertEquals(fake.story().filter((line) => line.startsWith("exchange")), [
      "exchange",
      "exchange back",
    ]);
    assertEquals([target.isReplaced(), isBack], [true, true]);
    assertEquals(fake.journal.pending.filter((name) => name.includes("put")), []);
  });
  await t.step("Neo4j opens neither: both are kept, and it is said where", async () => {
    const fake = setUp("--from-stdin", "");
    fake.environment.run = failing(fake.environment, "RETURN 1", NO);
    const target = await load(fake);
    await assertRejects(() => target.close(), DeploymentError, "Neo4j did not become ready");
    assertEquals(fake.story().some((line) => line.includes("graph-1.before")), false);
    assertMatch(
      fake.lines.find((line) => line.includes("put the Neo4j database back")) ?? "",
      /^warn .* is kept in \/data\/databases\/graph-1\.before-[0-9a-f]{8} and \/logs, of/,
    );
    assertEquals(fake.journal.pending.includes("put the Neo4j database back as it was"), true);
  });
});

Deno.test("openNeo4jCommunityTarget() has Neo4j take gzip for what it is", async (t) => {
  const rows = [
    ["gzip", [0x1f, 0x8b, 8, 0, 1, 2, 3, 4], "DGV1"],
    ["gzip with its name", [0x44, 0x47, 0x56, 0x31, 0x1f, 0x8b, 8, 0], ""],
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4], ""],
  ] as const;
  for (const [name, start, prefix] of rows) {
    await t.step(name, async () => {
      const fake = setUp("--from-stdin", "");
      const parts: number[] = [];
      const streamIn = fake.environment.streamIn.bind(fake.environment);
      fake.environment.streamIn = async (...call) => ({
        ...await streamIn(...call),
        write: (bytes) => {
          parts.push(...bytes);
          return Promise.resolve();
        },
      });
      const target = await openNeo4jCommunityTarget(fake.deployment, CREDENTIALS, fake.journal, {
        stallTimeoutMs: 0,
        migrateFormat: false,
      });
      await target.write(new Uint8Array(start));
      await target.write(new Uint8Array(start));
      assertEquals(parts, [...new TextEncoder().encode(prefix), ...start, ...start]);
    });
  }
});
