import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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
const FULL_DISK = "Filesystem\n/dev/x 9000000 9000000 0 100% /";
const WIPES = ["message-queue: find /var/lib/rabbitmq -mindepth"];
const STOPS = [
  "stop infrahub-server",
  "stop task-worker",
  "stop task-manager",
  "stop task-manager-background-svc",
  "stop cache",
  "stop message-queue",
];
const EMPTIED = "empty the cache";
const RESTARTS = [
  "stop cache message-queue",
  "start cache message-queue",
  "stop task-manager",
  "stop task-manager-background-svc",
  EMPTIED,
  "start task-manager",
  "start task-manager-background-svc",
];
const PG_RESTORE = "task-manager-db: pg_restore --exit-on-error -w";
const LOAD = "database: neo4j-admin database load";
const EXCHANGE = ["hold Neo4j", "exchange the Neo4j databases", "resume Neo4j"];

/** Makes a backup, and returns what `restore` has to be told to find it. */
async function backUp(
  bench: Workbench,
  backend: "plakar" | "tarball",
  scenario: Scenario = {},
): Promise<string[]> {
  const deployment = new ScriptedDeployment(scenario);
  const { code, out, err } = await bench.run(["create", ...JSON_LOG], { deployment, backend });
  assertEquals(code, 0, err);
  return backend === "plakar" ? [] : [JSON.parse(out).path];
}

for (const backend of ["plakar", "tarball"] as const) {
  Deno.test(`restore brings a Community backup back (${backend})`, async () => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    const argv = ["restore", ...source, "--reset-deployment-id", "--migrate-format", ...JSON_LOG];
    const { code, out, err, deployment } = await bench.run(argv, { backend });
    assertEquals(code, 0, err);
    const { duration_seconds, ...result } = JSON.parse(out);
    assertEquals([typeof duration_seconds, result], ["number", {
      type: "result",
      command: "restore",
      ok: true,
      backup_id: "20260318_143000",
      components: ["neo4j", "postgres"],
    }]);
    // Its compression may have changed; see keep_dump_compression_test.ts.
    const dump = deployment.received.get("neo4j-admin database") ?? new Uint8Array();
    assertEquals(dump.subarray(0, 8), DUMPS.community.subarray(0, 8));
    assertEquals(deployment.received.get("pg_restore --exit-on-error"), DUMPS.postgres);
    assertEquals(deployment.story.slice(0, 20), [
      ...WIPES,
      ...STOPS,
      PG_RESTORE,
      ...RESTARTS,
      LOAD,
      "database: neo4j-admin database migrate",
      ...EXCHANGE,
    ]);
    assertEquals(deployment.story.slice(20, 22), ["start infrahub-server", "start task-worker"]);
    assertEquals(deployment.log.filter((line) => line.includes("new_uuid")).length, 1);
    assertEquals(deployment.down, []);
    assertStringIncludes(err, "Infrahub should be available shortly");
  });

  Deno.test(`restore brings an Enterprise backup back (${backend})`, async () => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend, { edition: "enterprise" });
    const deployment = new ScriptedDeployment({ edition: "enterprise" });
    const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
    assertEquals(code, 0, err);
    const tar = deployment.received.get("tar xf") ?? new Uint8Array();
    if (backend === "plakar") assertEquals(tar, DUMPS.enterprise);
    else assertEquals(tar.length % 512, 0);
    assertStringIncludes(deployment.log.join("\n"), "neo4j-admin database restore");
    assertEquals(deployment.down, []);
  });

  Deno.test(`restore --exclude-taskmanager leaves PostgreSQL alone (${backend})`, async () => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    const restores = async (args: readonly string[], variables: Record<string, string> = {}) => {
      const argv = ["restore", ...source, ...args];
      const { code, err, deployment } = await bench.run(argv, { backend, variables });
      assertEquals(code, 0, err);
      return deployment.log.some((line) => line.includes("pg_restore"));
    };
    assertEquals(await restores(["--exclude-taskmanager"]), false);
    // Exported for backups: it does not leave out a database of a restore.
    assertEquals(await restores([], { INFRAHUB_EXCLUDE_TASKMANAGER: "1" }), true);
  });

  Deno.test(`restore --dry-run shows the plan and touches nothing (${backend})`, async () => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    const argv = ["restore", ...source, "--dry-run"];
    const { code, out, err, deployment } = await bench.run(argv, { backend });
    assertEquals(code, 0, err);
    assertEquals(deployment.story, []);
    assertMatch(out, /^Backup 20260318_143000 is sound and would be restored so:\n {2}1\. remove/);
    assertMatch(out, /restore Neo4j \(community\) from neo4j\.dump/);
    const stopped = new ScriptedDeployment();
    stopped.statuses.set("task-manager-db", "stopped");
    const down = await bench.run(argv, { backend, deployment: stopped });
    assertEquals([down.code, stopped.story], [0, []]);
    assertStringIncludes(down.err, "task-manager-db is down: whether its database can be replaced");
    stopped.statuses.set("database", "stopped");
    const both = await bench.run([...argv, "--neo4j-edition", "community"], {
      backend,
      deployment: stopped,
    });
    assertEquals([both.code, stopped.story], [0, []], both.err);
    assertStringIncludes(both.err, "database is down: whether its database can be replaced");
    const json = await bench.run([...argv, ...JSON_LOG], { backend });
    assertEquals([JSON.parse(json.out).dry_run, JSON.parse(json.out).steps.length], [true, 6]);
  });

  Deno.test(`restore refuses before anything is touched (${backend})`, async (t) => {
    const rows: [string, string[], string, Scenario?][] = [
      ["a newer graph", [], "only knows those up to version 78; use --force to restore it", {
        prepare: (e) => e.on("infrahub-server", "GRAPH_VERSION", "78"),
      }],
      ["an older Neo4j", [], "the backup is of Neo4j 5.26.12, and the server is Neo4j 4.4.48", {
        prepare: (e) =>
          e.on("database", "YIELD name, versions", 'name, versions\n"Neo4j Kernel", ["4.4.48"]'),
      }],
      ["an older PostgreSQL", [], "the server is PostgreSQL 15; use --force to try it", {
        prepare: (e) => e.on("task-manager-db", "server_version_num", "160004\n150013"),
      }],
      ["an unknown edition", [], "could not detect neo4j edition", {
        prepare: (e) => e.on("database", "dbms.components", NO),
      }],
      ["PostgreSQL that may not", [], "may not create databases", {
        prepare: (e) => e.on("task-manager-db", "rolcreatedb", "prefect|f|f|t"),
      }],
      ["room for the dump and not for the database", [], "about 128.0 KB needed, 100.0 KB free", {
        prepare: (e) => e.on("database", "df -Pk /d", FULL_DISK.replace(" 0 100%", " 100 99%")),
      }],
      ["a disk that is full", [], "not enough space in /d of database for the loaded Neo4j", {
        prepare: (e) => e.on("database", "df -Pk /d", FULL_DISK),
      }],
      ["a directory and a dry run", ["--to", "x", "--dry-run"], "cannot be used together"],
    ];
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    for (const [name, argv, message, scenario = {}] of rows) {
      await t.step(name, async () => {
        const deployment = new ScriptedDeployment(scenario);
        const { code, out, err } = await bench.run(
          ["restore", ...source, ...argv, ...JSON_LOG],
          { backend, deployment },
        );
        assertEquals([code, JSON.parse(out).ok], [1, false]);
        assertStringIncludes(JSON.parse(out).error, message, err);
        assertEquals(deployment.story, []);
      });
    }
    await t.step("an Enterprise backup on Community", async () => {
      await using other = await Workbench.create();
      const enterprise = await backUp(other, backend, { edition: "enterprise" });
      const { code, err, deployment } = await other.run(["restore", ...enterprise], { backend });
      assertEquals([code, deployment.story], [1, []]);
      assertStringIncludes(err, "cannot restore Enterprise backup on Community edition Neo4j");
    });
    await t.step("no space for an unpacked Enterprise backup", async () => {
      await using other = await Workbench.create();
      const enterprise = await backUp(other, backend, { edition: "enterprise" });
      const deployment = new ScriptedDeployment({
        edition: "enterprise",
        prepare: (e) => e.on("database", "df -Pk /tmp", FULL_DISK),
      });
      const { code, err } = await other.run(["restore", ...enterprise], { backend, deployment });
      assertEquals([code, deployment.story], [1, []]);
      assertStringIncludes(err, "not enough space in /tmp of database for the unpacked Neo4j");
    });
    await t.step("a damaged backup", async () => {
      await using other = await Workbench.create();
      const [archive] = await backUp(other, backend);
      await damage(archive ?? `${other.repository}/packfiles`);
      const argv = archive === undefined ? ["restore"] : ["restore", archive];
      const { code, deployment } = await other.run(argv, { backend });
      assertEquals([code, deployment.story], [1, []]);
    });
  });

  Deno.test(`restore says what state everything is in when it fails (${backend})`, async (t) => {
    const rows: [string, Scenario, string[]][] = [
      ["PostgreSQL", { prepare: (e) => e.on("task-manager-db", /^pg_restore/, NO) }, [
        "failed to restore postgresql",
        "Neo4j: unchanged",
        "PostgreSQL: unchanged",
      ]],
      ["Neo4j", { prepare: (e) => e.on("database", "database load", NO) }, [
        "failed to load neo4j dump from stream",
        "Neo4j: unchanged",
        "PostgreSQL: put back as it was before",
      ]],
      ["the exchange", { prepare: (e) => e.on("database", "infrahub-exchange", NO) }, [
        "failed to put the loaded neo4j database in its place",
        "Neo4j: put back as it was before",
        "PostgreSQL: put back as it was before",
      ]],
      ["the stop of a service", { prepare: (e) => e.onService("stop", "cache", NO) }, [
        "failed to stop cache",
        "Neo4j: unchanged",
        "PostgreSQL: unchanged",
      ]],
      ["the last start", {
        prepare: (e) => e.onService("start", "infrahub-server", NO, ""),
      }, ["failed to restart infrahub services", "Neo4j: restored", "PostgreSQL: restored"]],
    ];
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    for (const [name, scenario, messages] of rows) {
      await t.step(name, async () => {
        const deployment = new ScriptedDeployment(scenario);
        const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
        assertEquals(code, 1);
        for (const message of messages) assertStringIncludes(err, message);
        assertStringIncludes(err, "services: those that were stopped have been started again");
        assertEquals(deployment.down, []);
      });
    }
    await t.step("a service that stays down is named", async () => {
      const deployment = new ScriptedDeployment({
        prepare: (e) =>
          e.on("database", "database load", NO).onService("start", "infrahub-server", NO),
      });
      const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
      assertEquals(code, 1);
      assertStringIncludes(err, "left to do: start the application services again");
    });
  });

  Deno.test(`restore never leaves the graph of one backup with the tasks of another (${backend})`, async (t) => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    for (const canBePutBack of [true, false]) {
      await t.step(canBePutBack ? "both old" : "both new", async () => {
        let isNew = false;
        const deployment: ScriptedDeployment = new ScriptedDeployment({
          prepare: (e) => {
            e.on("database", "infrahub-exchange", () => {
              isNew = true;
              return "";
            });
            e.on("database", "infrahub-look", () => isNew ? "-\nformer\n-\nformer" : "-\n-\n-\n-");
            e.on("database", "infrahub-put-back", () => {
              if (!canBePutBack) throw NO;
              isNew = false;
              return "";
            });
            // Longer than the five minutes that a wait for Neo4j lasts elsewhere.
            e.on("database", "RETURN 1", () => {
              if (isNew) throw NO;
              return "1\n1";
            });
          },
        });
        const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
        assertEquals(code, 1);
        assertStringIncludes(
          err,
          canBePutBack
            ? "Neo4j: put back as it was before\n  PostgreSQL: put back as it was before"
            : "Neo4j: replaced, but it does not answer\n  PostgreSQL: restored",
        );
        assertEquals(deployment.down, []);
      });
    }
  });

  Deno.test(`restore waits as long as a large graph takes to open (${backend})`, async () => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    let looks = 0;
    const deployment = new ScriptedDeployment({
      prepare: (e) =>
        e.on("database", "RETURN 1", () => {
          const isNew = e.log.some((line) => line.includes("infrahub-exchange"));
          if (isNew && ++looks < 600) throw NO;
          return "1\n1";
        }),
    });
    const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
    assertEquals(code, 0, err);
  });

  Deno.test(`restore puts back what it can when it is interrupted (${backend})`, async (t) => {
    const rows: [string, string][] = [
      ["pg_restore", "Neo4j: unchanged\n  PostgreSQL: unchanged"],
      ["neo4j-admin", "Neo4j: unchanged\n  PostgreSQL: put back as it was before"],
    ];
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    for (const [program, state] of rows) {
      await t.step(program, async () => {
        const controller = new AbortController();
        const deployment = new ScriptedDeployment({
          onStream: (argv) => argv[0] === program && terminate(controller),
        });
        const { code, out, err } = await bench.run(["restore", ...source, ...JSON_LOG], {
          backend,
          deployment,
          controller,
        });
        assertEquals(code, 143);
        assertEquals(JSON.parse(out).error, "interrupted by SIGTERM");
        const lines = err.trim().split("\n").map((line) => JSON.parse(line).msg);
        assertEquals(lines.some((line) => line.includes(state)), true, err);
        assertEquals(deployment.down, []);
      });
    }
  });
}

for (const backend of ["plakar", "tarball"] as const) {
  Deno.test(`a graph that Infrahub has to migrate is told, or migrated (${backend})`, async (t) => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend);
    const older = (answers: readonly string[], upgrade: string | Error = "done") =>
      new ScriptedDeployment({
        prepare: (e) =>
          e.on("infrahub-server", "GRAPH_VERSION", "80")
            .on("infrahub-server", /^infrahub upgrade$/, upgrade)
            .on("database", "graph_version", ...answers.map((one) => `graph_version\n${one}`)),
      });
    const frontOf = (deployment: ScriptedDeployment) =>
      deployment.log.filter((line) =>
        /^start (infrahub-server|task-worker)$|: infrahub upgrade$/.test(line)
      )
        // The end of the run starts once more whatever was stopped.
        .slice(0, -2);
    const restores = (deployment: ScriptedDeployment, ...argv: string[]) =>
      bench.run(["restore", ...source, ...argv], { backend, deployment });

    await t.step("told at the end, and in the plan", async () => {
      const deployment = older(["79"]);
      const { code, out, err } = await restores(deployment, ...JSON_LOG);
      assertEquals(code, 0, err);
      const sentence = "The restored data has to be migrated (its graph is of version 79, and " +
        'Infrahub expects version 80): stop task-worker, run "infrahub upgrade" in ' +
        "infrahub-server, and start task-worker again";
      assertEquals(JSON.parse(out).left_to_do, [sentence]);
      assertStringIncludes(err, "The restored data has to be migrated");
      assertEquals(frontOf(deployment), ["start infrahub-server", "start task-worker"]);
      const plan = await restores(older(["79"]), "--dry-run");
      assertMatch(plan.out, /7\. left to be run by hand, or with --upgrade: infrahub upgrade: its/);
      const planned = await restores(older(["79"]), "--dry-run", "--upgrade");
      assertMatch(planned.out, /7\. migrate the graph before the workers start \(infrahub upgrade/);
    });
    await t.step("migrated, with the server up and the workers down", async () => {
      const deployment = older(["80"]);
      const { code, out, err } = await restores(deployment, "--upgrade", ...JSON_LOG);
      assertEquals([code, JSON.parse(out).left_to_do], [0, undefined], err);
      assertEquals(frontOf(deployment), [
        "start infrahub-server",
        "infrahub-server: infrahub upgrade",
        "start task-worker",
      ]);
      assertEquals(
        deployment.find("infrahub upgrade").env.PREFECT_SERVER_EPHEMERAL_ENABLED,
        "false",
      );
      assertStringIncludes(err, "Graph migrated: version 80");
    });
    await t.step(
      "a migration that fails fails the restore, with both databases restored",
      async () => {
        for (
          const [deployment, message] of [
            [older(["79"], NO), '"infrahub upgrade" has failed: '],
            [older(["79"]), "has left the graph at version 79, where Infrahub expects version 80"],
          ] as const
        ) {
          const { code, err } = await restores(deployment, "--upgrade");
          assertEquals(code, 1);
          assertStringIncludes(err, message);
          assertStringIncludes(err, "Neo4j: restored\n  PostgreSQL: restored");
          assertEquals(deployment.down, []);
        }
      },
    );
    await t.step("nothing to be migrated: nothing is run", async () => {
      const { code, err, deployment } = await restores(new ScriptedDeployment(), "--upgrade");
      assertEquals(code, 0, err);
      assertEquals(frontOf(deployment), ["start infrahub-server", "start task-worker"]);
    });
    await t.step("a server that is down is asked once it runs", async () => {
      const deployment = new ScriptedDeployment({
        prepare: (e) => e.on("infrahub-server", "GRAPH_VERSION", NO, "80"),
      });
      const { code, out, err } = await restores(deployment, ...JSON_LOG);
      assertEquals(code, 0, err);
      assertStringIncludes(err, "it is asked again once it runs");
      assertStringIncludes(JSON.parse(out).left_to_do[0], "Infrahub expects version 80");
    });
    await t.step("a newer one is restored when it is forced", async () => {
      const deployment = new ScriptedDeployment({
        prepare: (e) => e.on("infrahub-server", "GRAPH_VERSION", "78"),
      });
      const { code, err } = await restores(deployment, "--force", "--upgrade");
      assertEquals(code, 0, err);
      assertStringIncludes(err, "restored all the same, as --force asks");
      assertEquals(frontOf(deployment), ["start infrahub-server", "start task-worker"]);
    });
  });

  Deno.test(`a backup without a record of its graph goes by Infrahub's version (${backend})`, async (t) => {
    await using bench = await Workbench.create();
    const source = await backUp(bench, backend, {
      prepare: (e) =>
        e.on("database", "graph_version", "1\n1")
          .on("database", "YIELD name, versions", "")
          .on("infrahub-server", "GRAPH_VERSION", ""),
    });
    const rows: [running: string, code: number, message: string][] = [
      ["1.1.9", 1, "which is newer than the running 1.1.9; use --force"],
      ["1.2.0", 0, "Infrahub should be available shortly"],
      ["1.2.4", 0, "may have to be migrated (it is of Infrahub 1.2.0, and 1.2.4 runs)"],
      ["1.3.0", 0, "may have to be migrated (it is of Infrahub 1.2.0, and 1.3.0 runs)"],
      ["", 0, "may have to be migrated (the version of its graph was not recorded)"],
    ];
    for (const [running, expected, message] of rows) {
      await t.step(`on ${running || "a version that is not told"}`, async () => {
        const deployment = new ScriptedDeployment({
          prepare: (e) => e.on("infrahub-server", "infrahub.__version__", running),
        });
        const { code, err } = await bench.run(["restore", ...source], { backend, deployment });
        assertEquals(code, expected, err);
        assertStringIncludes(err, message);
        assertEquals(err.includes("to be migrated"), message.includes("to be migrated"));
      });
    }
  });
}

Deno.test("restore --snapshot restores one component, and wipes nothing", async (t) => {
  await using bench = await Workbench.create();
  await backUp(bench, "plakar");
  const [group] = await bench.groups();
  const id = (component: string) =>
    group?.snapshots.find((snapshot) => snapshot.component === component)?.snapshot_id ?? "";
  await t.step("PostgreSQL", async () => {
    const argv = ["restore", "--snapshot", id("postgres"), "--reset-deployment-id"];
    const { code, err, deployment } = await bench.run(argv);
    assertEquals(code, 0, err);
    const restarts = RESTARTS.filter((line) => line !== EMPTIED);
    assertEquals(deployment.story.slice(0, 13), [...STOPS, PG_RESTORE, ...restarts]);
    assertStringIncludes(deployment.log.join("\n"), "cache: redis-cli -n 0 EVAL");
    assertEquals(deployment.down, []);
    assertStringIncludes(err, "--reset-deployment-id ignored");
  });
  await t.step("metadata", async () => {
    const { code, out, deployment } = await bench.run(["restore", "--snapshot", id("metadata")]);
    assertEquals([code, out], [0, "Backup 20260318_143000: nothing to restore\n"]);
    assertEquals(deployment.story, []);
  });
});

Deno.test("a restore whose cache cannot be emptied says so, and does not end well", async () => {
  await using bench = await Workbench.create();
  await backUp(bench, "plakar");
  const prepare = (e: ScriptedDeployment) =>
    e.on("cache", "INFO", "NOAUTH Authentication required.");
  const deployment = new ScriptedDeployment({ prepare });
  const { code, err } = await bench.run(["restore"], { deployment });
  assertEquals(code, 1);
  assertStringIncludes(err, 'restored, but the cache has not been emptied: it answers "NOAUTH');
  assertStringIncludes(err, "stop infrahub-server and task-worker, then redis-cli FLUSHALL");
  assertEquals(deployment.down, []);
  assertEquals(deployment.story.slice(-2), ["start infrahub-server", "start task-worker"]);
});

Deno.test("restore takes part of an incomplete backup only when forced", async () => {
  await using bench = await Workbench.create();
  const broken = new ScriptedDeployment({ postgres: "fails" });
  assertEquals((await bench.run(["create"], { deployment: broken })).code, 1);
  const refused = await bench.run(["restore"]);
  assertEquals([refused.code, refused.deployment.story], [1, []]);
  assertStringIncludes(refused.err, "is incomplete (missing: postgres, metadata); use --force");
  const exported = await bench.run(["restore"], { variables: { INFRAHUB_FORCE: "true" } });
  assertEquals([exported.code, exported.deployment.story], [1, []]);
  const { code, out } = await bench.run(["restore", "--force"]);
  assertEquals([code, out], [0, "Backup 20260318_143000 restored: neo4j\n"]);
});

Deno.test("an archive that is encrypted for a key of keygen comes back with it", async () => {
  await using bench = await Workbench.create();
  const key = `${bench.root}/my.key`;
  const made = await bench.run(["keygen", "-o", key]);
  assertEquals([made.code, made.out], [0, await Deno.readTextFile(`${key}.pub`)]);
  const again = await bench.run(["keygen", "-o", key]);
  assertEquals([again.code, again.err.includes("key file exists already")], [1, true]);
  const create = ["create", "--encrypt-key", `${key}.pub`, ...JSON_LOG];
  const { out, err } = await bench.run(create, { backend: "tarball" });
  const { path, encrypted } = JSON.parse(out);
  assertEquals([path.endsWith(".tar.gz.enc"), encrypted], [true, true]);
  assertEquals(err.includes("OPSMILL"), false);
  const without = await bench.run(["restore", path], { backend: "tarball" });
  assertEquals([without.code, without.deployment.story], [1, []]);
  assertStringIncludes(without.err, "backup file is encrypted; provide --decrypt-key");
  const { code } = await bench.run(["restore", path], {
    backend: "tarball",
    variables: { INFRAHUB_DECRYPT_KEY: key },
  });
  assertEquals(code, 0);
});

Deno.test("an Enterprise archive of the Go tool is restored, with all its files", async () => {
  await using bench = await Workbench.create();
  const archive =
    new URL("../../../../fixtures/archive/enterprise.tar.gz", import.meta.url).pathname;
  const deployment = new ScriptedDeployment({
    edition: "enterprise",
    prepare: (e) => e.on("infrahub-server", /^python/, "1.5.0"),
  });
  const { code, err } = await bench.run(["restore", archive], { backend: "tarball", deployment });
  assertEquals(code, 0, err);
  const path = `${bench.root}/received.tar`;
  await Deno.writeFile(path, deployment.received.get("tar xf") ?? new Uint8Array());
  const { stdout } = await new Deno.Command("tar", { args: ["-tf", path] }).output();
  const names = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(names.map((name) => name.replace(/n{150}/, "n…")), [
    "infrahubops/deep/n…",
    "infrahubops/empty",
    "infrahubops/neo4j-2026-06-26T10-00-00.backup",
    "infrahubops/system-2026-06-26T10-00-00.backup",
  ]);
});

Deno.test("create --encrypt says loudly who can read the archive", async () => {
  await using bench = await Workbench.create();
  const { code, err } = await bench.run(["create", "--encrypt", "--quiet"], { backend: "tarball" });
  assertEquals(code, 0, err);
  assertStringIncludes(err, "the archive can be decrypted by OpsMill only, and NOT BY YOU");
});

Deno.test("restore --to unpacks an archive without a deployment", async () => {
  await using bench = await Workbench.create();
  const source = await backUp(bench, "tarball");
  const to = `${bench.root}/out`;
  const { code, err } = await bench.run(["restore", ...source, "--to", to], {
    backend: "tarball",
    context: { detectEnvironment: () => Promise.reject(new Error("not to be called")) },
  });
  assertEquals(code, 0, err);
  assertEquals(await Deno.readFile(`${to}/backup/prefect.dump`), DUMPS.postgres);
});

Deno.test("restore checks its arguments in the order of the Go tool", async (t) => {
  const rows: [string[], string, Record<string, string>?][] = [
    [["--backend", "bogus"], "requires exactly 1 arg(s), only received 0"],
    [["--backend", "tarball", "a", "b"], "requires exactly 1 arg(s), only received 2"],
    [
      ["--backend", "tarball", "--repo", "/r"],
      "only received 0: an archive, or --backend plakar for a backup in the repository",
    ],
    [["--backend", "bogus", "a"], "unknown backend: bogus, expected 'tarball' or 'plakar'"],
    [["--backend", "tarball", "/nowhere.tar.gz"], "backup file not found: /nowhere.tar.gz"],
    [["--backend", "tarball", "s3://b/"], "invalid S3 URI: s3://b/: it names no archive"],
    [["--backend", "tarball", "s3:///k"], "invalid S3 URI: s3:///k: it names no bucket"],
    [
      ["--backend", "tarball", "s3://key:hush@host/b/k"],
      "invalid S3 URI: expected s3://bucket/key",
    ],
    [["a.tar.gz"], "plakar backend takes no backup file: a.tar.gz"],
    [[], "--s3-upload and related S3 flags cannot be used", { INFRAHUB_S3_UPLOAD: "true" }],
    [["--snapshot", "a", "--backup-id", "b"], "cannot be used together"],
    [["--snapshot", "0"], "too short to restore into a deployment: at least 8 digits"],
    [["--snapshot", "0123456"], "too short to restore into a deployment"],
  ];
  await using bench = await Workbench.create();
  for (const [argv, message, variables = {}] of rows) {
    await t.step(message, async () => {
      const { code, err, deployment } = await bench.run(["restore", ...argv], { variables });
      assertEquals([code, deployment.calls], [1, []]);
      assertStringIncludes(err, message);
    });
  }
});

/** Changes a byte in the middle of a file, or of every file below a directory. */
async function damage(path: string): Promise<void> {
  if ((await Deno.stat(path)).isDirectory) {
    for await (const { name } of Deno.readDir(path)) await damage(`${path}/${name}`);
    return;
  }
  const bytes = await Deno.readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
  await Deno.writeFile(path, bytes);
}

Deno.test("restore --keep-old leaves what was replaced, and tells where", async (t) => {
  await using bench = await Workbench.create();
  const source = await backUp(bench, "tarball");
  const restore = (args: readonly string[], deployment = new ScriptedDeployment()) =>
    bench.run(["restore", ...source, ...args, ...JSON_LOG], { backend: "tarball", deployment });
  const removals = ({ log }: ScriptedDeployment) =>
    log.filter((line) => /DROP DATABASE .*_before_|rm -rf .*\.before-/.test(line)).length;

  await t.step("both databases", async () => {
    const plain = await restore([]);
    assertEquals(removals(plain.deployment), 2, plain.deployment.log.join("\n"));
    const { code, out, err, deployment } = await restore(["--keep-old"]);
    assertEquals([code, removals(deployment)], [0, 0], err);
    const [told, ...others] = JSON.parse(out).left_to_do;
    assertEquals(others, []);
    assertMatch(
      told,
      /replaced are kept: Neo4j's in \/\S+ and \/\S+, PostgreSQL's as database \S+_before_\d{8}_\d{6}\. /,
    );
    const plan = await restore(["--keep-old", "--dry-run"]);
    assertStringIncludes(plan.out, "keep the databases that were replaced");
  });
  await t.step("one database", async () => {
    const { out } = await restore(["--keep-old", "--exclude-taskmanager"]);
    const [told] = JSON.parse(out).left_to_do;
    assertMatch(told, /Neo4j's in/);
    assertEquals(told.includes("PostgreSQL"), false);
  });
  await t.step("told as well where the restore fails later", async () => {
    const deployment = new ScriptedDeployment({
      prepare: (e) =>
        e.on("infrahub-server", "GRAPH_VERSION", "80")
          .on("infrahub-server", /^infrahub upgrade$/, NO)
          .on("database", "graph_version", "graph_version\n79"),
    });
    const { code, err } = await restore(["--keep-old", "--upgrade"], deployment);
    assertEquals(code, 1);
    assertStringIncludes(err, "The databases that were replaced are kept: Neo4j's in");
  });
  await t.step("Enterprise replaces its database in place", async () => {
    const enterprise = await backUp(bench, "plakar", { edition: "enterprise" });
    const deployment = new ScriptedDeployment({ edition: "enterprise" });
    const { code, err } = await bench.run(["restore", ...enterprise, "--keep-old"], { deployment });
    assertEquals([code, deployment.story], [1, []], err);
    assertStringIncludes(err, "--keep-old");
  });
});
