import { assertEquals } from "@std/assert";
import { wipeMessageQueue } from "../../../../src/infrahub/deployment/message_queue.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const WIPE = "message-queue: find /var/lib/rabbitmq -mindepth 1 -delete";

Deno.test("wipeMessageQueue() removes its files, and starts one that is down for it", async () => {
  const environment = new FakeEnvironment().on("message-queue", "find", "");
  const { deployment, lines } = fakeDeployment(environment);
  await wipeMessageQueue(deployment);
  assertEquals(environment.log, [WIPE]);
  environment.statuses.set("message-queue", "stopped");
  await wipeMessageQueue(deployment);
  assertEquals(environment.log.slice(1), ["start message-queue", WIPE]);
  assertEquals(lines, []);
});

Deno.test("wipeMessageQueue() only warns when it cannot", async () => {
  const environment = new FakeEnvironment().on("message-queue", "find", failure(["x"], 1, "no"));
  const { deployment, lines } = fakeDeployment(environment);
  await wipeMessageQueue(deployment);
  assertEquals(lines.length, 1);
  assertEquals(lines[0]?.startsWith("warn Failed to wipe message queue data: "), true);
});

Deno.test("wipeMessageQueue() removes nothing from a host, and says so", async () => {
  const environment = new FakeEnvironment("host");
  const { deployment, lines } = fakeDeployment(environment);
  await wipeMessageQueue(deployment);
  assertEquals(environment.calls, []);
  assertEquals(lines.length, 1);
  assertEquals(lines[0]?.startsWith("warn The message queue is left as it is"), true);
});
