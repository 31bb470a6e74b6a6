import { assertEquals } from "@std/assert";
import { wipeTransientData } from "../../../../src/infrahub/deployment/transient_data.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");

Deno.test("wipeTransientData() empties queue and cache, and only warns", async () => {
  const environment = new FakeEnvironment();
  const { deployment, lines } = fakeDeployment(environment);
  environment.on("message-queue", "find", NO).on("cache", "find", "");
  await wipeTransientData(deployment);
  assertEquals(environment.log, [
    "message-queue: find /var/lib/rabbitmq -mindepth 1 -delete",
    "cache: find /data -mindepth 1 -delete",
  ]);
  assertEquals(lines.length, 1);
  assertEquals(lines[0]?.startsWith("warn Failed to wipe message queue data: "), true);
});

Deno.test("wipeTransientData() removes nothing from a host, and says so", async () => {
  const environment = new FakeEnvironment("host");
  const { deployment, lines } = fakeDeployment(environment);
  await wipeTransientData(deployment);
  assertEquals(environment.calls, []);
  assertEquals(lines.length, 1);
  assertEquals(lines[0]?.startsWith("warn The data of cache and message queue is left"), true);
});
