import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeLock,
  encodeLock,
  FormatError,
  type Lock,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { LOCK, TIME_NS } from "./_vectors.ts";

const VALUE: Lock = {
  version: VERSION_1_0_0,
  timestampNs: TIME_NS,
  hostname: "host",
  exclusive: true,
};

Deno.test("encodeLock and decodeLock agree with Go", () => {
  assertEquals(encodeLock(VALUE), LOCK);
  assertEquals(decodeLock(LOCK), VALUE);
});

Deno.test("decodeLock undoes encodeLock for shared locks", () => {
  const value = { ...VALUE, exclusive: false, hostname: "" };
  assertEquals(decodeLock(encodeLock(value)), value);
});

Deno.test("decodeLock survives damage", () => {
  assertFailsCleanly(LOCK, decodeLock, FormatError);
});
