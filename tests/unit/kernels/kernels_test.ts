import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  BLAKE3_STATE_BYTES,
  Kernels,
  Lz4Error,
  lz4FrameBound,
  Lz4OutputTooSmallError,
  SCRATCH_BYTES,
} from "../../../src/kernels/mod.ts";
import type { AttachedAnswer, AttachMessage, HashMessage } from "./_hash_worker.ts";

const kernels = await Kernels.load();

/** A worker running `_hash_worker.ts`; `ask` resolves to its next answer. */
function startWorker(): { ask<T>(message: AttachMessage | HashMessage): Promise<T>; stop(): void } {
  const worker = new Worker(new URL("./_hash_worker.ts", import.meta.url), { type: "module" });
  return {
    ask: <T>(message: AttachMessage | HashMessage) =>
      new Promise<T>((resolve, reject) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage(message);
      }),
    stop: () => worker.terminate(),
  };
}

Deno.test("Kernels.attach() lets workers compute on one memory at once", async () => {
  const owner = await Kernels.load();
  const workers = [startWorker(), startWorker()];
  try {
    for (const worker of workers) {
      const scratch = owner.allocate(SCRATCH_BYTES);
      const answer = await worker.ask<AttachedAnswer>({ image: owner.image, scratch });
      assert(answer.refusal.includes("only the owner"));
      assertEquals(answer.roundTrip, new Uint8Array(100_000).fill(7));
    }
    // Allocated after they attached: the memory has grown under them.
    const data = owner.allocate(20 * 1024 ** 2);
    owner.bytes(data).set(new Uint8Array(data.length).map((_, index) => (index * 31) >> 3));
    const states = workers.map(() => owner.allocate(BLAKE3_STATE_BYTES));
    const answers = workers.map((worker, index) =>
      worker.ask<Uint8Array>({ state: states[index]!, data, rounds: 4 })
    );
    const digest = owner.blake3(owner.bytes(data));
    for (const answer of answers) assertEquals(await answer, digest);
    // A state may be carried on by another thread.
    assertEquals(owner.blake3Digest(states[0]!), digest);
  } finally {
    for (const worker of workers) worker.stop();
  }
});

Deno.test("Kernels.attach() needs enough scratch", async () => {
  const scratch = kernels.allocate(SCRATCH_BYTES - 1);
  await assertRejects(() => Kernels.attach(kernels.image, scratch), RangeError);
  kernels.free(scratch);
});

Deno.test("Kernels.attach() gives kernels that refuse what needs allocation", async () => {
  const scratch = kernels.allocate(SCRATCH_BYTES);
  const attached = await Kernels.attach(kernels.image, scratch);
  const large = new Uint8Array(1_000_000);
  const frame = kernels.compress(large);
  assertThrows(() => attached.compress(large), TypeError, "only the owner");
  assertThrows(() => attached.decompress(frame, large.length), TypeError, "only the owner");
  assertThrows(() => attached.free(scratch), TypeError, "only the owner");
  assertEquals(attached.blake3(large), kernels.blake3(large));
  kernels.free(scratch);
});

Deno.test("Kernels.load() checks the memory's maximum and keeps to it", async () => {
  for (const maximumBytes of [0, 1024 ** 2 - 1, 2 * 1024 ** 3 + 65_536, NaN]) {
    await assertRejects(() => Kernels.load({ maximumBytes }), RangeError);
  }
  const small = await Kernels.load({ maximumBytes: 2 * 1024 ** 2 });
  const region = small.allocate(1024 ** 2);
  assertThrows(() => small.allocate(1024 ** 2), RangeError, "the maximum is 2097152");
  small.free(region);
  assertEquals(small.allocate(1024 ** 2).offset, region.offset);
});

Deno.test("Kernels.bytes() views a range of a region", () => {
  const region = kernels.allocate(100);
  kernels.bytes(region).set(new Uint8Array(100).map((_, index) => index));
  assertEquals(kernels.bytes(region).length, 100);
  assertEquals(Array.from(kernels.bytes(region, 10, 13)), [10, 11, 12]);
  assertEquals(kernels.bytes(region, 100).length, 0);
  kernels.free(region);
});

Deno.test("Kernels refuses ranges outside region and memory", async (t) => {
  const region = kernels.allocate(100);
  const beyond = { offset: kernels.image.memory.buffer.byteLength - 64, length: 128 };
  const cases: [string, () => unknown][] = [
    ["end after the region", () => kernels.bytes(region, 0, 101)],
    ["start after end", () => kernels.bytes(region, 2, 1)],
    ["negative start", () => kernels.bytes(region, -1, 1)],
    ["fraction", () => kernels.entropy(region, 0.5, 1)],
    ["not a number", () => kernels.entropy(region, 0, NaN)],
    ["region beyond the memory", () => kernels.bytes(beyond)],
    ["region in the constants", () => kernels.bytes({ offset: 0, length: 64 })],
    ["negative length", () => kernels.bytes({ offset: region.offset, length: -1 }, 0, 0)],
    ["state too small", () => kernels.blake3Digest(region)],
    ["scan of more than the region", () => kernels.cdcScan(region, region, 101)],
  ];
  for (const [name, call] of cases) {
    await t.step(name, () => {
      assertThrows(call, RangeError);
    });
  }
  kernels.free(region);
});

Deno.test("Kernels.entropy() gives bits per byte", () => {
  const region = kernels.allocate(3_000_000);
  const bytes = kernels.bytes(region);
  assertEquals(kernels.entropy(region, 0, 0), 0);
  bytes.fill(65);
  assertEquals(kernels.entropy(region, 0, bytes.length), 0);
  bytes.set(bytes.map((_, index) => index));
  assertEquals(kernels.entropy(region, 0, 65_536), 8);
  assertEquals(kernels.entropy(region, 1, 2), 0);
  bytes[7] = 8;
  assertEquals(kernels.entropy(region, 7, 10), -(2 / 3) * Math.log2(2 / 3) - Math.log2(1 / 3) / 3);
  // The object of the format's example: bits of the float 401fe2dc502e03e8.
  bytes.set(bytes.map((_, index) => (index * 7) % 251));
  const expected = new DataView(new BigUint64Array([0x401fe2dc502e03e8n]).buffer);
  const difference = kernels.entropy(region, 0, bytes.length) - expected.getFloat64(0, true);
  assert(Math.abs(difference) < 1e-14, `differs by ${difference}`);
  kernels.free(region);
});

Deno.test("Kernels.entropy() counts every byte of any range", () => {
  const region = kernels.allocate(1000);
  const bytes = kernels.bytes(region);
  bytes.set(bytes.map((_, index) => (index * index) >> 5));
  for (let start = 0; start < 9; start += 1) {
    for (let end = start + 1; end < start + 40; end += 1) {
      const counts = new Array<number>(256).fill(0);
      for (const byte of bytes.subarray(start, end)) counts[byte]! += 1;
      let expected = 0;
      for (const count of counts) {
        const p = count / (end - start);
        if (p > 0) expected -= p * Math.log2(p);
      }
      assertEquals(kernels.entropy(region, start, end), expected);
    }
  }
  kernels.free(region);
});

Deno.test("Kernels.compress() and decompress() give back data of any size", () => {
  for (const length of [0, 1, 100, 131_000, 140_000, 262_144, 5_000_000]) {
    const data = new Uint8Array(length).map((_, index) => (index >> 4) * 7);
    const frame = kernels.compress(data);
    assert(frame.length <= lz4FrameBound(length));
    assertEquals(kernels.decompress(frame, length), data);
    assertEquals(kernels.decompress(frame, length + 1_000_000), data);
    if (length > 0) {
      assertThrows(() => kernels.decompress(frame, length - 1), Lz4OutputTooSmallError);
    }
  }
});

Deno.test("Kernels.decompress() does not take the memory its limit would allow", async () => {
  const small = await Kernels.load({ maximumBytes: 2 * 1024 ** 2 });
  const frame = small.compress(new Uint8Array(1000));
  assertEquals(small.decompress(frame, 1024 ** 3), new Uint8Array(1000));
  // A failed call leaves nothing allocated.
  for (let turn = 0; turn < 10; turn += 1) {
    assertThrows(() => small.decompress(new Uint8Array(300_000), 600_000), Lz4Error);
  }
});

Deno.test("Kernels works up to the last byte of the memory", async () => {
  const small = await Kernels.load({ maximumBytes: 1024 ** 2 });
  const all = small.allocate(1024 ** 2 - 65_536 - SCRATCH_BYTES);
  assertEquals(all.offset + all.length, small.image.memory.buffer.byteLength);
  for (let length = 0; length < 200; length += 1) {
    const last = { offset: all.offset + all.length - length, length };
    const frame = { offset: all.offset, length: 1000 };
    const content = new Uint8Array(length).map((_, index) => (index * index) % 23);
    small.bytes(last).set(content);
    const end = small.lz4Encode(last, 0, length, frame);
    assert(small.entropy(last, 0, length) <= 8);
    const state = { offset: all.offset + 1024, length: BLAKE3_STATE_BYTES };
    small.blake3Init(state);
    small.blake3Update(state, last, 0, length);
    assertEquals(small.blake3Digest(state), kernels.blake3(content));
    small.bytes(last).fill(0);
    assertEquals(small.lz4Decode(frame, 0, end, last), length);
    assertEquals(small.bytes(last).slice(), content);
  }
});

Deno.test("Kernels.copy() copies between regions, and within one, wherever the bytes stand", () => {
  const source = kernels.allocate(1000);
  const target = kernels.allocate(1000);
  kernels.bytes(source).set(new Uint8Array(1000).map((_, i) => i * 31 >> 2));
  const bytes = kernels.bytes(source).slice();
  for (const [start, end, at] of [[0, 1000, 0], [3, 900, 5], [8, 8, 1000], [1, 2, 999]] as const) {
    kernels.bytes(target).fill(9);
    kernels.copy(source, start, end, target, at);
    const expected = new Uint8Array(1000).fill(9);
    expected.set(bytes.subarray(start, end), at);
    assertEquals(kernels.bytes(target).slice(), expected);
  }
  kernels.copy(source, 0, 900, source, 7);
  assertEquals(kernels.bytes(source, 7, 907).slice(), bytes.subarray(0, 900));
  kernels.free(source);
  kernels.free(target);
});

Deno.test("Kernels.copy() refuses bytes outside of either region", () => {
  const source = kernels.allocate(10);
  const target = kernels.allocate(5);
  for (
    const [start, end, at] of [[0, 11, 0], [0, 6, 0], [0, 5, 1], [3, 2, 0], [-1, 2, 0]] as const
  ) {
    assertThrows(() => kernels.copy(source, start, end, target, at), RangeError);
  }
  kernels.free(source);
  kernels.free(target);
});
