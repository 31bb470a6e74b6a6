import { Kernels } from "../../../src/kernels/mod.ts";
import { BlobReader } from "../../../src/kloset/packfile/blob_reader.ts";
import { Catalog } from "../../../src/kloset/state/catalog.ts";
import { Codec } from "../../../src/kloset/unit/codec.ts";
import { ENVELOPE_HEADER_BYTES } from "../../../src/kloset/format/mod.ts";
import { MacFunction } from "../../../src/kloset/unit/mac.ts";
import { MemoryBudget } from "../../../src/kloset/unit/memory_budget.ts";
import { WorkerPool } from "../../../src/kloset/workers/mod.ts";
import { FaultyStore } from "../../faults/faulty_store.ts";
import { MemoryStore } from "../../faults/memory_store.ts";

/** A packfile of bare blobs, not compressed, so that no checksum but the MAC stands in for it. */
export class BlobBench implements Disposable {
  readonly memory = new MemoryStore();
  readonly store = new FaultyStore(this.memory);
  /** Name of the packfile. */
  readonly packfile = "ab".repeat(32);
  readonly mac: MacFunction;
  readonly codec: Codec;
  readonly pool: WorkerPool;
  readonly budget: MemoryBudget;
  readonly blobs: BlobReader;
  /** What was stored, in order; equal blobs as often. */
  readonly added: { readonly type: number; readonly id: Uint8Array }[] = [];
  /** What the reader has told. */
  readonly warnings: string[] = [];
  readonly #catalog: Catalog;

  private constructor(kernels: Kernels, mac: MacFunction, codec: Codec, catalog: Catalog) {
    this.mac = mac;
    this.codec = codec;
    this.pool = new WorkerPool(kernels, 1);
    this.budget = new MemoryBudget(kernels, 4096);
    this.blobs = new BlobReader({
      store: this.store,
      codec,
      mac,
      catalog,
      onWarning: (message) => this.warnings.push(message),
    });
    this.#catalog = catalog;
    this.memory.objects.packfile.set(this.packfile, new Uint8Array(ENVELOPE_HEADER_BYTES));
    catalog.index.addPackfile(new Uint8Array(32).fill(0xab), 0n);
  }

  /** Makes one. */
  static async make(): Promise<BlobBench> {
    const kernels = await Kernels.load();
    const mac = new MacFunction(kernels, { algorithm: "BLAKE3", key: new Uint8Array(32) });
    const codec = new Codec(kernels, { compression: undefined, encryption: undefined });
    const store = new MemoryStore();
    const catalog = await Catalog.open({ store, codec, mac, cache: undefined });
    return new BlobBench(kernels, mac, codec, catalog);
  }

  /** Stores a blob and returns its id. */
  add(type: number, bytes: Uint8Array, id: Uint8Array = this.mac.of(bytes)): Uint8Array {
    const before = this.memory.objects.packfile.get(this.packfile)!;
    const after = new Uint8Array(before.length + bytes.length);
    after.set(before);
    after.set(bytes, before.length);
    this.memory.objects.packfile.set(this.packfile, after);
    const offset = before.length - ENVELOPE_HEADER_BYTES;
    const packfile = new Uint8Array(32).fill(0xab);
    this.#catalog.index.addLocation(type, id, 0, packfile, 0, offset, bytes.length);
    this.added.push({ type, id });
    return id;
  }

  [Symbol.dispose](): void {
    this.pool.close();
  }
}
