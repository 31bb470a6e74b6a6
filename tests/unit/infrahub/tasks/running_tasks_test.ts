import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { waitForRunningTasks } from "../../../../src/infrahub/tasks/running_tasks.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const LIST = /^infrahubctl task list --json --state running --state pending --state scheduled$/;
const EXPLAIN = 'exec "$@" >&2';
const TASK = JSON.stringify([{ id: "t1", title: "Sync" }]);
const usage = failure(["infrahubctl"], 2, "Error: No such command 'task'.");
const silent = failure(["infrahubctl"], 1, "");

function worker() {
  return new FakeEnvironment()
    .on("task-manager", "PREFECT_API_DEFAULT_LIMIT", "")
    .on("task-worker", "printenv INFRAHUB_INTERNAL_ADDRESS", "http://server:8000\n");
}

async function wait(environment: FakeEnvironment, waitTimeoutMs = 0) {
  const { deployment, lines, clock } = fakeDeployment(environment);
  await waitForRunningTasks(deployment, { waitTimeoutMs });
  return { lines, waited: clock.now() };
}

Deno.test("waitForRunningTasks() waits until there are none", async () => {
  const environment = worker().on("task-worker", LIST, TASK, TASK, "[]");
  const { lines, waited } = await wait(environment);
  assertEquals(waited, 10_000);
  assertEquals(lines.slice(0, 2), [
    "warn There are running 1 tasks: [t1 Sync]",
    "warn Waiting for them to complete... (use --force to override)",
  ]);
  assertEquals(lines.at(-1), "info No running tasks detected. Proceeding with backup.");
  assertEquals(environment.find("infrahubctl").env, {
    INFRAHUB_PAGINATION_SIZE: "200",
    INFRAHUB_ADDRESS: "http://server:8000",
  });
});

Deno.test("waitForRunningTasks() tells what is queued, and does not wait for it", async () => {
  const listed = [
    { id: "t1", title: "Sync", state: "RUNNING" },
    { id: "t2", title: "Merge", state: "SCHEDULED" },
  ];
  const environment = worker()
    .on("task-worker", LIST, JSON.stringify(listed), JSON.stringify(listed.slice(1)));
  const { lines, waited } = await wait(environment);
  assertEquals(waited, 5_000);
  assertEquals(lines.slice(-2), [
    "info Tasks that are queued, and not waited for: [t2 Merge]",
    "info No running tasks detected. Proceeding with backup.",
  ]);
});

Deno.test("waitForRunningTasks() gives up when the time is over", async () => {
  await assertRejects(
    () => wait(worker().on("task-worker", LIST, TASK), 12_000),
    DeploymentError,
    "1 tasks are still running after 12s",
  );
});

Deno.test("waitForRunningTasks() asks for as many as the task manager allows", async (t) => {
  for (
    const [limit, size] of [["50", "50"], ["200", "200"], ["500", "200"], ["x", "200"], [
      "0",
      "200",
    ]]
  ) {
    await t.step(`limit ${limit}`, async () => {
      const environment = new FakeEnvironment()
        .on("task-manager", "PREFECT_API_DEFAULT_LIMIT", limit ?? "")
        .on("task-worker", "printenv", failure(["printenv"], 1, ""))
        .on("task-worker", LIST, "");
      await wait(environment);
      assertEquals(environment.find("infrahubctl").env, { INFRAHUB_PAGINATION_SIZE: size });
    });
  }
});

Deno.test("waitForRunningTasks() shrinks the page when the API complains, wherever that stands", async (t) => {
  const complaint = (text: string) => failure(["infrahubctl"], 1, text);
  const rows = {
    "on stderr": worker()
      .on("task-worker", LIST, complaint("limit: must be less than or\nequal to 20"), "[]"),
    "on stdout": worker().on("task-worker", LIST, silent, "[]")
      .on("task-worker", EXPLAIN, complaint("Input should be: must be less than or equal to 20")),
  };
  for (const [name, environment] of Object.entries(rows)) {
    await t.step(name, async () => {
      const { lines } = await wait(environment);
      assertEquals(
        lines[0],
        "warn task-manager rejected pagination size 200; retrying with 20",
      );
      assertEquals(environment.calls.at(-1)?.env.INFRAHUB_PAGINATION_SIZE, "20");
    });
  }
});

Deno.test("waitForRunningTasks() does not retry for ever", async () => {
  const complaint = failure(["infrahubctl"], 1, "must be less than or equal to 20");
  await assertRejects(
    () => wait(worker().on("task-worker", LIST, complaint)),
    DeploymentError,
    "failed to check running tasks: ",
  );
});

Deno.test("waitForRunningTasks() falls back to a script that it feeds to Python", async () => {
  let script = "";
  const environment = worker().on("task-worker", LIST, usage)
    .on("task-worker", /^python -u -$/, (_call, { input = "" }) => {
      script = input;
      return "[]";
    });
  await wait(environment);
  assertStringIncludes(script, "TaskState.SCHEDULED, TaskState.PENDING, TaskState.RUNNING");
});

Deno.test("waitForRunningTasks() fails with the reason", async (t) => {
  const rows: [string, FakeEnvironment, string][] = [
    [
      "a failure that only explains itself on stdout",
      worker().on("task-worker", LIST, silent)
        .on("task-worker", EXPLAIN, failure(["infrahubctl"], 1, "no server")),
      "stderr: no server",
    ],
    ["no JSON", worker().on("task-worker", LIST, "hello"), "could not parse json: "],
    ["no array", worker().on("task-worker", LIST, "{}"), "could not parse json: not an array"],
  ];
  for (const [name, environment, message] of rows) {
    await t.step(name, async () => {
      await assertRejects(() => wait(environment), DeploymentError, message);
    });
  }
});
