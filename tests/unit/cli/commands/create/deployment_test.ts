import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { failure } from "../../../infrahub/fake_environment.ts";
import {
  DUMPS,
  type Scenario,
  ScriptedDeployment,
  terminate,
  Workbench,
} from "../../_deployment.ts";

const JSON_LOG = ["--log-format", "json"];
const NO = failure(["x"], 1, "no");
const STOPS = [
  "stop infrahub-server",
  "stop task-worker",
  "stop task-manager",
  "stop task-manager-background-svc",
  "stop cache",
  "stop message-queue",
];
const STARTS = [
  "start cache",
  "start message-queue",
  "start task-manager",
  "start task-manager-background-svc",
  "start infrahub-server",
  "start task-worker",
];
const PG_DUMP = "task-manager-db: pg_dump -Fc -Z0";

for (const backend of ["plakar", "tarball"] as const) {
  Deno.test(`create backs up a Community deployment, with services down (${backend})`, async () => {
    await using bench = await Workbench.create();
    const { code, out, err, deployment } = await bench.run(["create", ...JSON_LOG], { backend });
    assertEquals(code, 0, err);
    assertEquals(deployment.story, [
      ...STOPS,
      "hold Neo4j",
      "database: neo4j-admin database dump",
      "resume Neo4j",
      PG_DUMP,
      ...STARTS,
    ]);
    assertEquals(deployment.down, []);
    const result = JSON.parse(out);
    assertEquals([result.ok, result.backup_id], [true, "20260318_143000"]);
    assertEquals(result.warnings, undefined);
    if (backend === "plakar") {
      const [group] = await bench.groups();
      assertEquals([group?.status, group?.snapshots.map((one) => one.component)], [
        "complete",
        ["neo4j", "postgres", "metadata"],
      ]);
      assertEquals(await bench.archives(), []);
    } else {
      assertEquals(await bench.archives(), ["infrahub_backup_20260318_143000.tar.gz"]);
      assertEquals(result.path, `${bench.root}/archives/infrahub_backup_20260318_143000.tar.gz`);
      assertEquals(result.components, [
        { component: "neo4j", bytes_read: DUMPS.community.length },
        { component: "postgres", bytes_read: DUMPS.postgres.length },
      ]);
    }
  });

  Deno.test(`create backs up an Enterprise deployment while it runs (${backend})`, async () => {
    await using bench = await Workbench.create();
    const deployment = new ScriptedDeployment({ edition: "enterprise" });
    const argv = ["create", "--neo4jmetadata", "users"];
    const { code, out, err } = await bench.run(argv, { backend, deployment });
    assertEquals(code, 0, err);
    assertEquals(deployment.log.filter((line) => /^(start|stop) /.test(line)), []);
    assertStringIncludes(deployment.find("database backup").command, "--include-metadata=users");
    const where = backend === "plakar"
      ? `${bench.repository})\n`
      : `\n${bench.root}/archives/infrahub_backup_20260318_143000.tar.gz\n`;
    assert(out.endsWith(where), out);
  });

  Deno.test(`create keeps secrets out of commands and logs (${backend})`, async () => {
    await using bench = await Workbench.create();
    const argv = ["create", "--log-level", "debug"];
    const { code, out, err, deployment } = await bench.run(argv, { backend });
    assertEquals(code, 0, err);
    const visible = [
      out,
      err,
      ...deployment.log,
      JSON.stringify(deployment.calls.map((c) => c.env)),
    ];
    assertEquals(visible.filter((text) => /hush-(neo4j|pg)/.test(text)), []);
    assertEquals(deployment.find("pg_dump").secrets, { PGPASSWORD: "hush-pg" });
  });

  Deno.test(`create makes no backup of a dump that fails, and starts all again (${backend})`, async (t) => {
    const cut = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 2));
    const rows: [string, Scenario, string][] = [
      ["Neo4j exits 1", { neo4j: "fails" }, "no such database"],
      ["Neo4j exits 1 late", { neo4j: "fails late" }, ""],
      ["Neo4j writes nothing", { neo4j: new Uint8Array() }, "empty"],
      ["Neo4j's dump is cut", { neo4j: cut(DUMPS.community) }, ""],
      ["PostgreSQL exits 1", { postgres: "fails" }, "no such database"],
      ["PostgreSQL exits 1 late", { postgres: "fails late" }, "cut off"],
      ["PostgreSQL writes nothing", { postgres: new Uint8Array() }, "empty"],
      ["PostgreSQL's dump is cut", { postgres: cut(DUMPS.postgres) }, ""],
      ["Neo4j cannot be held", { prepare: (e) => e.on("database", '>"$1/stopping"', NO) }, "no"],
      [
        "a service does not stop",
        { prepare: (e) => e.onService("stop", "task-manager", NO) },
        "failed to stop task-manager",
      ],
      [
        "Enterprise: the backup exits 1",
        { edition: "enterprise", prepare: (e) => e.on("database", "database backup", NO) },
        "failed to backup neo4j",
      ],
      [
        "Enterprise: the tar is cut",
        { edition: "enterprise", neo4j: cut(DUMPS.enterprise) },
        "",
      ],
    ];
    for (const [name, scenario, message] of rows) {
      await t.step(name, async () => {
        await using bench = await Workbench.create();
        const deployment = new ScriptedDeployment(scenario);
        const { code, out, err } = await bench.run(["create", ...JSON_LOG], {
          deployment,
          backend,
        });
        assertEquals(code, 1, err);
        const result = JSON.parse(out);
        assertEquals([result.ok, result.path], [false, undefined]);
        assertStringIncludes(result.error, message);
        assertEquals(deployment.down, []);
        assertEquals(await bench.archives(), []);
        const failed = name.startsWith("PostgreSQL") ? "postgres" : "neo4j";
        const groups = await bench.groups();
        assertEquals(
          groups.flatMap((group) => group.snapshots).some(({ component }) =>
            component === failed || component === "metadata"
          ),
          false,
        );
        if (name.startsWith("PostgreSQL") && backend === "plakar") {
          assertEquals(groups.map((group) => group.status), ["incomplete"]);
        }
      });
    }
  });

  Deno.test(`create puts everything back when it is interrupted (${backend})`, async (t) => {
    for (const program of ["neo4j-admin", "pg_dump"]) {
      await t.step(`while ${program} runs`, async () => {
        await using bench = await Workbench.create();
        const controller = new AbortController();
        const deployment = new ScriptedDeployment({
          neo4j: program === "pg_dump" ? DUMPS.community : "stalls",
          onStream: (argv) => argv[0] === program && terminate(controller),
        });
        const { code, out } = await bench.run(["create", ...JSON_LOG], {
          deployment,
          backend,
          controller,
        });
        assertEquals(code, 143);
        assertEquals(JSON.parse(out), {
          type: "result",
          command: "create",
          ok: false,
          error: "interrupted by SIGTERM",
        });
        assertEquals(deployment.down, []);
        assertEquals(deployment.story.includes("resume Neo4j"), true);
        assertEquals(await bench.archives(), []);
        assertEquals((await bench.groups()).filter(({ status }) => status === "complete"), []);
      });
    }
  });

  Deno.test(`create fails, with the backup made, when a service does not start again (${backend})`, async () => {
    await using bench = await Workbench.create();
    const deployment = new ScriptedDeployment({
      prepare: (e) => e.onService("start", "infrahub-server", NO),
    });
    const { code, out, err } = await bench.run(["create", ...JSON_LOG], { deployment, backend });
    assertEquals(code, 1);
    const result = JSON.parse(out);
    assertEquals([result.ok, result.backup_id], [false, "20260318_143000"]);
    assertStringIncludes(result.error, "failed to start infrahub-server");
    assertStringIncludes(err, "Failed to restart services after backup: ");
    assertStringIncludes(err, "Backup 20260318_143000 itself is complete");
    assertEquals(deployment.down, ["infrahub-server"]);
    const made = backend === "plakar" ? await bench.groups() : await bench.archives();
    assertEquals(made.length, 1);
  });

  Deno.test(`create warns of a much smaller backup, and exits with 3 (${backend})`, async () => {
    await using bench = await Workbench.create();
    if (backend === "plakar") {
      const first = new ScriptedDeployment({ neo4j: repeated(DUMPS.community, 20) });
      assertEquals((await bench.run(["create"], { deployment: first })).code, 0);
    } else {
      await Deno.mkdir(`${bench.root}/archives`);
      const name = "infrahub_backup_20260318_143000.tar.gz";
      await Deno.writeFile(`${bench.root}/archives/${name}`, new Uint8Array(1_000_000));
    }
    const now = new Date("2026-03-19T14:30:00Z");
    const { code, out, err } = await bench.run(["create", ...JSON_LOG], { backend, now });
    assertEquals(code, 3, err);
    const [warning] = JSON.parse(out).warnings;
    assertMatch(
      warning,
      /^The (neo4j dump|archive) is \d\d % smaller than in backup 20260318_143000 \(/,
    );
    const off = ["create", "--shrink-warning", "0"];
    const third = await bench.run(off, { backend, now: new Date("2026-03-20T14:30:00Z") });
    assertEquals(third.code, 0);
  });
}

Deno.test("create refuses before anything is touched", async (t) => {
  const rows: [string[], string, ("plakar" | "tarball")?, Scenario?][] = [
    [["--redact"], "--redact is a destructive operation that replaces all"],
    [["--encrypt-key", "/nowhere"], "--encrypt-key cannot be used with plakar backend"],
    [["--passphrase-file", "/x"], "--passphrase-file is for repositories", "tarball"],
    [["--passphrase-file", "/nowhere"], "a passphrase was given, but not --encrypt"],
    [["--encrypt", "--passphrase-file", "/nowhere"], "cannot read the passphrase: "],
    [["--encrypt", "--passphrase-file", ""], "--passphrase-file needs the name of a file"],
    [["--encrypt"], "it is to be encrypted, and no passphrase was given: use --passphrase-file"],
    [["--s3-upload"], "--s3-upload and related S3 flags cannot be used with plakar backend"],
    [["--s3-upload"], "S3 bucket is required when S3 upload/download is enabled", "tarball"],
    [["--encrypt-key", "/nowhere"], "failed to load encryption key: ", "tarball"],
    [["--resume", "x"], "--resume is for the plakar backend", "tarball"],
    [["--resume", "20200101_000000"], "backup group not found: 20200101_000000"],
    [["--resume", "x", "--redact", "--force"], "--redact cannot be used with --resume"],
    [["--neo4jmetadata", "some"], 'invalid argument "some" for "--neo4jmetadata" flag'],
    [["--neo4j-edition", "x"], "unknown neo4j edition: x"],
    [["--wait-timeout", "5"], "missing unit in duration"],
    [["--shrink-warning", "100"], "must be a whole number from 0 to 99"],
    [["from-fils"], 'unknown command "from-fils" for "infrahub-backup create"'],
    [["--backup-dir", "/dev/null/x"], "failed to create backup directory /dev/null/x: ", "tarball"],
    [[], "could not detect neo4j edition", "plakar", {
      prepare: (e) => e.on("database", "dbms.components", NO),
    }],
    [[], "cannot get into Neo4j's database neo4j as neo4j: ", "plakar", {
      prepare: (e) => e.on("database", "RETURN 1", NO),
    }],
    [[], "cannot get into PostgreSQL's database prefect as p: ", "plakar", {
      prepare: (e) => e.on("task-manager-db", /^psql .* SELECT 1$/, NO),
    }],
    [[], "cannot get into PostgreSQL's database prefect as p: ", "tarball", {
      prepare: (e) => e.on("task-manager-db", /^psql .* SELECT 1$/, NO),
    }],
    [["--redact", "--force"], "cannot redact database: ", "plakar", {
      prepare: (e) => e.on("database", "EXPLAIN", NO),
    }],
    [[], "1 tasks are still running after 1h0m0s", "plakar", {
      prepare: (e) => e.on("task-worker", /^infrahubctl/, '[{"id":"1","title":"t"}]'),
    }],
  ];
  for (const [argv, message, backend = "plakar", scenario = {}] of rows) {
    await t.step(`${argv.join(" ")} ${backend}: ${message}`, async () => {
      await using bench = await Workbench.create();
      const deployment = new ScriptedDeployment(scenario);
      const { code, err } = await bench.run(["create", ...argv], { deployment, backend });
      assertEquals(code, 1);
      assertStringIncludes(err, message);
      assertEquals(deployment.story, []);
      assertEquals(await bench.archives(), []);
      assertEquals(await bench.groups(), []);
    });
  }
});

Deno.test("create tries no credentials that it does not need", async () => {
  await using bench = await Workbench.create();
  const deployment = new ScriptedDeployment({
    prepare: (e) => e.on("task-manager-db", /^psql/, NO),
  });
  const { code, err } = await bench.run(["create", "--exclude-taskmanager"], { deployment });
  assertEquals(code, 0, err);
});

Deno.test("create --resume adds what is missing, and stops nothing that it need not", async () => {
  await using bench = await Workbench.create();
  const broken = new ScriptedDeployment({ postgres: "fails" });
  assertEquals((await bench.run(["create"], { deployment: broken })).code, 1);
  const argv = ["create", "--resume", "20260318_143000"];

  const other = new ScriptedDeployment({ edition: "enterprise" });
  const mismatch = await bench.run(argv, { deployment: other });
  assertEquals([mismatch.code, other.story], [1, []]);
  assertStringIncludes(
    mismatch.err,
    "cannot resume: the backup is of Neo4j community edition, the deployment is enterprise",
  );
  const without = await bench.run([...argv, "--exclude-taskmanager"]);
  assertEquals([without.code, without.deployment.story], [1, []]);

  const { code, err, deployment } = await bench.run(argv);
  assertEquals(code, 0, err);
  assertEquals(deployment.story, [PG_DUMP]);
  const groups = await bench.groups();
  assertEquals(groups.map(({ backup_id, status }) => [backup_id, status]), [
    ["20260318_143000", "complete"],
  ]);
  const again = await bench.run(argv);
  assertStringIncludes(again.err, "is complete: there is nothing to resume");
});

Deno.test("create redacts once everything is known to work, and says so in the backup", async () => {
  await using bench = await Workbench.create();
  const { code, err, deployment } = await bench.run(["create", "--redact", "--force"]);
  assertEquals(code, 0, err);
  const queries = deployment.log.filter((line) => line.includes("AttributeValue"));
  assertEquals(queries.map((line) => line.includes("EXPLAIN")), [true, false]);
  const { out } = await bench.run(["snapshots", "list", ...JSON_LOG]);
  assertEquals(JSON.parse(out)[0].redacted, true);
});

Deno.test("create --exclude-taskmanager leaves PostgreSQL alone", async () => {
  await using bench = await Workbench.create();
  const { code, err, deployment } = await bench.run(["create"], {
    variables: { INFRAHUB_EXCLUDE_TASKMANAGER: "true" },
  });
  assertEquals(code, 0, err);
  assertEquals(deployment.log.filter((line) => line.includes("pg_dump")), []);
  assertStringIncludes(err, "Skipping task manager database backup as requested");
  assertEquals((await bench.groups()).map(({ status }) => status), ["complete"]);
});

Deno.test("create --sleep waits after the result, with the services up", async () => {
  await using bench = await Workbench.create();
  const controller = new AbortController();
  let down: string[] | undefined;
  const deployment = new ScriptedDeployment();
  const clock = {
    now: () => performance.now(),
    sleep: (milliseconds: number, signal?: AbortSignal) => {
      if (milliseconds === 300_000) {
        down = deployment.down;
        terminate(controller);
      }
      // Longer ones are time limits, which must not come first.
      return milliseconds > 60_000 && !signal?.aborted
        ? new Promise<void>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        })
        : Promise.resolve(signal?.throwIfAborted());
    },
  };
  const argv = ["create", "--force", "--sleep", "5m", ...JSON_LOG];
  const { code, out, err } = await bench.run(argv, {
    deployment,
    backend: "tarball",
    controller,
    context: { clock },
  });
  assertEquals([code, down], [143, []], err);
  assertEquals(JSON.parse(out).ok, true);
  assertStringIncludes(err, "Sleeping for 5m0s to allow backup file transfer...");
});

/** As many copies in a row: a dump of zstd frames stays one. */
function repeated(bytes: Uint8Array, count: number): Uint8Array {
  const frame = bytes.subarray(4);
  const whole = new Uint8Array(4 + frame.length * count);
  whole.set(bytes.subarray(0, 4));
  for (let index = 0; index < count; index++) whole.set(frame, 4 + index * frame.length);
  return whole;
}

Deno.test("a downtime can be thought better of on a terminal, and is not waited for without one", async () => {
  for (const stderrIsTerminal of [true, false]) {
    await using bench = await Workbench.create();
    const { code, err } = await bench.run(["create", "--quiet"], {
      backend: "tarball",
      context: { stderrIsTerminal },
    });
    assertEquals(code, 0, err);
    assertStringIncludes(err, "services will be stopped and restarted during the backup");
    assertEquals(err.includes("to allow the user to abort"), stderrIsTerminal, err);
  }
});
