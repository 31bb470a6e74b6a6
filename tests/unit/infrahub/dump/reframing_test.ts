import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import * as zlib from "node:zlib";
import type { ComponentSource } from "../../../../src/infrahub/mod.ts";
import { DamagedDumpError } from "../../../../src/infrahub/errors.ts";
import {
  reframedSource,
  reframeDump,
  type ZstdDecompressor,
} from "../../../../src/infrahub/dump/reframing.ts";
import { dumpInspector, inspectDump } from "../../../../src/infrahub/dump/verification.ts";
import { readAll, recordingReporter } from "../_support.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const FIXTURES = new URL("../../../fixtures/dumps/", import.meta.url);
const PREFIX = new TextEncoder().encode("DZV1");
const MAX_BLOCK_BYTES = 128 * KIB;

/** What of `node:zlib` is used here; the types of old runtimes do not know it. */
interface Zstd {
  zstdCompressSync(content: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
  zstdDecompressSync(frames: Uint8Array): Uint8Array;
  readonly constants: { readonly ZSTD_c_checksumFlag: number; readonly ZSTD_c_windowLog: number };
}

/** Where the runtime cannot decompress zstd, dumps are passed on. */
const ignore = !("zstdDecompressSync" in zlib);
const zstd = zlib as unknown as Zstd;

function compress(content: Uint8Array, options: { checksum?: boolean; windowLog?: number } = {}) {
  const { ZSTD_c_checksumFlag: checksum, ZSTD_c_windowLog: windowLog } = zstd.constants;
  const params: Record<number, number> = { [checksum]: options.checksum === false ? 0 : 1 };
  if (options.windowLog !== undefined) params[windowLog] = options.windowLog;
  return new Uint8Array(zstd.zstdCompressSync(content, { params }));
}

/** By libzstd, which knows nothing of how the frame was written. */
function decompress(frames: Uint8Array): Uint8Array {
  return new Uint8Array(zstd.zstdDecompressSync(frames));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Pieces of the given sizes in turn. */
function stream(bytes: Uint8Array, sizes: readonly number[] = [64 * KIB]) {
  let at = 0;
  let turn = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at === bytes.byteLength) return controller.close();
      const size = sizes[turn++ % sizes.length] ?? 1;
      // A copy: what is handed on must not be read again.
      controller.enqueue(bytes.slice(at, at + size));
      at = Math.min(bytes.byteLength, at + size);
    },
  }, { highWaterMark: 0 });
}

function reframe(dump: Uint8Array, sizes?: readonly number[]): Promise<Uint8Array> {
  return readAll(reframeDump(stream(dump, sizes)));
}

/** As a backup reads it: looked at by the inspector, then written anew. */
function verifyAndReframe(dump: Uint8Array, onPassedOn?: () => void): Promise<Uint8Array> {
  const verified = inspectDump(stream(dump), dumpInspector("neo4j", "community"));
  return readAll(reframeDump(verified, onPassedOn));
}

/** Bytes that do not repeat, always the same for a seed. */
function noise(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

interface Block {
  readonly isRepeated: boolean;
  readonly plainBytes: number;
  readonly stored: Uint8Array;
}

/** The blocks of a dump that was written anew, read by the format's rules. */
function blocksOf(dump: Uint8Array): Block[] {
  assertEquals(dump.subarray(0, 4), PREFIX);
  const blocks: Block[] = [];
  let at = 4;
  // `zstdCompressSync` sometimes adds a frame that is empty.
  while (at < dump.byteLength) {
    assertEquals(dump.subarray(at, at + 6), new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x38]));
    at += 6;
    let isLast = false;
    while (!isLast) {
      const [a = 0, b = 0, c = 0] = dump.subarray(at, at + 3);
      const header = a | (b << 8) | (c << 16);
      isLast = (header & 1) !== 0;
      const type = (header >> 1) & 3;
      assert(type < 2, "neither raw nor repeated");
      const plainBytes = header >> 3;
      assert(plainBytes <= MAX_BLOCK_BYTES);
      const end = at + 3 + (type === 1 ? 1 : plainBytes);
      const stored = dump.subarray(at + 3, end);
      if (plainBytes > 0) blocks.push({ isRepeated: type === 1, plainBytes, stored });
      at = end;
    }
    at += 4; // The checksum.
  }
  assertEquals(at, dump.byteLength);
  return blocks;
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

Deno.test({
  name: "reframeDump() keeps the content, whatever it is and however it arrives",
  ignore,
  async fn() {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(fc.nat(255), fc.nat(300 * KIB)).map(([byte, length]) =>
        new Uint8Array(length).fill(byte)
      ),
      fc.tuple(fc.integer({ min: 1 }), fc.nat(200 * KIB)).map(([seed, length]) =>
        noise(length, seed)
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (parts, sizes, hasPrefix) => {
          const content = join(...parts);
          const prefix = hasPrefix ? PREFIX : new Uint8Array();
          const reframed = await reframe(join(prefix, compress(content)), sizes);
          assertEquals(reframed.subarray(0, prefix.byteLength), prefix);
          const decompressed = decompress(reframed.subarray(prefix.byteLength));
          assertEquals(digest(decompressed), digest(content));
        },
      ),
      { numRuns: 60 },
    );
  },
});

Deno.test({
  name: "reframeDump() takes a dump byte by byte",
  ignore,
  async fn() {
    const dump = join(PREFIX, await Deno.readFile(new URL("stream.zst", FIXTURES)));
    const reframed = await reframe(dump, [1]);
    assertEquals(reframed, await reframe(dump));
    assertEquals(decompress(reframed.subarray(4)), decompress(dump.subarray(4)));
  },
});

Deno.test({
  name: "reframeDump() takes pieces without a byte in them",
  ignore,
  async fn() {
    const content = noise(1000);
    const pieces = [new Uint8Array(), PREFIX, new Uint8Array()];
    for (const byte of compress(content)) pieces.push(new Uint8Array([byte]), new Uint8Array());
    const reframed = await readAll(reframeDump(ReadableStream.from(pieces)));
    assertEquals(decompress(reframed.subarray(4)), content);
  },
});

Deno.test({
  name: "reframeDump() writes several frames anew, and passes on what follows them",
  ignore,
  async fn() {
    const one = compress(noise(50_000));
    const two = compress(new Uint8Array(500_000));
    const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const reframed = await reframe(join(PREFIX, one, two, skippable, one), [777]);
    assertEquals(decompress(reframed.subarray(4)), decompress(join(one, two, one)));
    assertEquals(
      reframed.subarray(-skippable.byteLength - one.byteLength),
      join(skippable, one),
    );
  },
});

Deno.test({
  name: "reframeDump() rejects a dump cut at any byte",
  ignore,
  async fn() {
    const dump = join(PREFIX, compress(join(noise(900), new Uint8Array(9000))));
    for (let length = 0; length < dump.byteLength; length++) {
      await assertRejects(() => verifyAndReframe(dump.subarray(0, length)), DamagedDumpError);
      // By itself as well, once it knows that it has a frame.
      if (length < 16) continue;
      await assertRejects(
        () => reframe(dump.subarray(0, length)),
        DamagedDumpError,
        "cut off inside a zstd frame",
      );
    }
  },
});

Deno.test({
  name: "reframeDump() gives the right content or an error when any bit is flipped",
  ignore,
  async fn() {
    const text = new TextEncoder().encode("all work and no play ".repeat(40));
    const content = join(noise(300), text, new Uint8Array(2000));
    const dump = join(PREFIX, compress(content));
    let failures = 0;
    for (let bit = 0; bit < dump.byteLength * 8; bit++) {
      const damaged = dump.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let isPassedOn = false;
      let reframed: Uint8Array;
      try {
        reframed = await verifyAndReframe(damaged, () => isPassedOn = true);
      } catch (error) {
        assertInstanceOf(error, DamagedDumpError, `bit ${bit}: ${error}`);
        failures++;
        continue;
      }
      if (isPassedOn) assertEquals(reframed, damaged);
      else assertEquals(decompress(reframed.subarray(4)), content, `bit ${bit}`);
    }
    // All but those of the header that have no meaning, or make it a frame that is passed on.
    assertGreater(failures, dump.byteLength * 8 - 16);
  },
});

Deno.test({
  name: "reframeDump() tells of damage in the midst of a long dump",
  ignore,
  async fn() {
    const text = new TextEncoder().encode("all work and no play ".repeat(40_000));
    const dump = join(PREFIX, compress(join(noise(MIB), text, noise(MIB, 3), text)));
    // Nobody could catch an error that the decompressor throws later: it would end the tests.
    for (let turn = 0; turn < 100; turn++) {
      const damaged = dump.slice();
      const at = 20 + Math.floor((turn / 100) * (dump.byteLength - 20));
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (turn & 7));
      await assertRejects(() => readAll(reframeDump(stream(damaged, [MIB]))), DamagedDumpError);
    }
  },
});

Deno.test({
  name: "reframeDump() tells when the decompressor gives other bytes than the dump has",
  ignore,
  async fn() {
    const dump = join(PREFIX, compress(noise(100_000)));
    const { Transform } = await import("node:stream");
    const wrong: ZstdDecompressor = () =>
      new Transform({
        transform: (_bytes, _encoding, done) => done(),
        flush: (done) => done(null, new Uint8Array(100_000)),
      });
    await assertRejects(
      () => readAll(reframeDump(stream(dump), undefined, wrong)),
      DamagedDumpError,
      "does not match its checksum",
    );
  },
});

Deno.test("reframeDump() passes on what it does not understand, and says why", async (t) => {
  const read = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));
  const frame = read("stream.zst");
  const header = (...bytes: number[]) =>
    join(PREFIX, new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, ...bytes]), noise(3000));
  const rows: [string, Uint8Array, string][] = [
    ["nothing", new Uint8Array(), "not compressed with zstd"],
    ["the prefix alone", PREFIX, "not compressed with zstd"],
    ["gzip", join(new TextEncoder().encode("DGV1"), read("stream.gz")), "not compressed with zstd"],
    ["gzip without a prefix", read("stream.gz"), "not compressed with zstd"],
    ["something else", noise(3000), "not compressed with zstd"],
    ["a skippable frame", header().fill(0x50, 4, 5), "not compressed with zstd"],
    ["a reserved bit", header(0x0c, 0x58), "not compressed with zstd"],
    ["no checksum", header(0x00, 0x58), "has no checksum"],
    ["a dictionary", header(0x05, 0x58, 9), "needs a dictionary"],
    ["a window of 9 MiB", header(0x04, (13 << 3) | 1), "window is too large"],
    ["all in one window", header(0xa4, 0, 0, 0, 1), "window is too large"],
  ];
  for (const [name, dump, reason] of rows) {
    await t.step(name, async () => {
      const reasons: string[] = [];
      const passed = await readAll(reframeDump(stream(dump, [1, 5, 1000]), (r) => reasons.push(r)));
      assertEquals(passed, dump);
      assertEquals(reasons.length, 1);
      assertStringIncludes(reasons[0] ?? "", reason);
    });
  }
  await t.step("a runtime without zstd", async () => {
    const reasons: string[] = [];
    const content = reframeDump(stream(frame), (reason) => reasons.push(reason), null);
    assertEquals(await readAll(content), frame);
    assertEquals(reasons, ["this runtime cannot decompress zstd"]);
  });
});

Deno.test({
  name: "reframeDump() keeps the blocks when bytes come or go in the middle",
  ignore,
  async fn() {
    const content = noise(8 * MIB);
    const at = 3 * MIB + 4711;
    const blocks = blocksOf(await reframe(join(PREFIX, compress(content))));
    const known = new Set(blocks.map(({ stored }) => digest(stored)));
    assertGreater(blocks.length, 100);
    const rows: [string, Uint8Array][] = [
      ["one byte more", join(content.subarray(0, at), noise(1, 7), content.subarray(at))],
      ["one byte less", join(content.subarray(0, at), content.subarray(at + 1))],
      ["70,000 more", join(content.subarray(0, at), noise(70_000, 7), content.subarray(at))],
      ["70,000 less", join(content.subarray(0, at), content.subarray(at + 70_000))],
      ["one at the beginning", join(noise(1, 7), content)],
    ];
    for (const [name, changed] of rows) {
      const others = blocksOf(await reframe(join(PREFIX, compress(changed))));
      const kept = others.filter(({ stored }) => known.has(digest(stored))).length;
      assertGreater(kept, 0.95 * others.length, name);
    }
  },
});

Deno.test({
  name: "reframeDump() stores runs of equal bytes as one byte for every 128 KiB",
  ignore,
  async fn() {
    for (let byte = 0; byte < 256; byte += 5) {
      const content = new Uint8Array(1 * MIB).fill(byte);
      const reframed = await reframe(join(PREFIX, compress(content)));
      const blocks = blocksOf(reframed);
      assertEquals(blocks.length, 8);
      assert(blocks.every(({ isRepeated, stored }) => isRepeated && stored[0] === byte));
      assertEquals(decompress(reframed.subarray(4)), content);
    }
  },
});

Deno.test({
  name: "reframeDump() cuts blocks as it always has: others would share nothing with old backups",
  ignore,
  async fn() {
    const blocks = blocksOf(await reframe(join(PREFIX, compress(noise(2 * MIB)))));
    const sizes = blocks.map(({ plainBytes }) => plainBytes);
    assertEquals(sizes.slice(0, 5), [101_112, 30_887, 24_863, 28_284, 18_012]);
  },
});

Deno.test({
  name: "reframeDump() fails as its input fails",
  ignore,
  async fn() {
    const frame = compress(noise(2 * MIB));
    for (const length of [0, 3, 10, 1000, 1_500_000]) {
      const failing = new ReadableStream<Uint8Array>({
        start: (controller) => length > 0 && controller.enqueue(frame.subarray(0, length)),
        pull: () => Promise.reject(new RangeError("the pipe broke")),
      }, { highWaterMark: 0 });
      await assertRejects(() => readAll(reframeDump(failing)), RangeError, "the pipe broke");
    }
  },
});

Deno.test({
  name: "reframeDump() ends its input when the dump is damaged",
  ignore,
  async fn() {
    const frame = compress(noise(2 * MIB));
    frame[1_000_000] = (frame[1_000_000] ?? 0) ^ 1;
    let reason: unknown;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(frame.slice());
      },
      cancel: (why) => void (reason = why),
    }, { highWaterMark: 0 });
    const error = await assertRejects(() => readAll(reframeDump(endless)), DamagedDumpError);
    assertEquals(reason, error);
  },
});

Deno.test("reframeDump() can be cancelled while its input has nothing to give", async () => {
  for (const start of [new Uint8Array(), await Deno.readFile(new URL("stream.zst", FIXTURES))]) {
    let reason: unknown;
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => {
        if (start.byteLength > 0) controller.enqueue(start.subarray(0, -1));
      },
      cancel: (why) => void (reason = why),
    });
    const reader = reframeDump(stalled).getReader();
    const read = reader.read();
    await reader.cancel("enough");
    assertEquals(reason, "enough");
    // What was under way ends; it may still have had something.
    await read;
  }
});

Deno.test({
  name: "reframeDump() reads no further than it has to while nobody takes what it gives",
  ignore,
  async fn() {
    const dump = join(PREFIX, compress(noise(64 * MIB)));
    let given = 0;
    const counted = stream(dump).pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          given += bytes.byteLength;
          controller.enqueue(bytes);
        },
      }),
      {},
    );
    const reader = reframeDump(counted).getReader();
    let taken = 0;
    for (let { value } = await reader.read(); value; { value } = await reader.read()) {
      taken += value.byteLength;
      // Time for whoever would read ahead.
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertLess(given - taken, 4 * MIB);
    }
    assertGreater(taken, 64 * MIB);
  },
});

Deno.test({
  name: "reframedSource() says once that a dump is passed on, and keeps the rest of the source",
  async fn() {
    const finished = Promise.resolve();
    const source: ComponentSource = {
      component: "neo4j",
      recordPath: "/neo4j.dump",
      open: () => ({ content: stream(noise(100)), finished }),
    };
    const reporter = recordingReporter();
    const reframed = reframedSource(source, reporter);
    assertEquals([reframed.component, reframed.recordPath], ["neo4j", "/neo4j.dump"]);
    const opened = await reframed.open(new AbortController().signal);
    assertEquals(opened.finished, finished);
    assertEquals(await readAll(opened.content), noise(100));
    assertEquals(reporter.lines, [
      "info The Neo4j dump is stored compressed, as it came: it is not compressed with zstd",
    ]);
  },
});
