import { assertEquals, assertStringIncludes } from "@std/assert";
import { question } from "../../../../../src/cli/commands/restore/consent.ts";
import { ScriptedDeployment, Workbench } from "../../_deployment.ts";

const NOW = new Date("2026-03-18T14:30:00Z");

Deno.test("question() names the target, the backup, its age and its size", () => {
  const replacement = { backup: "backup 7 of site-a", bytes: 3 << 20, target: "site-b" };
  const rows: [string, string][] = [
    ["2026-03-18T13:00:00Z", "90 minutes ago"],
    ["2026-03-17T13:00:00Z", "25 hours ago"],
    ["2026-03-01T13:00:00+01:00", "17 days ago"],
    ["2026-03-18T14:30:01Z", "in the future"],
    ["yesterday", "at a time that is not known"],
  ];
  for (const [date, age] of rows) {
    assertEquals(
      question({ ...replacement, date }, NOW),
      `The data of site-b is replaced by backup 7 of site-a, made ${age} (${date}), 3.0 MB. Go on?`,
    );
  }
});

Deno.test("restore asks where somebody can be asked, and nothing is touched without a yes", async (t) => {
  await using bench = await Workbench.create();
  const created = await bench.run(["create"], { deployment: new ScriptedDeployment() });
  assertEquals(created.code, 0, created.err);
  const restore = async (argv: readonly string[], answer: boolean | undefined) => {
    const questions: string[] = [];
    const confirm = (asked: string) => {
      questions.push(asked);
      return Promise.resolve(answer);
    };
    const result = await bench.run(["restore", ...argv], { context: { confirm } });
    return { ...result, questions };
  };
  await t.step("no", async () => {
    const { code, err, deployment, questions } = await restore([], false);
    assertEquals([code, deployment.story], [1, []]);
    assertStringIncludes(err, "nothing was restored");
    assertStringIncludes(err, "--yes");
    assertEquals(questions.length, 1);
    assertStringIncludes(questions[0] ?? "", "backup 20260318_143000 of ");
  });
  await t.step("yes", async () => {
    const { code, err, deployment } = await restore([], true);
    assertEquals(code, 0, err);
    assertEquals(deployment.received.has("pg_restore --exit-on-error"), true);
  });
  await t.step("no terminal", async () => {
    const { code, err } = await restore([], undefined);
    assertEquals(code, 0, err);
  });
  for (const argv of [["--yes"], ["--dry-run"], ["--to", `${bench.root}/copy`]]) {
    await t.step(`not asked: ${argv[0]}`, async () => {
      const { code, err, questions } = await restore(argv, false);
      assertEquals([code, questions], [0, []], err);
    });
  }
});
