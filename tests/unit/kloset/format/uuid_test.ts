import { assertEquals, assertThrows } from "@std/assert";
import { FormatError, uuidFromString, uuidToString } from "../../../../src/kloset/format/mod.ts";
import { hex, REPOSITORY_ID } from "./_vectors.ts";

Deno.test("uuidFromString and uuidToString convert the usual text form", () => {
  const bytes = hex("c531c62d7b85492da4ce8599399750d9");
  assertEquals(uuidFromString(REPOSITORY_ID), bytes);
  assertEquals(uuidFromString(REPOSITORY_ID.toUpperCase()), bytes);
  assertEquals(uuidToString(bytes), REPOSITORY_ID);
});

Deno.test("uuidFromString refuses any other text", () => {
  for (const text of ["", REPOSITORY_ID.slice(1), REPOSITORY_ID + "0", "x".repeat(36)]) {
    assertThrows(() => uuidFromString(text), FormatError);
  }
});
