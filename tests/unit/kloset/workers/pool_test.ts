import { assert, assertEquals, assertRejects } from "@std/assert";
import { Kernels, type Region } from "../../../../src/kernels/mod.ts";
import { MacFunction } from "../../../../src/kloset/unit/mac.ts";
import {
  type DecodeTask,
  encodedBound,
  type Encoding,
  type HashTask,
  WorkerPool,
} from "../../../../src/kloset/workers/mod.ts";

const MAC = { algorithm: "BLAKE3", key: new Uint8Array(32).fill(9) } as const;

async function withPool(
  size: number,
  body: (pool: WorkerPool, kernels: Kernels) => Promise<void>,
): Promise<void> {
  const kernels = await Kernels.load();
  const pool = new WorkerPool(kernels, size);
  try {
    await body(pool, kernels);
  } finally {
    pool.close();
  }
}

function regionOf(kernels: Kernels, bytes: Uint8Array): Region {
  const region = kernels.allocate(bytes.length);
  kernels.bytes(region).set(bytes);
  return region;
}

function hashTask(data: Region): HashTask {
  return { operation: "hash", data, length: data.length, mac: MAC, entropy: false, position: 0 };
}

/** More tasks than the threads take at once, of lengths that go together in requests or do not. */
function contents(): Uint8Array[] {
  return Array.from(
    { length: 60 },
    (_, i) => new Uint8Array(i % 7 === 0 ? 700_000 : 1_000 * i).fill(i),
  );
}

for (const size of [1, 3]) {
  Deno.test(`WorkerPool, ${size} threads: each of many tasks gets its own answer`, async () => {
    await withPool(size, async (pool, kernels) => {
      const mac = new MacFunction(kernels, MAC);
      const all = contents();
      const results = await Promise.all(
        all.map((bytes) => pool.run(hashTask(regionOf(kernels, bytes)))),
      );
      assertEquals(results.map((result) => result.mac), all.map((bytes) => mac.of(bytes)));
    });
  });
}

Deno.test("WorkerPool: a task that fails does not take others along", async () => {
  await withPool(1, async (pool, kernels) => {
    const data = regionOf(kernels, new Uint8Array(1000).fill(5));
    const outsideOfMemory: DecodeTask = {
      operation: "decode",
      data,
      start: 0,
      length: data.length,
      target: { offset: 2 ** 40, length: data.length },
      encoding: { compression: undefined, encryption: undefined },
      mac: MAC,
      position: 0,
    };
    const results = await Promise.allSettled(
      Array.from(
        { length: 12 },
        (_, i) => pool.run(i % 3 === 1 ? outsideOfMemory : hashTask(data)),
      ),
    );
    assertEquals(
      results.map(({ status }) => status),
      results.map((_, i) => i % 3 === 1 ? "rejected" : "fulfilled"),
    );
  });
});

Deno.test("WorkerPool: close() rejects what is under way, what waits, and what comes", async () => {
  await withPool(1, async (pool, kernels) => {
    const all = contents().map((bytes) => pool.run(hashTask(regionOf(kernels, bytes))));
    pool.close();
    for (const result of [...all, pool.run(hashTask(kernels.allocate(1)))]) {
      await assertRejects(() => result, Error, "closed");
    }
  });
});

Deno.test("WorkerPool: a unit is encrypted and decrypted, and its damage told, across threads", async () => {
  await withPool(2, async (pool, kernels) => {
    const bytes = new Uint8Array(300_000).map((_, i) => i % 251);
    const encryption = { key: new Uint8Array(32).fill(3), pieceBytes: 65_536 };
    const encoding: Encoding = { compression: "LZ4", encryption };
    const data = regionOf(kernels, bytes);
    const unit = kernels.allocate(encodedBound(data.length, encoding));
    const { length } = await pool.run(
      { operation: "encode", data, length: data.length, target: unit, encoding },
    );
    const decode = (stored: Uint8Array) => {
      const target = kernels.allocate(data.length);
      return pool.run({
        operation: "decode",
        data: regionOf(kernels, stored),
        start: 0,
        length: stored.length,
        target,
        encoding,
        mac: MAC,
        position: 0,
      }).then((result) => ({ result, plain: kernels.bytes(target).slice() }));
    };
    const stored = kernels.bytes(unit, 0, length).slice();
    const { result, plain } = await decode(stored);
    assertEquals(plain, bytes);
    assertEquals("mac" in result && result.mac, new MacFunction(kernels, MAC).of(bytes));
    stored[length - 1]! ^= 1;
    const damaged = await decode(stored);
    assert("damage" in damaged.result && damaged.result.damage.length > 0);
  });
});

/** Runs a program that has used a pool; its threads wait for more. */
async function runProgram(end: string): Promise<{ code: number; stderr: string }> {
  const module = (path: string) => JSON.stringify(import.meta.resolve(`../../../../src/${path}`));
  const program = `
    import { Kernels } from ${module("kernels/mod.ts")};
    import { WorkerPool } from ${module("kloset/workers/mod.ts")};
    const kernels = await Kernels.load();
    const pool = new WorkerPool(kernels, 2);
    const data = kernels.allocate(10);
    const mac = { algorithm: "BLAKE3", key: new Uint8Array(32) };
    const task = { operation: "part", data, length: 10, mac, position: 0 };
    await Promise.all([pool.run(task), pool.run(task)]);
    ${end}
  `;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/program.ts`, program);
    const config = decodeURIComponent(
      new URL("../../../../deno.json", import.meta.url).pathname,
    );
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--no-check", `--config=${config}`, `${folder}/program.ts`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal: AbortSignal.timeout(120_000),
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ENDS = {
  "its pool is closed": { end: "pool.close();", code: 0 },
  "it exits": { end: "Deno.exit(75);", code: 75 },
  "it fails": { end: "throw new Error('gone');", code: 1 },
};

for (const [name, { end, code }] of Object.entries(ENDS)) {
  Deno.test(`WorkerPool: threads that wait do not keep a program from ending when ${name}`, async () => {
    const ended = await runProgram(end);
    assertEquals(ended.code, code, ended.stderr);
  });
}

Deno.test("threads have no rights", async () => {
  // The runtime honours it, under the project's own settings.
  const source = `
    try {
      Deno.readTextFileSync("/etc/hostname");
      self.postMessage("read");
    } catch (error) {
      self.postMessage(error.name);
    }`;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(source)}`, {
    type: "module",
    deno: { permissions: "none" },
  });
  worker.onmessage = ({ data }) => resolve(data);
  assertEquals(await promise, "NotCapable");
  worker.terminate();
  // And every thread that is started asks for it.
  const given: unknown[] = [];
  const { Worker: Original } = globalThis;
  globalThis.Worker = class extends Original {
    constructor(specifier: string | URL, options?: WorkerOptions) {
      given.push(options?.deno);
      super(specifier, options);
    }
  };
  try {
    await withPool(2, async (pool, kernels) => {
      const data = regionOf(kernels, new Uint8Array(10));
      await Promise.all([pool.run(hashTask(data)), pool.run(hashTask(data))]);
    });
  } finally {
    globalThis.Worker = Original;
  }
  assertEquals(given, [{ permissions: "none" }, { permissions: "none" }]);
});
