import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { ComponentMetrics } from "../../../../src/cli/report/metrics.ts";
import { printResult, roundSeconds } from "../../../../src/cli/report/result.ts";
import { recordingContext } from "../_support.ts";

function outputFor(json: boolean) {
  const context = recordingContext();
  const components: ComponentMetrics[] = [];
  const output = {
    context,
    command: "create",
    json,
    completed: (done: readonly ComponentMetrics[]) => void components.push(...done),
  };
  return { output, context, components };
}

const RESULT = {
  text: "Backup 1 complete",
  json: { backup_id: "1" },
  components: [{ component: "neo4j", bytesRead: 3 }],
};

Deno.test("printResult writes text or one object, and passes the components on", async () => {
  for (const json of [false, true]) {
    const { output, context, components } = outputFor(json);
    await printResult(output, () => Promise.resolve(RESULT));
    assertEquals(
      context.out(),
      json
        ? '{"type":"result","command":"create","ok":true,"backup_id":"1"}\n'
        : "Backup 1 complete\n",
    );
    assertEquals(components, RESULT.components);
  }
});

Deno.test("printResult tells a failure in JSON with what is known, without credentials", async () => {
  const problem = new Error("cannot reach s3://id:secret@bucket");
  for (const json of [false, true]) {
    const { output, context, components } = outputFor(json);
    const error = await assertRejects(() =>
      printResult(output, (facts) => {
        facts.backup_id = "1";
        return Promise.reject(problem);
      })
    );
    assertStrictEquals(error, problem);
    assertEquals(
      context.out(),
      json
        ? '{"type":"result","command":"create","ok":false,' +
          '"error":"cannot reach s3://***@bucket","backup_id":"1"}\n'
        : "",
    );
    assertEquals(components, []);
  }
});

Deno.test("roundSeconds keeps milliseconds", () => {
  assertEquals(roundSeconds(1.23456), 1.235);
});
