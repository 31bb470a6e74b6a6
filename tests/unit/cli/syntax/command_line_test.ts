import { assertEquals, assertThrows } from "@std/assert";
import { Command } from "@commander-js/extra-typings";
import { flagValue, normaliseBooleans } from "../../../../src/cli/syntax/command_line.ts";
import { UsageError } from "../../../../src/cli/syntax/usage_error.ts";

function rootCommand() {
  const root = new Command("tool").option("--force").option("-o, --output <file>");
  root.command("create").option("--encrypt");
  return root;
}

Deno.test("normaliseBooleans rewrites values of booleans, and nothing else", () => {
  const cases: [argv: string[], expected: string[], denied: string[]][] = [
    [["create", "--force=true"], ["create", "--force"], []],
    [["--force", "create", "--force=false"], ["create"], ["--force"]],
    [["--force=0", "--force"], ["--force"], []],
    [["--output=--force=false"], ["--output=--force=false"], []],
    [["-o", "--force=false", "create"], ["-o", "--force=false", "create"], []],
    [["create", "--", "--force=false"], ["create", "--", "--force=false"], []],
    [["create", "--encrypt=T"], ["create", "--encrypt"], []],
    // As pflag reads it: the equals sign is no part of the value.
    [["create", "-o=k2"], ["create", "-o", "k2"], []],
    [["-o=--force=false"], ["-o", "--force=false"], []],
    [["-o==", "--", "-o=k2"], ["-o", "=", "--", "-o=k2"], []],
    [["-x=1"], ["-x=1"], []],
  ];
  for (const [argv, expected, denied] of cases) {
    const found = normaliseBooleans(rootCommand(), argv);
    assertEquals(found.argv, expected, argv.join(" "));
    assertEquals([...found.denied], denied, argv.join(" "));
  }
  assertThrows(
    () => normaliseBooleans(rootCommand(), ["--force=perhaps"]),
    UsageError,
    'invalid argument "perhaps" for "--force" flag: strconv.ParseBool',
  );
});

Deno.test("flagValue finds the last value of a flag before the end of the flags", () => {
  assertEquals(flagValue(["--a", "1", "--a=2"], "--a"), "2");
  assertEquals(flagValue(["--a=2", "--a", "1"], "--a"), "1");
  assertEquals(flagValue(["--ab", "1", "--", "--a", "2"], "--a"), undefined);
  assertEquals(flagValue(["--a"], "--a"), undefined);
});
