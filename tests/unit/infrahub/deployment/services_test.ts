import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import {
  restartDependencies,
  startFrontServices,
  stopApplicationServices,
} from "../../../../src/infrahub/deployment/services.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");

function setUp() {
  const environment = new FakeEnvironment();
  const { deployment, lines } = fakeDeployment(environment);
  return { environment, deployment, lines, journal: new UndoJournal(deployment) };
}

Deno.test("stopApplicationServices() stops what runs, in order, and can start it again", async () => {
  const { environment, deployment, journal, lines } = setUp();
  environment.statuses.set("task-manager-background-svc", "absent");
  environment.statuses.set("task-manager", "stopped");
  const { services, undo } = await stopApplicationServices(deployment, journal);
  assertEquals(services, ["infrahub-server", "task-worker", "cache", "message-queue"]);
  await undo.perform();
  assertEquals(environment.log, [
    "stop infrahub-server",
    "stop task-worker",
    "stop cache",
    "stop message-queue",
    "start cache",
    "start message-queue",
    "start infrahub-server",
    "start task-worker",
  ]);
  assertEquals(journal.pending, []);
  assertEquals(lines[0], "info Stopping Infrahub application services...");
  assertEquals(lines.at(-1), "info Application services started");
});

Deno.test("stopApplicationServices() touches nothing when a status cannot be found out", async () => {
  const { environment, deployment, journal } = setUp();
  environment.statuses.set("message-queue", NO);
  await assertRejects(
    () => stopApplicationServices(deployment, journal),
    DeploymentError,
    "failed to find out whether message-queue is running: command",
  );
  assertEquals(environment.log, []);
});

Deno.test("stopApplicationServices() leaves what it stopped on the journal when one fails", async () => {
  const { environment, deployment, journal } = setUp();
  environment.onService("stop", "task-worker", NO);
  await assertRejects(
    () => stopApplicationServices(deployment, journal),
    DeploymentError,
    "failed to stop task-worker: command",
  );
  await journal.undo();
  assertEquals(environment.log.slice(2), ["start infrahub-server", "start task-worker"]);
});

Deno.test("starting again goes on after one that does not start, and names it", async () => {
  const { environment, deployment, journal } = setUp();
  environment.onService("start", "message-queue", NO);
  const { undo } = await stopApplicationServices(deployment, journal);
  await assertRejects(
    () => undo.perform(),
    DeploymentError,
    "failed to start message-queue: command",
  );
  assertEquals(environment.log.at(-1), "start task-worker");
  assertEquals(journal.pending, ["start the application services again"]);
});

Deno.test("restartDependencies() follows the reference and tolerates what is optional", async () => {
  const { environment, deployment, lines } = setUp();
  environment
    .onService("stop", "cache message-queue", NO)
    .onService("stop", "task-manager-background-svc", NO)
    .onService("start", "task-manager-background-svc", NO);
  await restartDependencies(deployment);
  assertEquals(environment.log, [
    "stop cache message-queue",
    "start cache message-queue",
    "stop task-manager",
    "stop task-manager-background-svc",
    "start task-manager",
    "start task-manager-background-svc",
  ]);
  assertEquals(
    lines.at(-1)?.startsWith("info Skipping optional task-manager-background-svc restart:"),
    true,
  );
});

Deno.test("restarts fail with the reference's words", async (t) => {
  const rows = [
    ["cache message-queue", restartDependencies, "failed to restart cache and message-queue: "],
    ["task-manager", restartDependencies, "failed to restart task-manager: "],
    ["infrahub-server", startFrontServices, "failed to restart infrahub services: "],
  ] as const;
  for (const [service, act, message] of rows) {
    await t.step(service, async () => {
      const { environment, deployment } = setUp();
      environment.onService("start", service, NO);
      await assertRejects(() => act(deployment), DeploymentError, message);
    });
  }
});
