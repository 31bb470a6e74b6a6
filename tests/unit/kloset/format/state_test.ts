import { assertEquals, assertThrows } from "@std/assert";
import {
  array,
  assert as property,
  bigInt,
  nat,
  property as forAll,
  record,
  uint8Array,
} from "fast-check";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  FormatError,
  macFromHex,
  macToHex,
  NIL_MAC,
  openEnvelope,
  ResourceType,
  StateEncoder,
  StateEntryType,
  type StateMetadata,
  VERSION_1_0_0,
  VERSION_1_1_0,
  visitState,
} from "../../../../src/kloset/format/mod.ts";
import { blake3 } from "./_blake3.ts";
import { hex, STATE_FILE, STATE_ID, STATE_MAC_KEY, STATE_PARENT } from "./_vectors.ts";
import { A, B, everyEntry, SERIAL } from "./_states.ts";

const { CHUNK, SNAPSHOT, PACKFILE } = ResourceType;

/** Everything a visitor is told, in order. */
function collect(bytes: Uint8Array, version: number): [unknown[][], StateMetadata] {
  const calls: unknown[][] = [];
  const metadata = visitState(bytes, version, {
    location: (type, macAt, packfileAt, offset, length) =>
      calls.push([
        "location",
        type,
        bytes.slice(macAt, macAt + 32),
        bytes.slice(packfileAt, packfileAt + 32),
        offset,
        length,
      ]),
    coloured: (...args) => calls.push(["coloured", ...args]),
    packfile: (...args) => calls.push(["packfile", ...args]),
    configuration: (...args) => calls.push(["configuration", ...args]),
    deleted: (...args) => calls.push(["deleted", ...args]),
  });
  return [calls, metadata];
}

Deno.test("visitState reads a state that Go wrote", () => {
  const mac = blake3(STATE_MAC_KEY);
  const { version, payload } = openEnvelope(
    STATE_FILE,
    ResourceType.STATE,
    VERSION_1_1_0,
    mac,
  );
  assertEquals(macToHex(mac(payload)), STATE_ID);
  const [calls, metadata] = collect(payload, version);
  const when = 0x18ea4ef629995250n;
  assertEquals(calls, [["coloured", SNAPSHOT, macFromHex(STATE_PARENT), when]]);
  assertEquals(metadata, {
    parent: macFromHex(STATE_PARENT),
    version: VERSION_1_1_0,
    timestampNs: 0x18ea4ef629995119n,
    serial: SERIAL,
  });

  const encoder = new StateEncoder(VERSION_1_1_0, metadata.parent);
  encoder.addColoured(SNAPSHOT, macFromHex(STATE_PARENT), when);
  assertEquals(encoder.finish(metadata.timestampNs, metadata.serial), payload);
});

Deno.test("visitState tells the visitor every entry in order", () => {
  const added = [
    ["location", CHUNK, A, B, 0x1122334455, 0x10203040],
    ["coloured", SNAPSHOT, A, 5n],
    ["packfile", B, A, 6n],
  ];
  const [calls, metadata] = collect(everyEntry(VERSION_1_1_0), VERSION_1_1_0);
  assertEquals(calls, [
    ["deleted", StateEntryType.LOCATIONS, CHUNK, A, B],
    ["deleted", StateEntryType.COLOURED, PACKFILE, B, NIL_MAC],
    ["deleted", StateEntryType.PACKFILE, 0, NIL_MAC, B],
    ...added,
  ]);
  assertEquals(metadata, { parent: A, version: VERSION_1_1_0, timestampNs: 7n, serial: SERIAL });

  const [older, olderMetadata] = collect(everyEntry(VERSION_1_0_0), VERSION_1_0_0);
  assertEquals(older, added);
  assertEquals(olderMetadata.parent, NIL_MAC);
});

Deno.test("visitState reads what StateEncoder writes, whatever it is", () => {
  const mac = uint8Array({ minLength: 32, maxLength: 32 });
  const location = record({
    type: nat(255),
    version: nat(),
    mac,
    packfile: mac,
    offset: nat(),
    length: nat(),
  });
  const time = bigInt({ min: 0n, max: 2n ** 64n - 1n });
  property(forAll(array(location), array(record({ mac, time })), mac, (locations, packs, id) => {
    const encoder = new StateEncoder(VERSION_1_1_0, id);
    for (const item of locations) encoder.addLocation(item);
    for (const pack of packs) encoder.addPackfile(pack.mac, id, pack.time);
    const [calls] = collect(encoder.finish(1n, SERIAL), VERSION_1_1_0);
    assertEquals(calls, [
      ...locations.map((l) => ["location", l.type, l.mac, l.packfile, l.offset, l.length]),
      ...packs.map((pack) => ["packfile", pack.mac, id, pack.time]),
    ]);
  }));
});

const TRAILER = `01 00010100 0700000000000000 ${"00".repeat(16)}`;
const PARENT = "00".repeat(32);

Deno.test("visitState reads CONFIGURATION entries", () => {
  const bytes = hex(`${PARENT} 05 10000000 03 6b6579 0200 7778 0900000000000000 ${TRAILER}`);
  assertEquals(collect(bytes, VERSION_1_1_0)[0], [["configuration", "key", hex("7778"), 9n]]);
  for (const entry of ["00000000", "01000000 ff", "02000000 0000", "0b000000" + "01".repeat(11)]) {
    const broken = hex(`${PARENT} 05 ${entry} ${TRAILER}`);
    assertThrows(() => visitState(broken, VERSION_1_1_0, {}), FormatError);
  }
});

Deno.test("visitState skips unknown kinds of entries, and deletions before 1.1.0", () => {
  assertEquals(
    collect(hex(`${PARENT} 2a 03000000 010203 00 00000000 ${TRAILER}`), VERSION_1_1_0)[0],
    [],
  );
  assertEquals(
    collect(hex(`06 42000000 ${"09".repeat(66)} ${TRAILER}`), VERSION_1_0_0)[0],
    [],
  );
});

Deno.test("visitState refuses wrong lengths, huge offsets, bad deletions and bad trailers", () => {
  for (
    const stream of [
      `02 54000000 ${"00".repeat(84)} ${TRAILER}`,
      `03 28000000 ${"00".repeat(40)} ${TRAILER}`,
      `04 49000000 ${"00".repeat(73)} ${TRAILER}`,
      `06 41000000 ${"00".repeat(65)} ${TRAILER}`,
      `06 42000000 05 ${"00".repeat(65)} ${TRAILER}`,
      `02 55000000 ${"00".repeat(69)} ffffffffffffffff ${"00".repeat(8)} ${TRAILER}`,
      `2a ffffffff ${TRAILER}`,
      TRAILER + "00",
      "",
    ]
  ) {
    assertThrows(() => collect(hex(PARENT + stream), VERSION_1_1_0), FormatError, "state");
  }
});

Deno.test("visitState survives damage", () => {
  for (const version of [VERSION_1_0_0, VERSION_1_1_0]) {
    assertFailsCleanly(everyEntry(version), (bytes) => collect(bytes, version), FormatError);
  }
});
