/**
 * What the tool does with the variables and credentials of a real Infrahub on a host: it takes those
 * of Infrahub's services as they are, and what is wrong is told before a service is stopped.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { BACKENDS } from "../e2e/backends.ts";
import { runTool, runToolOk } from "../e2e/tool.ts";
import type { InfrahubDeployment } from "./bed/deployment.ts";

/** What is wrong, by which variable, and what the tool says. */
const WRONG: readonly (readonly [string, (right: string) => string, string])[] = [
  ["INFRAHUB_DB_PASSWORD", () => "another-one", "authentication failure"],
  ["INFRAHUB_DB_DATABASE", () => "another-one", "another-one"],
  ["PREFECT_API_DATABASE_CONNECTION_URL", otherPassword, "password authentication failed"],
];

function otherPassword(right: string): string {
  const url = new URL(right);
  url.password = "another-one";
  return url.href;
}

/** Adds the steps to a test. The deployment is as before afterwards, apart from ended runs. */
export async function hostSteps(
  t: Deno.TestContext,
  deployment: InfrahubDeployment,
): Promise<void> {
  await t.step("the variables of Infrahub's services are no options of the tool", async () => {
    const { stderr } = await runToolOk(deployment, ["environment", "detect"]);
    assertStringIncludes(stderr, "Detected host environment");
  });

  for (const [variable, spoil, message] of WRONG) {
    await t.step(`${variable} that is wrong is told before anything is stopped`, async () => {
      const folder = await Deno.makeTempDir();
      try {
        const before = await deployment.processes();
        for (const backend of BACKENDS) {
          const env = { [variable]: spoil(deployment.toolEnvironment[variable] ?? "") };
          const { code, stderr } = await runTool(deployment, backend.create(folder), { env });
          assertEquals(code, 1, stderr);
          assertStringIncludes(stderr, message);
          assertEquals(await deployment.processes(), before);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }

  await t.step("tasks flush talks to this task manager, or fails", async () => {
    const flush = ["tasks", "flush", "flow-runs", "0"];
    const { code, stderr } = await runTool(deployment, flush, { env: { PREFECT_API_URL: "" } });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "PREFECT_API_URL");
    const before = await deployment.taskManager.endedRuns();
    await runToolOk(deployment, flush);
    const after = await deployment.taskManager.endedRuns();
    const kept = [...before.values()].filter(({ id, state }) =>
      state === "COMPLETED" && after.has(id)
    );
    assertEquals(kept, []);
  });

  await t.step("Infrahub answers when a create has ended, however slow its broker", async () => {
    const folder = await Deno.makeTempDir();
    try {
      await deployment.delay("message-queue", 10);
      for (const backend of BACKENDS) {
        await runToolOk(deployment, backend.create(folder));
        assertEquals(await deployment.application.answers(), true, backend.name);
        await deployment.ready();
      }
    } finally {
      await deployment.delay("message-queue", 0);
      await Deno.remove(folder, { recursive: true });
    }
  });
}
