import { assertEquals } from "@std/assert";
import { items, members, number, text, texts } from "../../../src/environment/untyped.ts";

Deno.test("what is not as expected reads as missing", () => {
  for (const value of [undefined, null, true, "text", 1, [1], { a: 1 }]) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    assertEquals(members(value), isObject ? { a: 1 } : {});
    assertEquals(items(value), Array.isArray(value) ? [1] : []);
    assertEquals(text(value), typeof value === "string" ? "text" : "");
    assertEquals(number(value), typeof value === "number" ? 1 : 0);
  }
});

Deno.test("texts leaves out what is no text", () => {
  assertEquals(texts({ a: "b", c: 1, d: null }), { a: "b" });
  assertEquals(texts(["a"]), {});
});
