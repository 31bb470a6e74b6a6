import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { EnvironmentError } from "../../../src/environment/environment_error.ts";
import { pause, waitUntil } from "../../../src/environment/wait_until.ts";

Deno.test("waitUntil looks until nothing is missing", async () => {
  const answers = ["the pod", "the pod", undefined];
  let looks = 0;
  await waitUntil(() => Promise.resolve(answers[looks++]), { limitMs: 60_000, intervalMs: 1 });
  assertEquals(looks, 3);
});

Deno.test("waitUntil tells what is still missing at the end", async () => {
  await assertRejects(
    () => waitUntil(() => Promise.resolve("cache does not run"), { limitMs: 20, intervalMs: 5 }),
    EnvironmentError,
    "cache does not run after 20ms",
  );
});

Deno.test("pause ends with the signal's reason, before and while it waits", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const waiting = pause(3_600_000, controller.signal);
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => waiting), reason);
  assertStrictEquals(await assertRejects(() => pause(3_600_000, controller.signal)), reason);
});
