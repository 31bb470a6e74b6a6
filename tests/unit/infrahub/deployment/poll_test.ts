import { assertEquals, assertRejects } from "@std/assert";
import { DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";
import { poll, type ProbeResult } from "../../../../src/infrahub/deployment/poll.ts";
import { fakeDeployment } from "../fake_environment.ts";

const LIMITS = { failure: "the door did not open", timeoutMs: 10_000, intervalMs: 3_000 };

/** A probe that gives one look's result after the other, the last for ever. */
function looks(...results: (ProbeResult<string> | Error)[]) {
  let count = 0;
  return {
    probe: () => {
      const result = results[Math.min(count++, results.length - 1)] ?? new Error("no look");
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    },
    get count() {
      return count;
    },
  };
}

Deno.test("poll() looks until it is so, and takes errors for not yet", async () => {
  const { deployment, clock } = fakeDeployment();
  const door = looks(
    new Error("no hinges"),
    { done: false, reason: "it is shut" },
    { done: true, value: "open" },
  );
  assertEquals(await poll(deployment, { ...LIMITS, probe: door.probe }), "open");
  assertEquals(clock.now(), 6_000);
});

Deno.test("poll() gives up in time, with the last reason", async () => {
  const { deployment, clock } = fakeDeployment();
  const door = looks(new Error("no hinges"), { done: false, reason: "it is shut" });
  await assertRejects(
    () => poll(deployment, { ...LIMITS, probe: door.probe }),
    DeploymentError,
    "the door did not open within 10s: it is shut",
  );
  // No look begins after the end of the time, and none is slept for in vain.
  assertEquals([door.count, clock.now()], [4, 9_000]);
});

Deno.test("poll() keeps the error of the last look as the cause", async () => {
  const cause = new Error("no hinges");
  const error = await assertRejects(
    () => poll(fakeDeployment().deployment, { ...LIMITS, probe: looks(cause).probe }),
    DeploymentError,
  );
  assertEquals(error.cause, cause);
});

Deno.test("poll() ends at once with an error that is final, or when the run is ended", async (t) => {
  await t.step("final", async () => {
    const { deployment, clock } = fakeDeployment();
    const walledUp = new RangeError("walled up");
    const isFinal = (error: unknown) => error instanceof RangeError;
    await assertRejects(
      () => poll(deployment, { ...LIMITS, probe: looks(walledUp).probe, isFinal }),
      RangeError,
      "walled up",
    );
    assertEquals(clock.now(), 0);
  });
  await t.step("ended", async () => {
    const { deployment, clock, controller } = fakeDeployment();
    clock.onSleep = () => controller.abort(new Error("SIGTERM"));
    const shut = looks({ done: false, reason: "it is shut" });
    await assertRejects(
      () => poll(deployment, { ...LIMITS, probe: shut.probe }),
      Error,
      "SIGTERM",
    );
    assertEquals(shut.count, 1);
  });
});

Deno.test("poll() tells a wait of more than ten seconds, and then every minute", async () => {
  const { deployment, clock, lines } = fakeDeployment();
  const door = looks(...Array(50).fill(new Error("no hinges")), { done: true, value: "open" });
  const limits = { ...LIMITS, timeoutMs: 300_000 };
  assertEquals(await poll(deployment, { ...limits, probe: door.probe }), "open");
  assertEquals(clock.now(), 150_000);
  const line = "warn Waiting for up to 5m0s: the door did not open yet: no hinges";
  assertEquals(lines.filter((one) => one.startsWith("warn ")), [line, line, line]);
});

Deno.test("poll() says nothing of a short wait", async () => {
  const { deployment, lines } = fakeDeployment();
  const door = looks(new Error("no hinges"), { done: true, value: "open" });
  await poll(deployment, { ...LIMITS, probe: door.probe });
  assertEquals(lines.filter((one) => one.startsWith("warn ")), []);
});
