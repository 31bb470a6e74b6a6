import { assertEquals } from "@std/assert";
import { SecretLine } from "../../../../src/cli/process/terminal.ts";

/** What a line is after these keys, or undefined when it is not complete. */
function typed(...keys: string[]): string | undefined {
  const line = new SecretLine();
  const isComplete = keys.map((key) => line.take(new TextEncoder().encode(key))).includes(true);
  return isComplete ? new TextDecoder().decode(line.finish()) : undefined;
}

Deno.test("a secret line ends with the return key, or the end of the input", () => {
  assertEquals(typed("secret"), undefined);
  assertEquals(typed("secret", "\r"), "secret");
  assertEquals(typed("secret\n"), "secret");
  assertEquals(typed("sec", "ret", "\x04"), "secret");
  assertEquals(typed("\r"), "");
});

Deno.test("a secret line can be corrected, whole characters at a time", () => {
  assertEquals(typed("secretx\x7f\r"), "secret");
  assertEquals(typed("secr€\x08et\r"), "secret");
  assertEquals(typed("\x7f\x7fse\x7f\x7f\x7fx\r"), "x");
  assertEquals(typed("wrong\x15right\r"), "right");
});

Deno.test("a secret line drops what is beyond its limit", () => {
  assertEquals(typed("x".repeat(5000), "\r"), "x".repeat(4096));
});
