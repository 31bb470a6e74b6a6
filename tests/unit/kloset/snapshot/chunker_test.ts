import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type FastCdcParameters, Kernels, type Region } from "../../../../src/kernels/mod.ts";
import { cutChunks } from "../../../../src/kloset/snapshot/chunker.ts";
import { MemoryBudget } from "../../../../src/kloset/unit/memory_budget.ts";
import { WorkerPool } from "../../../../src/kloset/workers/mod.ts";

const SMALL: FastCdcParameters = {
  algorithm: "fastcdc-v1.0.0",
  minSize: 64,
  normalSize: 256,
  maxSize: 1024,
};

/** The input of the format's chunking vector (appendix B.5): xorshift64, eight bytes a step. */
function vectorInput(): Uint8Array {
  const words = new Uint32Array(25_165_824 / 4);
  let low = 0x89abcdef;
  let high = 0x01234567;
  for (let i = 0; i < words.length; i += 2) {
    high ^= (high << 13) | (low >>> 19);
    low ^= low << 13;
    low ^= (low >>> 7) | (high << 25);
    high ^= high >>> 7;
    high ^= (high << 17) | (low >>> 15);
    low ^= low << 17;
    words[i] = low;
    words[i + 1] = high;
  }
  return new Uint8Array(words.buffer);
}

const input = vectorInput();

/** Kernels that know which regions are out. */
async function makeBench(limit = 64 * 1024) {
  const kernels = await Kernels.load();
  const memory = new MemoryBudget(kernels, limit);
  const out = new Set<Region>();
  const acquire = memory.acquire.bind(memory);
  memory.acquire = async (length) => {
    const region = await acquire(length);
    out.add(region);
    return region;
  };
  const shrink = memory.shrink.bind(memory);
  memory.shrink = (region, length) => {
    assert(out.delete(region), "shrank a region that was not out");
    const kept = shrink(region, length);
    out.add(kept);
    return kept;
  };
  const release = memory.release.bind(memory);
  memory.release = (region) => {
    assert(out.delete(region), "released a region that was not out");
    release(region);
  };
  return { kernels, memory, out, pool: new WorkerPool(kernels, 1) };
}

type Bench = Awaited<ReturnType<typeof makeBench>>;

const bench = await makeBench();

interface Cut {
  readonly lengths: number[];
  readonly content: Uint8Array;
}

/** Takes all chunks, releasing each at once; at the end nothing may be out. */
async function cut(
  source: ReadableStream<Uint8Array>,
  chunking: FastCdcParameters,
  { pool, memory, kernels, out }: Bench = bench,
): Promise<Cut> {
  const lengths: number[] = [];
  const parts: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const chunk of cutChunks(source, { pool, memory, chunking, signal })) {
    lengths.push(chunk.length);
    assertEquals(chunk.data.length, chunk.length, "a chunk holds more memory than it needs");
    parts.push(kernels.bytes(chunk.data, 0, chunk.length).slice());
    memory.release(chunk.data);
  }
  assertEquals(out.size, 0, "regions were not released");
  return {
    lengths,
    content: new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()),
  };
}

/** Pieces whose lengths follow the pattern, over and over. */
function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

function defaultStream(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces(bytes, sizes));
}

/** A byte stream that never gives more than the pattern says, nor more than is asked for. */
function byteStream(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let i = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest!;
      const view = new Uint8Array(
        request.view!.buffer,
        request.view!.byteOffset,
        request.view!.byteLength,
      );
      const size = Math.max(1, sizes[i++ % sizes.length]!);
      const part = bytes.subarray(at, at + Math.min(size, view.length));
      at += part.length;
      if (part.length === 0) controller.close();
      view.set(part);
      request.respond(part.length);
    },
  });
}

// deno-fmt-ignore
const CURRENT_LENGTHS = [
  1066985, 1704578, 1134547, 1131399, 1400032, 1171874, 1085762, 1848758, 1102882, 1668628,
  1321513, 1392168, 1085210, 1397889, 1748406, 1336029, 1300646, 1215607, 1052911,
];

// deno-fmt-ignore
const LEGACY_LENGTHS = [
  70826, 93478, 121789, 149432, 86806, 67059, 93394, 119655, 110162, 98872, 105199, 70994,
];

Deno.test("cutChunks() cuts where plakar does", async (t) => {
  const current: FastCdcParameters = {
    algorithm: "fastcdc-v1.0.0",
    minSize: 524_288,
    normalSize: 1_048_576,
    maxSize: 8_388_608,
  };
  const legacy: FastCdcParameters = {
    algorithm: "fastcdc",
    minSize: 65_536,
    normalSize: 1_048_576,
    maxSize: 4_194_304,
  };
  const sources: [string, () => ReadableStream<Uint8Array>][] = [
    ["pipe-sized reads", () => byteStream(input, [65_536])],
    ["odd reads", () => defaultStream(input, [99_991, 1, 300_007])],
    ["one giant read", () => defaultStream(input, [input.length])],
  ];
  for (const [name, source] of sources) {
    await t.step(name, async () => {
      const { lengths, content } = await cut(source(), current);
      assertEquals(lengths, CURRENT_LENGTHS);
      assert(content.every((byte, i) => byte === input[i]), "the content has changed");
    });
    await t.step(`${name}, legacy`, async () => {
      const { lengths } = await cut(source(), legacy);
      assertEquals(lengths.slice(0, LEGACY_LENGTHS.length), LEGACY_LENGTHS);
      assertEquals(lengths.at(-1), 56942);
      assertEquals(lengths.reduce((sum, length) => sum + length), input.length);
    });
  }
});

Deno.test("cutChunks() cuts the same whatever the reads", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(input.length - 20_000),
      fc.nat(20_000),
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 })
        .filter((sizes) => sizes.some((size) => size > 0)),
      fc.constantFrom(defaultStream, byteStream),
      async (start, length, sizes, stream) => {
        const bytes = input.subarray(start, start + length);
        const expected = await cut(defaultStream(bytes, [length || 1]), SMALL);
        assertEquals(await cut(stream(bytes, sizes), SMALL), expected);
        assertEquals(expected.content, bytes.slice());
        assert(expected.lengths.slice(0, -1).every((size) => size >= 64 && size <= 1024));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("cutChunks() cuts the same from reads of one byte", async () => {
  const bytes = input.subarray(0, 5000);
  const expected = await cut(defaultStream(bytes, [5000]), SMALL);
  assertEquals(await cut(defaultStream(bytes, [1]), SMALL), expected);
  assertEquals(await cut(byteStream(bytes, [1]), SMALL), expected);
});

Deno.test("cutChunks() cuts what does not vary at the maximum", async () => {
  const zeros = new Uint8Array(2500);
  assertEquals((await cut(defaultStream(zeros, [2500]), SMALL)).lengths, [1024, 1024, 452]);
  assertEquals((await cut(byteStream(zeros, [1024]), SMALL)).lengths, [1024, 1024, 452]);
  assertEquals((await cut(defaultStream(zeros.subarray(452), [100]), SMALL)).lengths, [1024, 1024]);
});

Deno.test("cutChunks() makes one chunk of length 0 of an empty stream", async () => {
  const nothing = new Uint8Array();
  assertEquals((await cut(defaultStream(nothing, [1]), SMALL)).lengths, [0]);
  assertEquals((await cut(byteStream(nothing, [1]), SMALL)).lengths, [0]);
  const emptyPieces = ReadableStream.from([nothing, nothing]);
  assertEquals((await cut(emptyPieces, SMALL)).lengths, [0]);
});

Deno.test("cutChunks() throws what the stream fails with", async (t) => {
  const failure = new Error("the disk has gone");
  function* failing(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
    yield* pieces(bytes, sizes);
    throw failure;
  }
  const failingByteStream = (bytes: Uint8Array): ReadableStream<Uint8Array> => {
    let sent = false;
    return new ReadableStream({
      type: "bytes",
      pull(controller) {
        if (sent || bytes.length === 0) throw failure;
        controller.enqueue(bytes.slice());
        sent = true;
      },
    });
  };
  for (const length of [0, 1, 10_000]) {
    const bytes = input.subarray(0, length);
    for (
      const [name, stream] of [
        ["default stream", ReadableStream.from(failing(bytes, [700]))],
        ["byte stream", failingByteStream(bytes)],
      ] as const
    ) {
      await t.step(`${name}, after ${length} bytes`, async () => {
        assertEquals(await assertRejects(() => cut(stream, SMALL)), failure);
        assertEquals(bench.out.size, 0);
      });
    }
  }
});

/** An endless stream that tells how it was cancelled. */
function endlessStream(type: "bytes" | undefined) {
  const cancelled: unknown[] = [];
  const source = {
    pull(controller: { enqueue(chunk: Uint8Array<ArrayBuffer>): void }) {
      controller.enqueue(input.slice(0, 500));
    },
    cancel: (reason: unknown) => {
      cancelled.push(reason);
    },
  };
  const stream: ReadableStream<Uint8Array> = type === "bytes"
    ? new ReadableStream({ ...source, type })
    : new ReadableStream(source);
  return { stream, cancelled };
}

for (const type of ["bytes", undefined] as const) {
  const kind = type ?? "default";

  Deno.test(`cutChunks() cancels a ${kind} stream when it is aborted`, async () => {
    const { pool, memory, out } = bench;
    for (const after of [0, 1, 7]) {
      const { stream, cancelled } = endlessStream(type);
      const abort = new AbortController();
      const reason = new Error("enough");
      if (after === 0) abort.abort(reason);
      let taken = 0;
      const take = async () => {
        const options = { pool, memory, chunking: SMALL, signal: abort.signal };
        for await (const chunk of cutChunks(stream, options)) {
          memory.release(chunk.data);
          if (++taken === after) abort.abort(reason);
        }
      };
      assertEquals(await assertRejects(take), reason);
      assertEquals(taken, after);
      assertEquals(cancelled.length, 1);
      assertEquals(out.size, 0);
    }
  });

  Deno.test(`cutChunks() cancels a ${kind} stream that gives nothing when it is aborted`, async () => {
    const { pool, memory, out } = bench;
    const cancelled: unknown[] = [];
    const abort = new AbortController();
    const reason = new Error("stalled");
    // The abort comes while a read waits.
    const source = {
      pull: () => {
        abort.abort(reason);
        return new Promise<void>(() => {});
      },
      cancel: (reason: unknown) => {
        cancelled.push(reason);
      },
    };
    const stream: ReadableStream<Uint8Array> = type === "bytes"
      ? new ReadableStream({ ...source, type })
      : new ReadableStream(source, { highWaterMark: 0 });
    const options = { pool, memory, chunking: SMALL, signal: abort.signal };
    const next = cutChunks(stream, options).next();
    assertEquals(await assertRejects(() => next), reason);
    assertEquals(cancelled, [reason]);
    assertEquals(out.size, 0);
  });

  Deno.test(`cutChunks() cancels a ${kind} stream that the caller leaves`, async () => {
    const { pool, memory, out } = bench;
    const { stream, cancelled } = endlessStream(type);
    const signal = new AbortController().signal;
    for await (const chunk of cutChunks(stream, { pool, memory, chunking: SMALL, signal })) {
      memory.release(chunk.data);
      break;
    }
    assertEquals(cancelled.length, 1);
    assertEquals(out.size, 0);
  });
}

Deno.test("cutChunks() does not outlast a source that never finishes its cancellation", async () => {
  const { pool, memory, out } = bench;
  const abort = new AbortController();
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(input.slice(0, 5000));
      abort.abort(new Error("enough"));
    },
    cancel: () => new Promise(() => {}),
  }, { highWaterMark: 0 });
  const options = { pool, memory, chunking: SMALL, signal: abort.signal };
  const next = cutChunks(stream, options).next();
  await assertRejects(() => next, Error, "enough");
  assertEquals(out.size, 0);
});

Deno.test("cutChunks() streams that share a small budget do not block each other", async () => {
  // Room for two chunks, for five streams.
  const crowded = await makeBench(2 * SMALL.maxSize);
  const contents = Array.from({ length: 5 }, (_, i) => input.subarray(i * 9000, i * 9000 + 20_000));
  const results = await Promise.all(
    contents.map((bytes) => cutInTurn(defaultStream(bytes, [777]), crowded)),
  );
  for (const [i, content] of results.entries()) assertEquals(content, contents[i]!.slice());
  assertEquals(crowded.out.size, 0);
});

async function cutInTurn(
  source: ReadableStream<Uint8Array>,
  { pool, memory, kernels }: Bench,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const chunk of cutChunks(source, { pool, memory, chunking: SMALL, signal })) {
    await Promise.resolve();
    parts.push(kernels.bytes(chunk.data, 0, chunk.length).slice());
    memory.release(chunk.data);
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}
