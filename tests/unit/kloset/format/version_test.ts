import { assertEquals } from "@std/assert";
import {
  formatVersion,
  ResourceType,
  resourceTypeName,
  VERSION_1_0_0,
  VERSION_1_1_0,
} from "../../../../src/kloset/format/mod.ts";

Deno.test("formatVersion writes the three parts of a version word", () => {
  assertEquals(formatVersion(VERSION_1_0_0), "1.0.0");
  assertEquals(formatVersion(VERSION_1_1_0), "1.1.0");
  assertEquals(formatVersion(0xffff0a0b), "65535.10.11");
});

Deno.test("resourceTypeName names known numbers and shows unknown ones", () => {
  assertEquals(resourceTypeName(ResourceType.CHUNK), "CHUNK");
  assertEquals(resourceTypeName(255), "RANDOM");
  assertEquals(resourceTypeName(8), "type 8");
});
