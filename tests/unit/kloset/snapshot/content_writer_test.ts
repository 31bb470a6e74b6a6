import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import type { ChunkSink } from "../../../../src/kloset/packfile/mod.ts";
import {
  writeContent,
  type WrittenContent,
} from "../../../../src/kloset/snapshot/content_writer.ts";
import { MacFunction, MemoryBudget } from "../../../../src/kloset/unit/mod.ts";
import { WorkerPool } from "../../../../src/kloset/workers/mod.ts";
import { noise, streamOf } from "../../../faults/backups.ts";
import { macToHex } from "../../../../src/kloset/format/mod.ts";

const LIMIT = 16 * 1024;
const MAC = { algorithm: "BLAKE3", key: new Uint8Array(32).fill(9) } as const;

/** What a sink was given. */
interface Run {
  readonly content: WrittenContent;
  readonly stored: readonly Uint8Array[];
  readonly counted: readonly [length: number, isNew: boolean][];
}

/** Writes a content without compression; all memory must be back at the end. */
async function write(
  bytes: Uint8Array,
  options: { known?: ReadonlySet<string>; append?: ChunkSink["append"]; entropy?: boolean } = {},
): Promise<Run> {
  const kernels = await Kernels.load();
  const pool = new WorkerPool(kernels, 2);
  const [plainMemory, encodedMemory] = [
    new MemoryBudget(kernels, LIMIT),
    new MemoryBudget(kernels, LIMIT),
  ];
  const stored: Uint8Array[] = [];
  const counted: [number, boolean][] = [];
  const claimed = new Set(options.known);
  try {
    const content = await writeContent(streamOf(bytes), {
      pool,
      mac: MAC,
      encoding: { compression: undefined, encryption: undefined },
      chunking: { algorithm: "fastcdc-v1.0.0", minSize: 64, normalSize: 256, maxSize: 1024 },
      plainMemory,
      encodedMemory,
      sink: {
        claim: (mac) => {
          const isNew = !claimed.has(macToHex(mac));
          claimed.add(macToHex(mac));
          return isNew;
        },
        append: options.append ?? ((_mac, data, length) => {
          stored.push(kernels.bytes(data, 0, length).slice());
          return Promise.resolve({ stored: Promise.resolve() });
        }),
      },
      entropy: options.entropy ?? true,
      signal: new AbortController().signal,
      onChunk: (length, isNew) => counted.push([length, isNew]),
    });
    return { content, stored, counted };
  } finally {
    for (const budget of [plainMemory, encodedMemory]) {
      budget.release(await budget.acquire(LIMIT));
    }
    pool.close();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("writeContent() stores a content's chunks in order, each under its MAC", async () => {
  const bytes = noise(100_000, 1);
  const { content, stored, counted } = await write(bytes);
  const mac = new MacFunction(await Kernels.load(), MAC);
  assert(stored.length > 100);
  assertEquals(joined(stored), bytes);
  assertEquals(content.mac, mac.of(bytes));
  assertEquals(content.length, bytes.length);
  assertEquals(content.chunks.map((chunk) => chunk.mac), stored.map((chunk) => mac.of(chunk)));
  assertEquals(counted, stored.map(({ length }) => [length, true]));
  assert(content.entropy > 6 && content.entropy <= 8, `${content.entropy}`);
});

Deno.test("writeContent() stores what is known, or comes twice, no second time", async () => {
  const once = noise(50_000, 1);
  const first = await write(once);
  const known = new Set(first.content.chunks.map(({ mac }) => macToHex(mac)));
  const again = await write(once, { known });
  assertEquals(again.stored.length, 0);
  assertEquals(again.content, first.content);
  assert(again.counted.every(([, isNew]) => !isNew));
  const zeros = await write(new Uint8Array(50_000));
  // All of the greatest size but the last one.
  assertEquals(zeros.stored.length, 2);
  assertEquals(zeros.content.chunks.length, 49);
});

Deno.test("writeContent() makes one empty chunk of an empty content", async () => {
  const { content, stored } = await write(new Uint8Array(), { entropy: false });
  assertEquals([content.length, content.entropy, content.chunks.length], [0, 0, 1]);
  assertEquals(stored, [new Uint8Array()]);
});

Deno.test("writeContent() fails as its sink does, now or later, and gives all memory back", async () => {
  const failure = new Error("disk full");
  const sinks: ChunkSink["append"][] = [
    () => Promise.reject(failure),
    () => {
      const stored = Promise.reject(failure);
      stored.catch(() => {});
      return Promise.resolve({ stored });
    },
  ];
  for (const append of sinks) {
    assertEquals(await assertRejects(() => write(noise(100_000, 1), { append })), failure);
  }
});
