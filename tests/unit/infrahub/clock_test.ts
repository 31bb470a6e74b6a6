import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../src/infrahub/clock.ts";

Deno.test("systemClock.sleep() lasts as long as was asked for", async () => {
  const before = systemClock.now();
  await systemClock.sleep(20);
  // Timers count whole milliseconds.
  assert(systemClock.now() - before >= 19);
});

Deno.test("systemClock.sleep() ends with the signal's reason", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error("SIGTERM"));
  await assertRejects(() => sleeping, Error, "SIGTERM");
  await assertRejects(() => systemClock.sleep(60_000, controller.signal), Error, "SIGTERM");
});

Deno.test("systemClock.sleep() is over for a signal that comes too late", async () => {
  const controller = new AbortController();
  assertEquals(await systemClock.sleep(1, controller.signal), undefined);
  controller.abort(new Error("too late"));
});
