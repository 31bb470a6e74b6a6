import { assertEquals, assertStringIncludes } from "@std/assert";
import { tellCutOffTasks } from "../../../../src/infrahub/tasks/cut_off_tasks.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";
import { postgresServer } from "../postgres/_server.ts";

async function tell(answer: string | Error) {
  const environment = new FakeEnvironment().on("task-manager-db", "psql", answer);
  const { deployment, lines } = fakeDeployment(environment);
  await tellCutOffTasks(deployment, postgresServer(), 12_300);
  return { lines, sql: environment.find("psql").argv.at(-1) ?? "" };
}

Deno.test("tellCutOffTasks() tells what was cut off, and what is queued", async () => {
  const { lines, sql } = await tell("2|1\n");
  assertStringIncludes(sql, "interval '13 seconds'");
  assertEquals(lines.map((line) => line.slice(0, 40)), [
    "warn 2 tasks had not ended when the work",
    "info 1 tasks are queued; the backup has ",
  ]);
  assertEquals((await tell("0|0")).lines, []);
});

Deno.test("tellCutOffTasks() leaves a database that it does not understand to the dump", async () => {
  for (const answer of ["", failure(["psql"], 1, 'column "state_type" does not exist')]) {
    const { lines } = await tell(answer);
    assertEquals(lines.map((line) => line.split(" ")[0]), ["debug"]);
  }
});
