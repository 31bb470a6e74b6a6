import { assertEquals, assertRejects } from "@std/assert";
import { attempt, DeploymentError } from "../../../../src/infrahub/deployment/deployment.ts";

Deno.test("attempt() says what failed and keeps the cause", async () => {
  const { signal } = new AbortController();
  assertEquals(await attempt({ signal }, "failed to stop", () => Promise.resolve(7)), 7);
  const cause = new Error("no such service");
  const error = await assertRejects(
    () => attempt({ signal }, "failed to stop", () => Promise.reject(cause)),
    DeploymentError,
    "failed to stop: no such service",
  );
  assertEquals(error.cause, cause);
});

Deno.test("attempt() of a run that was ended fails with the reason, and begins nothing", async () => {
  const controller = new AbortController();
  const end = () => {
    controller.abort(new Error("SIGTERM"));
    return Promise.reject(new Error("command was ended"));
  };
  await assertRejects(() => attempt(controller, "failed", end), Error, "SIGTERM");
  let begun = false;
  const begin = () => {
    begun = true;
    return Promise.resolve();
  };
  await assertRejects(() => attempt(controller, "failed", begin), Error, "SIGTERM");
  assertEquals(begun, false);
});
