import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeXattrEntry,
  FormatError,
  VERSION_1_0_0,
  type XattrEntry,
} from "../../../../src/kloset/format/mod.ts";
import { encodeXattrEntry } from "./_entries.ts";
import { hex } from "./_vectors.ts";

const VALUE: XattrEntry = {
  version: VERSION_1_0_0,
  path: "/a",
  name: "user.x",
  size: 5,
  type: 1,
  object: new Uint8Array(32).fill(0xab),
};

Deno.test("decodeXattrEntry reads the fields", () => {
  const bytes = hex(`86 a776657273696f6e ce00010000 a470617468 a22f61 a46e616d65 a6757365722e78
      a473697a65 d30000000000000005 a474797065 cc01 a66f626a656374 c420 ${"ab".repeat(32)}`);
  assertEquals(decodeXattrEntry(bytes), VALUE);
});

Deno.test("decodeXattrEntry survives damage", () => {
  assertEquals(decodeXattrEntry(encodeXattrEntry(VALUE)), VALUE);
  assertFailsCleanly(encodeXattrEntry(VALUE), decodeXattrEntry, FormatError);
});
