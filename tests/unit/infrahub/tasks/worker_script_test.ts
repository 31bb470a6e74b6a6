import { assertEquals, assertRejects } from "@std/assert";
import { isNoSuchCommand, runWorkerScript } from "../../../../src/infrahub/tasks/_worker_script.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

Deno.test("isNoSuchCommand() tells an older program from one that failed", () => {
  assertEquals(isNoSuchCommand(failure(["x"], 2, "Error: No such command 'task'.")), true);
  assertEquals(isNoSuchCommand(failure(["x"], 1, "connection refused")), false);
  assertEquals(isNoSuchCommand(new Error("No such command")), false);
});

Deno.test("runWorkerScript() feeds the program to Python, with its arguments and variables", async () => {
  let fed = "";
  const environment = new FakeEnvironment()
    .on("task-worker", /^python -u - 2 50$/, (_call, { input = "" }) => {
      fed = input;
      return "done";
    });
  const { deployment } = fakeDeployment(environment);
  const env = { INFRAHUB_ADDRESS: "http://server:8000" };
  assertEquals(await runWorkerScript(deployment, "print(1)\n", ["2", "50"], env, 0), "done");
  assertEquals(fed, "print(1)\n");
  assertEquals(environment.calls[0]?.env, env);
});

Deno.test("runWorkerScript() ends the program when its end goes wrong", async () => {
  const environment = new FakeEnvironment()
    .on("task-worker", "python", failure(["python"], 1, "SyntaxError"));
  const { deployment } = fakeDeployment(environment);
  await assertRejects(
    () => runWorkerScript(deployment, "print(", [], {}, 0),
    Error,
    "SyntaxError",
  );
  assertEquals(environment.log.at(-1), "task-worker: aborted python -u -");
});
