import { assertEquals } from "@std/assert";
import { findPageLimit, findPageSize } from "../../../../src/infrahub/tasks/page_size.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["sh"], 1, "no");

Deno.test("findPageSize() is the task manager's limit, and never more than its default", async (t) => {
  const rows: [string | Error, number | undefined, number][] = [
    ["50", 50, 50],
    ["200\n", 200, 200],
    ["500", 500, 200],
    ["", undefined, 200],
    ["0", undefined, 200],
    ["-5", undefined, 200],
    ["many", undefined, 200],
    [NO, undefined, 200],
  ];
  for (const [answer, limit, size] of rows) {
    await t.step(JSON.stringify(String(answer)), async () => {
      const environment = new FakeEnvironment()
        .on("task-manager", "PREFECT_API_DEFAULT_LIMIT", answer);
      const { deployment } = fakeDeployment(environment);
      assertEquals(await findPageLimit(deployment), limit);
      assertEquals(await findPageSize(deployment), size);
    });
  }
});
