import { assertEquals } from "@std/assert";
import { configureLog, logReporter } from "../../../../src/cli/report/log.ts";
import { recordingContext } from "../_support.ts";

Deno.test("logReporter writes what the level lets through, braces and all", () => {
  const context = recordingContext();
  configureLog(context, { json: true, level: "info" });
  const reporter = logReporter();
  reporter.debug("hidden");
  reporter.info("a {b} {{c}}", { repo: "s3://k:s@h/b" });
  reporter.warn("w");
  const lines = context.err().trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level, msg, repo }) => [level, msg, repo]), [
    ["info", "a {b} {{c}}", "s3://***@h/b"],
    ["warning", "w", undefined],
  ]);
});

Deno.test("configureLog follows the terminal and NO_COLOR", () => {
  const looks = (variables: Record<string, string>) => {
    const context = recordingContext(variables, { stderrIsTerminal: true });
    configureLog(context, { json: false, level: "info" });
    logReporter().info("hi");
    return context.err().startsWith("\x1b[36mINFO\x1b[0m[");
  };
  assertEquals([looks({}), looks({ NO_COLOR: "1" })], [true, false]);
});
