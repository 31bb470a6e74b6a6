import { assertEquals } from "@std/assert";
import { countTests, failureExcerpt, ignoredTests } from "../../../../scripts/ci/test_output.ts";

Deno.test("countTests() reads the last summary, and counts ignored steps with ignored tests", () => {
  assertEquals(countTests("ok | 3 passed (2 steps) | 0 failed (1s)\n"), {
    passed: 3,
    failed: 0,
    ignored: 0,
  });
  const output = "ok | 1 passed | 0 failed (1s)\n" +
    "FAILED | 12 passed (40 steps) | 2 failed (3 steps) | 1 ignored (7 steps) (2m3s)\n";
  assertEquals(countTests(output), { passed: 12, failed: 2, ignored: 8 });
  assertEquals(countTests("error: Module not found"), { passed: 0, failed: 0, ignored: 0 });
});

Deno.test("countTests() and ignoredTests() understand what deno test prints", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/sample_test.ts`,
      [
        'Deno.test("one passes", () => {});',
        'Deno.test({ name: "one is ignored", ignore: true, fn: () => {} });',
        'Deno.test("one has steps", async (t) => {',
        '  await t.step("that passes", () => {});',
        '  await t.step({ name: "that is ignored", ignore: true, fn: () => {} });',
        "});",
        'Deno.test("one fails", () => { throw new Error("here is why"); });',
      ].join("\n"),
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-config", "--no-check", `${folder}/sample_test.ts`],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const output = new TextDecoder().decode(stdout);
    assertEquals(countTests(output), { passed: 2, failed: 1, ignored: 2 });
    assertEquals(ignoredTests(output), ["one is ignored", "that is ignored"]);
    assertEquals(failureExcerpt(output).includes("here is why"), true);
    assertEquals(failureExcerpt(output).includes("one passes"), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("failureExcerpt() is the end of an output without the heading", () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  assertEquals(failureExcerpt(lines.join("\n")).split("\n").length, 40);
});
