import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Neo4jEdition } from "../../../../src/infrahub/component.ts";
import { DeploymentRefusedError } from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoFailedError } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import {
  backUpDeployment,
  type DeploymentBackupOptions,
  type ReadyDeployment,
} from "../../../../src/infrahub/run/deployment_backup.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { postgresServer } from "../postgres/_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = {
  neo4j: { database: "neo4j", username: "neo4j", password: new Secret("x") },
  postgres: () => postgresServer(),
  cache: { database: 0 },
};

function setUp(
  edition: Neo4jEdition,
  more: Partial<DeploymentBackupOptions> = {},
  environment = new FakeEnvironment(),
) {
  environment
    .on("database", "YIELD name, versions", 'name, versions\n"Neo4j Kernel", ["5.26.12"]')
    .on("database", "graph_version", "graph_version\n79")
    .on("database", "dbms.components", `name, edition\n"Neo4j Kernel", "${edition}"`)
    .on("infrahub-server", "python -c", "1.2.0")
    .on("database", "RETURN 1", "1\n1")
    .on("task-manager-db", "psql", "");
  const { deployment, lines } = fakeDeployment(environment);
  const options: DeploymentBackupOptions = {
    deployment,
    credentials: CREDENTIALS,
    neo4jMetadata: "all",
    excludeTaskManager: false,
    force: true,
    redact: false,
    waitTimeoutMs: 0,
    stallTimeoutMs: 0,
    ...more,
  };
  return {
    environment,
    lines,
    /** What was stopped and started. */
    services: () => environment.log.filter((line) => /^(start|stop) /.test(line)),
    run: <Result>(store: (ready: ReadyDeployment) => Promise<Result>) =>
      backUpDeployment(options, store),
  };
}

const componentsOf = ({ sources }: ReadyDeployment) =>
  Promise.resolve(sources.map(({ component }) => component));

Deno.test("backUpDeployment() leaves the services of an Enterprise deployment alone", async () => {
  const { run, services } = setUp("enterprise");
  const ready = await run((given) => Promise.resolve(given));
  assertEquals(await componentsOf(ready), ["neo4j", "postgres"]);
  assertEquals([ready.neo4jEdition, ready.infrahubVersion, ready.sideBySide], [
    "enterprise",
    "1.2.0",
    true,
  ]);
  assertEquals(services(), []);
});

Deno.test("backUpDeployment() has Community's services down while its dumps are read, no longer", async () => {
  const { run, services } = setUp("community");
  const seen = await run(async ({ sideBySide, release }) => {
    const stopped = services();
    await release();
    return { sideBySide, stopped, released: services().length };
  });
  assertEquals(seen.sideBySide, false);
  assertEquals(seen.stopped.map((line) => line.split(" ")[0]), Array(6).fill("stop"));
  // All six are up again before the archive is packed, and nothing is started twice.
  assertEquals([seen.released, services().length], [12, 12]);
});

Deno.test("backUpDeployment() starts the services again when the backup fails", async () => {
  const { run, services } = setUp("community");
  await assertRejects(() => run(() => Promise.reject(new Error("disk full"))), Error, "disk full");
  assertEquals(services().filter((line) => line.startsWith("start ")).length, 6);
});

Deno.test("backUpDeployment() warns of a service that does not start again, and fails in the end", async () => {
  const environment = new FakeEnvironment()
    .onService("start", "cache", failure(["x"], 1, "no"));
  const { run, lines } = setUp("community", {}, environment);
  let stored = false;
  await assertRejects(
    () =>
      run(async ({ release }) => {
        await release();
        stored = true; // A dump that is read is not thrown away for that.
      }),
    UndoFailedError,
  );
  assertEquals(stored, true);
  assertStringIncludes(lines.join("\n"), "warn Failed to restart services after backup: ");
});

Deno.test("backUpDeployment() stops nothing for a backup that only lacks PostgreSQL", async () => {
  const resume = { missing: ["postgres", "metadata"], neo4jEdition: "community" };
  const { run, services } = setUp("community", { resume });
  assertEquals(await run(componentsOf), ["postgres"]);
  assertEquals(services(), []);
});

Deno.test("backUpDeployment() refuses before anything is touched", async (t) => {
  const rows: [
    string,
    Partial<DeploymentBackupOptions>,
    typeof DeploymentRefusedError | typeof InvalidInputError,
    string,
  ][] = [
    [
      "components of two editions",
      { resume: { missing: ["neo4j"], neo4jEdition: "enterprise" } },
      DeploymentRefusedError,
      "the backup is of Neo4j enterprise edition, the deployment is community",
    ],
    [
      "to leave aside what is missing",
      {
        resume: { missing: ["postgres"], neo4jEdition: "community" },
        excludeTaskManager: true,
      },
      DeploymentRefusedError,
      "cannot resume without the task manager",
    ],
    [
      "a redaction that nobody confirms",
      { redact: true, force: false },
      InvalidInputError,
      "use --force to confirm",
    ],
    [
      "a redaction that cannot work",
      { redact: true },
      DeploymentRefusedError,
      "cannot redact database: ",
    ],
  ];
  for (const [name, more, type, message] of rows) {
    await t.step(name, async () => {
      const environment = new FakeEnvironment()
        .on("database", "EXPLAIN", failure(["cypher-shell"], 1, "unknown syntax"));
      const { run, services } = setUp("community", more, environment);
      await assertRejects(() => run(componentsOf), type, message);
      assertEquals(services(), []);
    });
  }
});
