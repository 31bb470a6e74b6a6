import { assertEquals, assertThrows } from "@std/assert";
import {
  formatCommand,
  InvalidCommandError,
  splitCommand,
} from "../../../../src/environment/mod.ts";

Deno.test("splitCommand splits at blanks outside of quotes", async (t) => {
  const rows: [string, string[]][] = [
    ["cat /a", ["cat", "/a"]],
    ["  tar   -C  '/a b' -cf - . ", ["tar", "-C", "/a b", "-cf", "-", "."]],
    [`sh -c "echo 'x y'"`, ["sh", "-c", "echo 'x y'"]],
    [`a "" b`, ["a", "", "b"]],
    ["x --a='b c'", ["x", "--a=b c"]],
    ["echo $HOME *.txt | cat", ["echo", "$HOME", "*.txt", "|", "cat"]],
    ["a b\\c", ["a", "b\\c"]],
  ];
  for (const [line, argv] of rows) {
    await t.step(line, () => assertEquals(splitCommand(line), argv));
  }
});

Deno.test("splitCommand refuses what names no program", async (t) => {
  for (const line of ["", "   ", "''", `cat "a`, "cat 'a"]) {
    await t.step(JSON.stringify(line), () => {
      assertThrows(() => splitCommand(line), InvalidCommandError);
    });
  }
});

Deno.test("formatCommand quotes only what needs it", () => {
  assertEquals(
    formatCommand(["cat", "/a/b.dump", "c d", "e'f"]),
    `"cat /a/b.dump 'c d' 'e'\\''f'"`,
  );
});
