import { assert, assertEquals, assertRejects } from "@std/assert";
import { CorruptionError } from "../../../../src/kloset/mod.ts";
import {
  type KlosetObject,
  macToHex,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { copyContent } from "../../../../src/kloset/snapshot/content_reader.ts";
import { noise } from "../../../faults/backups.ts";
import { BlobBench } from "../_blob_bench.ts";

const PARTS = Array.from({ length: 30 }, (_, i) => noise(100 + 17 * i, i));
const SNAPSHOT = "5e".repeat(32);

/** An object of these chunks; its MAC is that of the content that it should have. */
function objectOf(bench: BlobBench, parts: readonly Uint8Array[]): KlosetObject {
  return {
    version: VERSION_1_0_0,
    contentMac: bench.mac.of(...parts),
    chunks: parts.map((part) => ({
      version: VERSION_1_0_0,
      contentMac: bench.mac.of(part),
      length: part.length,
      entropy: 0,
      flags: 0,
    })),
    contentType: "",
    entropy: 0,
    flags: 0,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Copies an object and returns its bytes; all memory must be back at the end. */
async function copy(bench: BlobBench, object: KlosetObject): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  try {
    const length = await copyContent(object, {
      pool: bench.pool,
      store: bench.store,
      blobs: bench.blobs,
      mac: bench.mac.parameters,
      encoding: { compression: undefined, encryption: undefined },
      memory: bench.budget,
      signal: new AbortController().signal,
      snapshot: SNAPSHOT,
      path: "/file",
    }, (bytes) => {
      pieces.push(bytes.slice());
      return Promise.resolve();
    });
    assertEquals(length, pieces.reduce((sum, piece) => sum + piece.length, 0));
  } finally {
    // The whole limit is there for one who waits his turn.
    bench.budget.release(await bench.budget.acquire(4096));
  }
  return joined(pieces);
}

async function benchWithChunks(): Promise<BlobBench> {
  const bench = await BlobBench.make();
  for (const part of PARTS) bench.add(ResourceType.CHUNK, part);
  bench.add(ResourceType.CHUNK, new Uint8Array());
  return bench;
}

Deno.test("copyContent() gives the chunks in order, wherever they lie", async () => {
  using bench = await benchWithChunks();
  const orders = {
    "as stored": PARTS,
    backwards: PARTS.toReversed(),
    "with empty ones": [new Uint8Array(), ...PARTS.slice(0, 3), new Uint8Array(), PARTS[9]!],
    "the same over and over": Array.from({ length: 50 }, (_, i) => PARTS[i % 2]!),
    one: [PARTS[3]!],
  };
  for (const [name, parts] of Object.entries(orders)) {
    assertEquals(await copy(bench, objectOf(bench, parts)), joined(parts), name);
  }
  assertEquals(await copy(bench, objectOf(bench, [])), new Uint8Array());
  assertEquals(await copy(bench, objectOf(bench, [new Uint8Array()])), new Uint8Array());
});

Deno.test("copyContent() finds that the whole is not what was written", async () => {
  using bench = await benchWithChunks();
  const object = objectOf(bench, PARTS);
  const [first, second, ...others] = object.chunks;
  const wrong = {
    "two chunks exchanged": [second!, first!, ...others],
    "a chunk left out": [first!, ...others],
    "a chunk twice": [first!, first!, second!, ...others],
    "nothing": [],
  };
  for (const [name, chunks] of Object.entries(wrong)) {
    const error = await assertRejects(
      () => copy(bench, { ...object, chunks }),
      CorruptionError,
      "the whole",
    );
    assertEquals(error.context, { snapshot: SNAPSHOT, path: "/file" }, name);
  }
});

Deno.test("copyContent() finds a chunk of another length, unknown, or of a size that none has", async () => {
  using bench = await benchWithChunks();
  const object = objectOf(bench, PARTS);
  const [first, ...others] = object.chunks;
  const wrong = [
    { ...first!, length: first!.length - 1 },
    { ...first!, length: first!.length + 1 },
    { ...first!, length: 4_000_000_000 },
    { ...first!, contentMac: bench.mac.of(noise(3, 99)) },
  ];
  for (const chunk of wrong) {
    const error = await assertRejects(
      () => copy(bench, { ...object, chunks: [chunk, ...others] }),
      CorruptionError,
    );
    assertEquals(error.context.chunk, macToHex(chunk.contentMac));
    assert(error.message.includes(`Snapshot ${SNAPSHOT.slice(0, 16)}, "/file"`), error.message);
  }
  assertEquals(await copy(bench, object), joined(PARTS));
});
