import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BlobIndex } from "../../../../src/kloset/index/mod.ts";
import { applyTo, IndexModel, type Operation, reloaded, testMac } from "./_index_model.ts";

const PACKFILE = 4;
const SNAPSHOT = 5;
const CHUNK = 9;
const RANDOM = 255;

/** Beyond one page of locations, and beyond the first hash tables. */
const MANY = 40_000;

function indexOf(operations: readonly Operation[]): BlobIndex {
  const index = new BlobIndex();
  for (const operation of operations) applyTo(index, operation);
  return index;
}

function manyOperations(): Operation[] {
  const operations: Operation[] = [];
  for (let n = 0; n < MANY; n++) {
    const packfile = n % 300;
    const type = n % 500 === 0 ? SNAPSHOT : CHUNK;
    operations.push({ kind: "location", type, blob: n * 7919 % 30_011, packfile, offset: n });
    if (n % 100 === 0) operations.push({ kind: "packfile", packfile, when: n });
    if (n % 1000 === 1) operations.push({ kind: "colour", type: PACKFILE, mac: packfile, when: n });
  }
  return operations;
}

/** Like testMac, but with first bytes that spread: long collision chains would be slow. */
function spreadMac(n: number): Uint8Array {
  const mac = testMac(n);
  new DataView(mac.buffer).setUint32(0, Math.imul(n + 1, 0x9e3779b1));
  return mac;
}

Deno.test("BlobIndex finds a blob only in a packfile that is known and not coloured", () => {
  const index = new BlobIndex();
  index.addLocation(CHUNK, testMac(1), 0, testMac(2), 0, 100, 50);
  assertEquals(index.find(CHUNK, testMac(1)), undefined);
  index.addPackfile(testMac(2), 7n);
  assertEquals(index.find(CHUNK, testMac(1)), { packfile: testMac(2), offset: 100, length: 50 });
  index.colour(PACKFILE, testMac(2), 8n);
  assertFalse(index.has(CHUNK, testMac(1)));
  index.uncolour(PACKFILE, testMac(2));
  assert(index.has(CHUNK, testMac(1)));
});

Deno.test("BlobIndex honours a packfile colour that came before the packfile", () => {
  const index = new BlobIndex();
  index.colour(PACKFILE, testMac(2), 8n);
  index.addLocation(CHUNK, testMac(1), 0, testMac(2), 0, 100, 50);
  index.addPackfile(testMac(2), 7n);
  assertFalse(index.has(CHUNK, testMac(1)));
});

Deno.test("BlobIndex keeps a blob's other location when a packfile goes", () => {
  const index = indexOf([
    { kind: "packfile", packfile: 1, when: 1 },
    { kind: "packfile", packfile: 2, when: 2 },
    { kind: "location", type: CHUNK, blob: 9, packfile: 1, offset: 10 },
    { kind: "location", type: CHUNK, blob: 9, packfile: 2, offset: 20 },
  ]);
  assertEquals(index.find(CHUNK, testMac(9))?.offset, 10);
  index.deletePackfile(testMac(1));
  assertEquals(index.find(CHUNK, testMac(9))?.offset, 20);
  assertEquals(index.locationCount, 1);
});

Deno.test("BlobIndex does not revive locations of a removed packfile that is added again", () => {
  const index = indexOf([
    { kind: "packfile", packfile: 1, when: 1 },
    { kind: "location", type: CHUNK, blob: 9, packfile: 1, offset: 10 },
    { kind: "delete packfile", packfile: 1 },
    { kind: "packfile", packfile: 1, when: 2 },
  ]);
  assertFalse(index.has(CHUNK, testMac(9)));
  index.addLocation(CHUNK, testMac(9), 0, testMac(1), 0, 30, 1);
  assertEquals(index.find(CHUNK, testMac(9))?.offset, 30);
});

Deno.test("BlobIndex lists a snapshot of a coloured packfile, not a coloured snapshot", () => {
  const index = indexOf([
    { kind: "packfile", packfile: 1, when: 1 },
    { kind: "location", type: SNAPSHOT, blob: 8, packfile: 1, offset: 0 },
    { kind: "location", type: SNAPSHOT, blob: 9, packfile: 1, offset: 1 },
    { kind: "location", type: SNAPSHOT, blob: 10, packfile: 2, offset: 1 },
    { kind: "colour", type: PACKFILE, mac: 1, when: 2 },
    { kind: "colour", type: SNAPSHOT, mac: 9, when: 3 },
  ]);
  assertEquals(index.snapshotIds(), [testMac(8)]);
  assertEquals(index.find(SNAPSHOT, testMac(8)), undefined);
});

Deno.test("BlobIndex keeps offsets up to 2^53 - 1 and lengths up to 2^32 - 1", () => {
  const index = new BlobIndex();
  index.addPackfile(testMac(1), 0n);
  index.addLocation(CHUNK, testMac(2), 0, testMac(1), 0, 2 ** 53 - 1, 2 ** 32 - 1);
  assertEquals(reloaded(index).find(CHUNK, testMac(2)), {
    packfile: testMac(1),
    offset: 2 ** 53 - 1,
    length: 2 ** 32 - 1,
  });
});

Deno.test("BlobIndex.addLocation() rejects what it could not give back", async (t) => {
  const mac = testMac(1);
  const cases: [name: string, type: number, offset: number, length: number][] = [
    ["type 0", 0, 0, 1],
    ["a type above 255", 256, 0, 1],
    ["an offset of 2^53", CHUNK, 2 ** 53, 1],
    ["a negative offset", CHUNK, -1, 1],
    ["a length of 2^32", CHUNK, 0, 2 ** 32],
    ["a fractional offset", CHUNK, 0.5, 1],
    ["a fractional length", CHUNK, 0, 0.5],
    ["a fractional type", 9.5, 0, 1],
  ];
  for (const [name, type, offset, length] of cases) {
    await t.step(name, () => {
      const index = new BlobIndex();
      assertThrows(() => index.addLocation(type, mac, 0, mac, 0, offset, length), RangeError);
      assertEquals(index.locationCount, 0);
    });
  }
  await t.step("a MAC that ends early", () => {
    const index = new BlobIndex();
    assertThrows(() => index.addLocation(CHUNK, mac, 1, mac, 0, 0, 1), RangeError);
    assertThrows(() => index.addLocation(CHUNK, mac, 0, mac, 1, 0, 1), RangeError);
    assertThrows(() => index.has(CHUNK, mac.subarray(1)), RangeError);
    assertEquals(index.locationCount, 0);
  });
});

Deno.test("BlobIndex without its pages answers for snapshots and throws for other blobs", () => {
  const whole = indexOf([
    { kind: "packfile", packfile: 1, when: 1 },
    { kind: "location", type: SNAPSHOT, blob: 8, packfile: 1, offset: 3 },
    { kind: "location", type: CHUNK, blob: 9, packfile: 1, offset: 4 },
  ]);
  const index = BlobIndex.fromSummary(whole.summary());
  assertFalse(index.complete);
  assertEquals(index.snapshotIds(), [testMac(8)]);
  assertEquals(index.find(SNAPSHOT, testMac(8)), whole.find(SNAPSHOT, testMac(8)));
  assertEquals(index.locationCount, 2);
  assertThrows(() => index.has(CHUNK, testMac(9)), Error, "pages are not loaded");
  assertThrows(() => index.attachPages([new Uint8Array(50)]), RangeError);
  assertFalse(index.complete);

  index.deletePackfile(testMac(1));
  index.attachPages([whole.pageBytes(0).slice()]);
  assert(index.complete);
  assertFalse(index.has(CHUNK, testMac(9)), "a packfile removed before the pages came");
});

Deno.test("BlobIndex.dirtyPages names the pages that a change touched", () => {
  const index = new BlobIndex();
  index.addPackfile(testMac(1), 0n);
  for (let n = 0; n < MANY; n++) index.addLocation(CHUNK, spreadMac(n), 0, testMac(1), 0, n, 1);
  assertEquals(index.pageCount, 3);
  assertEquals([...index.dirtyPages].sort(), [0, 1, 2]);
  index.markClean();
  index.addLocation(CHUNK, spreadMac(0), 0, testMac(1), 0, 0, 1);
  assertEquals([...index.dirtyPages], [], "a location that is there already");
  index.addLocation(CHUNK, spreadMac(MANY), 0, testMac(1), 0, 0, 1);
  assertEquals([...index.dirtyPages], [2]);
  index.deleteLocation(CHUNK, spreadMac(3), testMac(1));
  assertEquals([...index.dirtyPages].sort(), [0, 2]);
});

Deno.test("BlobIndex agrees with the model over many pages, also after a reload", () => {
  const model = new IndexModel();
  const index = new BlobIndex();
  // Collisions of half of all MACs would be quadratic, so this one spreads them.
  for (const operation of manyOperations()) {
    model.apply(operation);
    if (operation.kind === "location") {
      const { type, blob, packfile, offset } = operation;
      index.addLocation(type, spreadMac(blob), 0, testMac(packfile), 0, offset, offset);
    } else applyTo(index, operation);
  }
  const usable = model.usable();
  for (const copy of [index, reloaded(index)]) {
    for (let blob = 0; blob < 30_011; blob++) {
      const want = usable.get(`${CHUNK} ${blob}`);
      assertEquals(copy.find(CHUNK, spreadMac(blob))?.offset, want?.offset);
    }
  }
});

Deno.test("BlobIndex.compact() gives back the room of removed entries and changes no answer", () => {
  const index = new BlobIndex();
  for (let n = 0; n < MANY; n++) {
    const packfile = testMac(n % 100);
    index.addPackfile(packfile, BigInt(n));
    index.addLocation(n % 50 === 7 ? SNAPSHOT : CHUNK, spreadMac(n), 0, packfile, 0, n, n);
  }
  for (let packfile = 0; packfile < 60; packfile++) index.deletePackfile(testMac(packfile));
  for (let n = 0; n < MANY; n += 3) {
    index.deleteLocation(CHUNK, spreadMac(n), testMac(n % 100));
  }
  const before = reloaded(index);
  assertEquals(before.pageCount, 3);
  index.compact();
  assertEquals(index.pageCount, 1);
  assertEquals([...index.dirtyPages], [0]);
  assertEquals(index.locationCount, before.locationCount);
  assertEquals(index.packfileCount, 40);
  assertEquals([...index.packfiles()], [...before.packfiles()]);
  assertEquals(index.snapshotIds(), before.snapshotIds());
  for (let n = 0; n < MANY; n++) {
    assertEquals(index.find(CHUNK, spreadMac(n)), before.find(CHUNK, spreadMac(n)));
  }
  index.deletePackfile(testMac(60));
  index.compact();
  assertEquals(index.dirtyPages.size, 1, "too little to compact again");
});

Deno.test("BlobIndex agrees with a model of the merge rules over random states", () => {
  const TYPES = [PACKFILE, SNAPSHOT, CHUNK, RANDOM];
  const MACS = 6;
  const type = fc.constantFrom(...TYPES);
  const number = fc.nat({ max: MACS - 1 });
  const when = fc.nat({ max: 100 });
  const location = fc.record({
    kind: fc.constant("location" as const),
    type,
    blob: number,
    packfile: number,
    offset: fc.nat({ max: 1000 }),
  });
  const operation: fc.Arbitrary<Operation | { kind: "reload" }> = fc.oneof(
    { arbitrary: location, weight: 4 },
    {
      arbitrary: fc.record({ kind: fc.constant("packfile" as const), packfile: number, when }),
      weight: 3,
    },
    fc.record({
      kind: fc.constant("colour" as const),
      type: fc.constantFrom(PACKFILE, SNAPSHOT),
      mac: number,
      when,
    }),
    fc.record({
      kind: fc.constant("uncolour" as const),
      type: fc.constantFrom(PACKFILE, SNAPSHOT),
      mac: number,
    }),
    fc.record({
      kind: fc.constant("delete location" as const),
      type,
      blob: number,
      packfile: number,
    }),
    fc.record({ kind: fc.constant("delete packfile" as const), packfile: number }),
    fc.record({ kind: fc.constant("reload" as const) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      let index = new BlobIndex();
      const model = new IndexModel();
      for (const operation of operations) {
        if (operation.kind === "reload") index = reloaded(index);
        else {
          applyTo(index, operation);
          model.apply(operation);
        }
        model.assertMatches(index, TYPES, MACS);
      }
    }),
    { numRuns: 200 },
  );
});
