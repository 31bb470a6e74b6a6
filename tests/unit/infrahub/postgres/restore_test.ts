import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { checkPostgresServer, openPostgresTarget } from "../../../../src/infrahub/postgres/mod.ts";
import { postgresServer } from "./_server.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const DB = "task-manager-db";
const SERVER = postgresServer({ database: "pre'fect\"1" });
const NO = failure(["x"], 1, "no");
const NOW = new Date(2026, 0, 2, 3, 4, 5);
const FRESH = '"pre\'fect""1_restore_20260102_030405"';
const OLD = '"pre\'fect""1_before_20260102_030405"';
const LIVE = '"pre\'fect""1"';
const EXISTING = JSON.stringify({ owner: "own er", encoding: "UTF8", collate: "C", ctype: "C" });

function setUp(
  prepare: (environment: FakeEnvironment) => void = () => {},
  kind: "docker" | "kubernetes" = "docker",
) {
  const environment = new FakeEnvironment(kind);
  prepare(environment);
  environment
    .on(DB, "whoami", "postgres")
    .on(DB, "rolcreatedb", "prefect|f|t|t")
    .on(DB, "json_build_object", EXISTING)
    .on(DB, "SELECT datname FROM", "pre'fect\"1")
    .on(DB, "psql", "")
    .on(DB, "pg_restore", "");
  const { deployment, controller, lines } = fakeDeployment(environment);
  return { environment, deployment, controller, lines, journal: new UndoJournal(deployment) };
}

/** SQL that was run, and other commands in short. */
const steps = (environment: FakeEnvironment) =>
  environment.calls.filter(({ kind }) => kind !== "status").map(({ argv }) =>
    argv[0] === "psql" ? argv.at(-1) ?? "" : argv.slice(0, 2).join(" ")
  );

async function restore(fake: ReturnType<typeof setUp>) {
  const checked = await checkPostgresServer(fake.deployment, SERVER);
  fake.environment.calls.length = 0;
  const target = await openPostgresTarget(fake.deployment, checked, fake.journal, {
    stallTimeoutMs: 0,
    now: NOW,
  });
  await target.write(new TextEncoder().encode("dump"));
  return target;
}

Deno.test("checkPostgresServer() takes the socket where it may create databases, else TCP", async (t) => {
  const rows: [string, (e: FakeEnvironment) => void, "docker" | "kubernetes", string, string?][] = [
    ["a superuser", (e) => e.on(DB, "rolcreatedb", "a|b|t|f|f"), "docker", "socket", "prefect"],
    ["on Kubernetes", () => {}, "kubernetes", "socket"],
    [
      "no user name",
      (e) => e.on(DB, "whoami", "whoami: cannot find name for 1001"),
      "docker",
      "described",
    ],
    ["no whoami", (e) => e.on(DB, "whoami", NO), "docker", "described"],
    ["no socket", (e) => e.on(DB, "rolcreatedb", NO, "p|f|t|t"), "docker", "described"],
  ];
  for (const [name, prepare, kind, mode, user] of rows) {
    await t.step(name, async () => {
      const { deployment } = setUp(prepare, kind);
      const { client } = await checkPostgresServer(deployment, SERVER);
      assertEquals([client.mode, client.user], [mode, user]);
    });
  }
});

Deno.test("checkPostgresServer() refuses what cannot work, before anything is touched", async (t) => {
  const rows: [string, string, string][] = [
    [
      "createdb",
      "pre|fect|f|f|t",
      'role pre|fect may not create databases (grant it with: ALTER ROLE "pre|fect" CREATEDB)',
    ],
    ["owner", "prefect|f|t|f", "role prefect does not own database"],
  ];
  for (const [name, answer, message] of rows) {
    await t.step(name, async () => {
      const { deployment } = setUp((e) => e.on(DB, "rolcreatedb", answer));
      await assertRejects(
        () => checkPostgresServer(deployment, SERVER),
        DeploymentRefusedError,
        message,
      );
    });
  }
  await t.step("space", async () => {
    const { deployment } = setUp((e) =>
      e.on(DB, "SHOW data_directory", "/data").on(DB, "df -Pk /data", "h\nx 9 9 10 5% /")
    );
    await assertRejects(
      () => checkPostgresServer(deployment, SERVER, { bytes: 1 << 20 }),
      DeploymentRefusedError,
      "not enough space in /data",
    );
  });
});

Deno.test("openPostgresTarget() fills a new database and swaps it in", async () => {
  const fake = setUp();
  const target = await restore(fake);
  await target.close();
  const all = steps(fake.environment);
  assertEquals(all.slice(0, 2), [
    `CREATE DATABASE ${FRESH} TEMPLATE template0 OWNER "own er" ENCODING 'UTF8' ` +
    "LC_COLLATE 'C' LC_CTYPE 'C'",
    "pg_restore --exit-on-error",
  ]);
  assertStringIncludes(all[2] ?? "", "pg_terminate_backend");
  assertStringIncludes(
    all[2] ?? "",
    `; ALTER DATABASE ${LIVE} RENAME TO ${OLD}; ALTER DATABASE ${FRESH} RENAME TO ${LIVE}`,
  );
  assertEquals(all.length, 3);
  assertEquals(fake.journal.pending.length, 1);
  await target.settle(false);
  await target.finish();
  assertEquals(steps(fake.environment).at(-1), `DROP DATABASE IF EXISTS ${OLD}`);
  assertEquals(fake.journal.pending, []);
  const { argv, secrets, user } = fake.environment.find("pg_restore");
  assertEquals(argv, [
    "pg_restore",
    "--exit-on-error",
    "-w",
    "-d",
    "pre'fect\"1_restore_20260102_030405",
  ]);
  assertEquals([secrets.PGPASSWORD, user], ["hush", "prefect"]);
});

Deno.test("openPostgresTarget() swaps again when a client was faster", async () => {
  const fake = setUp((e) => e.on(DB, "RENAME TO", NO, NO, ""));
  const target = await restore(fake);
  await target.close();
  assertEquals(steps(fake.environment).filter((sql) => sql.includes("RENAME")).length, 3);
});

Deno.test("openPostgresTarget() puts everything back, however far it came", async (t) => {
  const dropped = `DROP DATABASE IF EXISTS ${FRESH}`;
  await t.step("create", async () => {
    const fake = setUp((e) => e.on(DB, "CREATE DATABASE", NO));
    await assertRejects(() => restore(fake), DeploymentError, "failed to restore postgresql: ");
    assertEquals(steps(fake.environment).at(-1), dropped);
  });
  await t.step("pg_restore", async () => {
    const fake = setUp((e) => e.on(DB, "pg_restore", NO));
    const target = await restore(fake);
    await assertRejects(() => target.close(), DeploymentError, "failed to restore postgresql: ");
    const all = steps(fake.environment);
    assertEquals(all.at(-1), dropped);
    assertEquals(all.some((sql) => sql.includes("RENAME")), false);
  });
  await t.step("swap", async () => {
    const fake = setUp((e) => e.on(DB, "RENAME TO", NO));
    const target = await restore(fake);
    await assertRejects(
      () => target.close(),
      DeploymentError,
      "failed to restore postgresql: the databases could not be swapped within 1m0s",
    );
    assertEquals(fake.journal.pending, []);
  });
  await t.step("given up", async () => {
    const fake = setUp();
    const target = await restore(fake);
    await target.abort(new Error("damaged"));
    assertEquals(steps(fake.environment).at(-1), dropped);
  });
  await t.step("after the swap", async () => {
    const fake = setUp((e) =>
      e.on(DB, "SELECT datname FROM", "pre'fect\"1\npre'fect\"1_before_20260102_030405")
    );
    const target = await restore(fake);
    await target.close();
    await fake.journal.undo();
    const all = steps(fake.environment);
    assertEquals(
      all.filter((sql) =>
        sql.includes(
          `ALTER DATABASE ${LIVE} RENAME TO ${FRESH}; ALTER DATABASE ${OLD} RENAME TO ${LIVE}`,
        )
      ).length,
      1,
    );
    assertEquals(all.at(-1), dropped);
  });
});

Deno.test("openPostgresTarget() warns when the old database cannot be dropped", async () => {
  const fake = setUp((e) => e.on(DB, "DROP DATABASE", NO));
  const target = await restore(fake);
  await target.close();
  await target.settle(false);
  await target.finish();
  assertEquals(fake.lines.at(-1)?.startsWith("warn The database that was replaced is still"), true);
  const name = "drop the PostgreSQL database that was replaced, pre'fect\"1_before_20260102_030405";
  assertEquals(fake.journal.pending, [name]);
  const [result] = await fake.journal.undo();
  assertEquals([result?.name, result?.harmless], [name, true]);
});

Deno.test("openPostgresTarget() drops the old database though the run was ended meanwhile", async () => {
  const fake = setUp();
  const target = await restore(fake);
  await target.close();
  fake.controller.abort(new Error("SIGTERM"));
  await target.settle(false);
  await target.finish();
  assertEquals(steps(fake.environment).at(-1), `DROP DATABASE IF EXISTS ${OLD}`);
  assertEquals(fake.journal.pending, []);
});
