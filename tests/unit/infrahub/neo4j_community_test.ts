import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  DeploymentError,
  InvalidInputError,
  neo4jCommunitySource,
  openNeo4jCommunityTarget,
  Secret,
  UndoJournal,
} from "../../../src/infrahub/mod.ts";
import {
  checkNeo4jDatabaseName,
  quoteCypherName,
  quoteCypherText,
} from "../../../src/infrahub/cypher.ts";
import { readAll } from "./_support.ts";
import { type Answer, failure, fakeDeployment, FakeEnvironment } from "./fake_environment.ts";

const CREDENTIALS = { database: "graph-1", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

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
    .on("database", "cypher-shell", "1\n1");
  const { deployment, lines, controller } = fakeDeployment(environment);
  const journal = new UndoJournal(deployment);
  /** What has been done to Neo4j, in words. */
  const story = () =>
    environment.log.map((line) => line.slice("database: ".length)).flatMap((command) =>
      command.includes("kill -CONT")
        ? ["resume"]
        : command.includes('>"$1/stopping"')
        ? ["stop"]
        : /^(aborted )?neo4j-admin/.test(command)
        ? [command]
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
  const refusing = new FakeEnvironment();
  refusing.on("database", "kill -CONT", NO);
  const run = environment.run.bind(environment);
  environment.run = (service, argv, options) =>
    argv.join(" ").includes("kill -CONT")
      ? refusing.run(service, argv)
      : run(service, argv, options);
  const source = neo4jCommunitySource(deployment, CREDENTIALS, journal, { stallTimeoutMs: 0 });
  const { content, finished } = await source.open(deployment.signal);
  await readAll(content);
  await finished;
  assertEquals(journal.pending, ["resume Neo4j"]);
  assertEquals(lines.some((line) => line.startsWith("warn Could not bring Neo4j back")), true);
});

const LOAD = "neo4j-admin database load --from-stdin --overwrite-destination=true graph-1";

async function load(fake: ReturnType<typeof setUp>, migrateFormat = false) {
  const target = await openNeo4jCommunityTarget(
    fake.deployment,
    CREDENTIALS,
    fake.journal,
    { stallTimeoutMs: 0, migrateFormat },
  );
  await target.write(new TextEncoder().encode("du"));
  await target.write(new TextEncoder().encode("mp"));
  return target;
}

Deno.test("openNeo4jCommunityTarget() loads as neo4j, migrates when asked, and resumes", async () => {
  let loaded = "";
  const fake = setUp("--from-stdin", (_call, { input = "" }) => {
    loaded = input;
    return "";
  });
  const target = await load(fake, true);
  await target.close();
  assertEquals(loaded, "dump");
  assertEquals(fake.story(), [
    "stop",
    LOAD,
    "neo4j-admin database migrate --to-format=block graph-1",
    "resume",
    "ready?",
  ]);
  assertEquals(fake.environment.find("load").user, "neo4j");
  assertEquals(fake.environment.find("migrate").user, "neo4j");
});

Deno.test("openNeo4jCommunityTarget() resumes on every way out", async (t) => {
  await t.step("load fails", async () => {
    const fake = setUp("--from-stdin", NO);
    const target = await load(fake);
    await assertRejects(
      () => target.close(),
      DeploymentError,
      "failed to load neo4j dump from stream: ",
    );
    assertEquals(fake.story().slice(-3), [LOAD, "resume", "ready?"]);
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
    assertEquals(fake.story().slice(-2), ["resume", "ready?"]);
  });
  await t.step("given up", async () => {
    const fake = setUp("--from-stdin", "");
    const target = await load(fake);
    await target.abort(new Error("damaged"));
    assertEquals(fake.story().slice(-3), [`aborted ${LOAD}`, "resume", "ready?"]);
    assertEquals(fake.journal.pending, []);
  });
});

Deno.test("names are quoted in Cypher, and must be names for neo4j-admin", () => {
  assertEquals(quoteCypherName("a`b-c"), "`a``b-c`");
  assertEquals(quoteCypherText("it's \\ that"), "'it\\'s \\\\ that'");
  assertEquals(checkNeo4jDatabaseName("my.db-1"), "my.db-1");
  for (const name of ["*", "--all", "a b", "", "a;b"]) {
    assertThrows(() => checkNeo4jDatabaseName(name), InvalidInputError);
  }
});
