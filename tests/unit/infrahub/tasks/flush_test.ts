import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import { flushRuns, parseFlushArguments } from "../../../../src/infrahub/tasks/flush.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const usage = failure(["infrahub"], 2, "Error: No such command 'tasks'.");

Deno.test("parseFlushArguments() reads days and batch as the Go tool does", () => {
  assertEquals(parseFlushArguments("flow-runs", []), { daysToKeep: 30, batchSize: 200 });
  assertEquals(parseFlushArguments("stale-runs", []), { daysToKeep: 2, batchSize: 200 });
  assertEquals(parseFlushArguments("flow-runs", ["-1", "0"]), { daysToKeep: 30, batchSize: 200 });
  assertEquals(parseFlushArguments("flow-runs", ["0", "7"]), { daysToKeep: 0, batchSize: 7 });
  assertThrows(
    () => parseFlushArguments("flow-runs", ["x"]),
    InvalidInputError,
    'strconv.Atoi: parsing "x": invalid syntax',
  );
});

Deno.test("flushRuns() runs the worker's own command", async () => {
  const environment = new FakeEnvironment().on("task-manager", "", "100")
    .on("task-worker", "infrahub tasks flush", "done");
  const { deployment, lines } = fakeDeployment(environment);
  const options = { daysToKeep: 30, batchSize: 200 };
  assertEquals(await flushRuns(deployment, "flow-runs", options), "done");
  assertEquals(
    environment.log.at(-1),
    "task-worker: infrahub tasks flush flow-runs --days-to-keep 30 --batch-size 100",
  );
  assertEquals(lines, [
    "warn Batch size 200 is more than the task manager allows; using 100",
    "info Flushing Prefect flow runs older than 30 days (batch size 100)...",
    "info Flow runs cleanup completed",
  ]);
});

Deno.test("flushRuns() falls back to a script, and only then", async () => {
  const environment = new FakeEnvironment().on("task-manager", "", "")
    .on("task-worker", "infrahub tasks flush", usage, failure(["infrahub"], 1, "no server"))
    .on("task-worker", /^python -u - 2 50$/, (_call, { input = "" }) => input);
  const { deployment } = fakeDeployment(environment);
  const options = { daysToKeep: 2, batchSize: 50 };
  assertStringIncludes(await flushRuns(deployment, "stale-runs", options), "Crashed(), force=True");
  // Neither the command nor the script may start a task manager that it cannot find.
  for (const command of ["infrahub tasks flush", "python -u"]) {
    assertEquals(environment.find(command).env, {
      PREFECT_SERVER_EPHEMERAL_ENABLED: "false",
      PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: "false",
    });
  }
  await assertRejects(
    () => flushRuns(deployment, "stale-runs", options),
    DeploymentError,
    "failed to execute infrahub tasks flush stale-runs",
  );
});
