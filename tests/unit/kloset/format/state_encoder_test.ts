import { assertEquals, assertThrows } from "@std/assert";
import { StateEncoder, VERSION_1_0_0, VERSION_1_1_0 } from "../../../../src/kloset/format/mod.ts";
import { hex, toHex } from "./_vectors.ts";
import { A, B, everyEntry, SERIAL } from "./_states.ts";

Deno.test("StateEncoder writes the layouts of the format", () => {
  const [aa, bb, zero] = ["aa", "bb", "00"].map((byte) => byte.repeat(32));
  const locations = `02 55000000 09 00000100 ${aa}${bb} 5544332211000000 40302010 00000000`;
  const rest = `03 29000000 05 ${aa} 0500000000000000 04 48000000 ${bb}${aa} 0600000000000000`;
  assertEquals(
    everyEntry(VERSION_1_0_0),
    hex(locations + rest + `01 00000100 0700000000000000 ${toHex(SERIAL)}`),
  );
  assertEquals(
    everyEntry(VERSION_1_1_0),
    hex(
      `${aa} 06 42000000 02 09 ${aa}${bb} 06 42000000 03 04 ${bb}${zero}
       06 42000000 04 00 ${zero}${bb}` + locations + rest +
        `01 00010100 0700000000000000 ${toHex(SERIAL)}`,
    ),
  );
});

Deno.test("StateEncoder refuses deletions before 1.1.0 and MACs of another length", () => {
  assertThrows(() => new StateEncoder(VERSION_1_0_0, A).deletePackfile(B), TypeError);
  assertThrows(() => new StateEncoder(VERSION_1_1_0, A.slice(1)), RangeError);
});
