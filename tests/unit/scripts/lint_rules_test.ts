import { assertEquals } from "@std/assert";
import plugin from "../../../scripts/lint_rules.ts";

function findings(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id }) => id);
}

const EXIT = "export function stop() { Deno.exit(1); }";

Deno.test("house/no-exit lets the command line and scripts end the process", () => {
  for (const path of ["/clone/main.ts", "/clone/src/cli/run.ts", "/clone/scripts/ci.ts"]) {
    assertEquals(findings(path, EXIT), []);
  }
});

Deno.test("house/no-exit finds an end of the process below the command line", () => {
  assertEquals(findings("/clone/src/kloset/mod.ts", EXIT), ["house/no-exit"]);
  assertEquals(findings("/clone/src/infrahub/mod.ts", "Deno.exitCode = 1;"), ["house/no-exit"]);
});

Deno.test("house/no-exit passes over comments, strings and other members", () => {
  const source = [
    "// Deno.exit(1)",
    'const text = "Deno.exit(1)";',
    "const code = `${text} Deno.exit(1)`;",
    "const other = { exit: 1 }.exit;",
  ].join("\n");
  assertEquals(findings("/clone/src/kloset/mod.ts", source), []);
});
