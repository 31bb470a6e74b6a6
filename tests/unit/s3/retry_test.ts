import { assert, assertEquals } from "@std/assert";
import { pause, retryDelayMs } from "../../../src/s3/_retry.ts";

Deno.test("retryDelayMs() doubles up to a limit, with full jitter", () => {
  const policy = { attempts: 10, firstDelayMs: 100, maximumDelayMs: 1000 };
  assertEquals([1, 2, 3, 4, 5, 50].map((n) => retryDelayMs(policy, n, 1)), [
    100,
    200,
    400,
    800,
    1000,
    1000,
  ]);
  assertEquals(retryDelayMs(policy, 3, 0), 0);
  assertEquals(retryDelayMs(policy, 3, 0.5), 200);
});

Deno.test("pause() ends when its time has come, or when the signal aborts", async () => {
  const start = performance.now();
  await pause(30);
  assert(performance.now() - start >= 25);
  const controller = new AbortController();
  const paused = pause(600_000, controller.signal);
  controller.abort();
  await paused;
  await pause(600_000, controller.signal);
});
