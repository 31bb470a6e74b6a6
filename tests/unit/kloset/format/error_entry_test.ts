import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import { decodeErrorEntry, FormatError, VERSION_1_0_0 } from "../../../../src/kloset/format/mod.ts";
import { encodeErrorEntry } from "./_entries.ts";
import { hex } from "./_vectors.ts";

const VALUE = { version: VERSION_1_0_0, name: "/neo4j.dump", error: "exit status 1" };

Deno.test("decodeErrorEntry reads the fields", () => {
  assertEquals(
    decodeErrorEntry(hex("83 a776657273696f6e ce00010000 a46e616d65 a22f61 a56572726f72 a162")),
    { ...VALUE, name: "/a", error: "b" },
  );
});

Deno.test("decodeErrorEntry survives damage", () => {
  assertEquals(decodeErrorEntry(encodeErrorEntry(VALUE)), VALUE);
  assertFailsCleanly(encodeErrorEntry(VALUE), decodeErrorEntry, FormatError);
});
