import { assertEquals } from "@std/assert";
import { ResourceType, resourceTypeName } from "../../../../src/kloset/format/mod.ts";

Deno.test("resourceTypeName() names each number once, and takes unknown ones", () => {
  const numbers = Object.values(ResourceType);
  assertEquals(new Set(numbers).size, numbers.length);
  for (const [name, number] of Object.entries(ResourceType)) {
    assertEquals(resourceTypeName(number), name);
  }
  // Reserved; no writer has used it.
  assertEquals(resourceTypeName(8), "type 8");
});
