import { assertEquals } from "@std/assert";
import { FormatError } from "../../../../src/kloset/format/mod.ts";

Deno.test("FormatError says where and what, and is called malformed unless it says otherwise", () => {
  const cause = new Error("cause");
  const error = new FormatError("lock.timestamp", "it is cut", undefined, { cause });
  assertEquals(
    [error.name, error.message, error.reason, error.cause],
    ["FormatError", "lock.timestamp: it is cut", "malformed", cause],
  );
  assertEquals(new FormatError("state", "9.0.0", "version").reason, "version");
});
