import { assertEquals, assertStringIncludes } from "@std/assert";
import { DeploymentRuns } from "../../../../src/infrahub/mod.ts";
import type { Leftover } from "../../../../src/infrahub/unfinished/mod.ts";
import { recordingReporter } from "../../infrahub/_support.ts";
import { ScriptedDeployment, Workbench } from "../_deployment.ts";

const PLACE = { kind: "docker", target: "fake", host: "testhost" } as const;
const SERVICES: Leftover = { kind: "services", services: ["task-worker", "cache"] };
const HALF: Leftover = { kind: "replaced-neo4j", database: "neo4j", step: "replacing" };

/** A bench on which a run has left something; it lives until it is ended. */
async function leave(bench: Workbench, command: string, leftovers: readonly Leftover[]) {
  const variables = { XDG_STATE_HOME: `${bench.root}/state` };
  const runs = DeploymentRuns.of(
    `${bench.root}/state/infrahub-backup`,
    { place: PLACE },
    recordingReporter(),
  );
  if (runs === undefined) throw new Error("the place is known");
  const startedAt = new Date("2026-03-18T14:00:00Z");
  const record = runs.begin({ command, host: "testhost", pid: 7, startedAt });
  await record.keep("back", leftovers);
  return { variables, runs, record };
}

function stopped(): ScriptedDeployment {
  const deployment = new ScriptedDeployment();
  deployment.statuses.set("task-worker", "stopped").set("cache", "stopped");
  return deployment;
}

Deno.test("create puts right what a killed create has left, and says so", async () => {
  await using bench = await Workbench.create();
  const { variables, runs, record } = await leave(bench, "create", [
    SERVICES,
    { kind: "directory", service: "database", path: "/tmp/infrahubops-x" },
  ]);
  await record.end();
  const deployment = stopped();
  const { code, err } = await bench.run(["create"], { backend: "tarball", deployment, variables });
  assertEquals(code, 0, err);
  assertStringIncludes(
    err,
    "create of testhost (process 7, begun 2026-03-18T14:00:00Z) was killed",
  );
  assertEquals(deployment.down, []);
  assertEquals(deployment.log.includes("database: rm -rf /tmp/infrahubops-x"), true);
  assertEquals(await runs.find(), []);
});

Deno.test("nothing is restored, nor backed up, while a restore is under way", async () => {
  await using bench = await Workbench.create();
  const { out } = await bench.run(["create", "--log-format", "json"], { backend: "tarball" });
  const archive: string = JSON.parse(out).path;
  const { variables, record } = await leave(bench, "restore", [SERVICES]);
  for (const argv of [["create"], ["restore", archive], ["restore", "--recover"]]) {
    const deployment = stopped();
    const run = await bench.run(argv, { backend: "tarball", deployment, variables });
    assertEquals([run.code, deployment.story], [1, []], argv.join(" "));
    assertStringIncludes(run.err, "is changing this deployment now", argv.join(" "));
  }
  await record.end();
});

Deno.test("a graph that was half replaced is restored again, and nothing else", async () => {
  await using bench = await Workbench.create();
  const { out } = await bench.run(["create", "--log-format", "json"], { backend: "tarball" });
  const archive: string = JSON.parse(out).path;
  const { variables, runs, record } = await leave(bench, "restore", [SERVICES, HALF]);
  await record.end();
  const options = { backend: "tarball", variables } as const;
  const recovered = await bench.run(["restore", "--recover"], {
    ...options,
    deployment: stopped(),
  });
  assertEquals([recovered.code, recovered.deployment.down], [1, []]);
  assertStringIncludes(recovered.err, "restore a backup. Everything else has been put right");
  assertEquals((await runs.find())[0]?.leftovers, [HALF]);
  const created = await bench.run(["create"], options);
  assertEquals(created.code, 1);
  assertStringIncludes(created.err, "half replaced");
  const restored = await bench.run(["restore", archive], options);
  assertEquals(restored.code, 0, restored.err);
  assertEquals(await runs.find(), []);
});

Deno.test("a dry run and environment detect tell of a killed restore, and go on", async () => {
  await using bench = await Workbench.create();
  const { out } = await bench.run(["create", "--log-format", "json"], { backend: "tarball" });
  const archive: string = JSON.parse(out).path;
  const { variables, record } = await leave(bench, "restore", [SERVICES]);
  await record.end();
  const dry = await bench.run(["restore", archive, "--dry-run"], { backend: "tarball", variables });
  assertEquals(dry.code, 0, dry.err);
  assertStringIncludes(dry.err, "was killed while it changed this deployment");
  const detected = await bench.run(["environment", "detect", "--json"], { variables });
  assertEquals(JSON.parse(detected.out).unfinished, [{
    command: "restore",
    host: "testhost",
    pid: 7,
    started_at: "2026-03-18T14:00:00.000Z",
    alive: false,
    left: ["services"],
  }]);
});
