import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeXattrEntry,
  encodeXattrEntry,
  FormatError,
  VERSION_1_0_0,
  type XattrEntry,
  xattrKey,
  XattrType,
} from "../../../../src/kloset/format/mod.ts";
import { hex } from "./_vectors.ts";

const VALUE: XattrEntry = {
  version: VERSION_1_0_0,
  path: "/a",
  name: "user.x",
  size: 5,
  type: XattrType.ALTERNATE_DATA_STREAM,
  object: new Uint8Array(32).fill(0xab),
};

Deno.test("encodeXattrEntry writes the fields in order", () => {
  assertEquals(
    encodeXattrEntry(VALUE),
    hex(`86 a776657273696f6e ce00010000 a470617468 a22f61 a46e616d65 a6757365722e78
      a473697a65 d30000000000000005 a474797065 cc01 a66f626a656374 c420 ${"ab".repeat(32)}`),
  );
});

Deno.test("xattrKey ends in the separator of the type", () => {
  const keys = [0, 1, 2, 3, 255].map((type) => xattrKey({ ...VALUE, type }));
  assertEquals(keys, ["/auser.x:", "/auser.x@", "/auser.x%", "/auser.x#", "/auser.x#"]);
});

Deno.test("decodeXattrEntry undoes encodeXattrEntry and survives damage", () => {
  assertEquals(decodeXattrEntry(encodeXattrEntry(VALUE)), VALUE);
  assertFailsCleanly(encodeXattrEntry(VALUE), decodeXattrEntry, FormatError);
});
