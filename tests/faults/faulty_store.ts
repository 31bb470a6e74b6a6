import {
  CorruptionError,
  type ObjectKind,
  ObjectNotFoundError,
  type ObjectWriter,
  type Store,
  StoreError,
  type StorePresence,
} from "../../src/kloset/mod.ts";

/** Something that is asked of a store, or of one of its writers. */
export interface Operation {
  /** Counts from 1. */
  readonly number: number;
  /** Name of the method; of a writer with `writer.` before it. */
  readonly method: string;
  readonly kind?: ObjectKind | "CONFIG";
  readonly id?: string;
}

/** What goes wrong. All but `fail` concern operations that read, and are ignored by others. */
export type Fault =
  /** The operation throws a {@linkcode StoreError} and does nothing. */
  | { readonly type: "fail" }
  /** The object looks as if it had only so many bytes. */
  | { readonly type: "short"; readonly length: number }
  /** A bit of the object looks flipped; it counts from the object's first byte. */
  | { readonly type: "flip"; readonly bit: number }
  /** The object looks as if it did not exist. */
  | { readonly type: "vanish" };

/** Decides what goes wrong with an operation; it is told how many faults have shown before. */
export type FaultPlan = (operation: Operation, injected: number) => Fault | undefined;

/** The n-th operation fails, the others do not. */
export function failNth(n: number): FaultPlan {
  return ({ number }) => number === n ? { type: "fail" } : undefined;
}

/** The n-th operation and all after it fail, as with a device that is gone. */
export function failFrom(n: number): FaultPlan {
  return ({ number }) => number >= n ? { type: "fail" } : undefined;
}

/** A fault that shows once, when a certain object is read. */
export function once(kind: ObjectKind | "CONFIG", id: string | undefined, fault: Fault): FaultPlan {
  return (operation, injected) =>
    operation.kind === kind && operation.id === id && injected === 0 ? fault : undefined;
}

/** A {@linkcode Store} that fails as planned, and keeps a record of what was asked of it. */
export class FaultyStore implements Store {
  readonly operations: Operation[] = [];
  /** Faults that have shown: a flip counts when its bit was read. */
  injected = 0;
  readonly #inner: Store;
  #plan: FaultPlan;

  constructor(inner: Store, plan: FaultPlan = () => undefined) {
    this.#inner = inner;
    this.#plan = plan;
  }

  get location(): string {
    return this.#inner.location;
  }

  /** From now on this goes wrong; nothing, when left out. Nothing has been injected yet. */
  setPlan(plan: FaultPlan = () => undefined): void {
    this.#plan = plan;
    this.injected = 0;
  }

  presence(): Promise<StorePresence> {
    return this.#run("presence", {}, () => this.#inner.presence());
  }

  create(configuration: Uint8Array): Promise<void> {
    return this.#run("create", {}, () => this.#inner.create(configuration));
  }

  readConfiguration(): Promise<Uint8Array> {
    return this.#run("readConfiguration", { kind: "CONFIG" }, async (fault) => {
      return this.#damaged(await this.#inner.readConfiguration(), fault);
    });
  }

  list(kind: ObjectKind): Promise<string[]> {
    return this.#run("list", {}, () => this.#inner.list(kind));
  }

  listSizes(kind: ObjectKind): Promise<Map<string, number>> {
    return this.#run("listSizes", {}, () => this.#inner.listSizes(kind));
  }

  readAll(kind: ObjectKind, id: string): Promise<Uint8Array> {
    return this.#run("readAll", { kind, id }, async (fault) => {
      return this.#damaged(await this.#inner.readAll(kind, id), fault);
    });
  }

  read(kind: ObjectKind, id: string, offset: number, target: Uint8Array): Promise<void> {
    return this.#run("read", { kind, id }, async (fault) => {
      await this.#inner.read(kind, id, offset, target);
      if (fault?.type === "short" && offset + target.length > fault.length) {
        this.injected++;
        target.fill(0xa5, Math.max(0, fault.length - offset));
        throw new CorruptionError(`Cannot read ${kind} ${id}: it ends at byte ${fault.length}`);
      }
      if (fault?.type === "flip") this.#flip(target, fault.bit - 8 * offset);
    });
  }

  size(kind: ObjectKind, id: string): Promise<number> {
    return this.#run("size", { kind, id }, async (fault) => {
      const size = await this.#inner.size(kind, id);
      if (fault?.type !== "short" || fault.length >= size) return size;
      this.injected++;
      return fault.length;
    });
  }

  put(kind: ObjectKind, id: string, bytes: Uint8Array): Promise<void> {
    return this.#run("put", { kind, id }, () => this.#inner.put(kind, id, bytes));
  }

  openWriter(kind: ObjectKind, id: string): Promise<ObjectWriter> {
    return this.#run("openWriter", { kind, id }, async () => {
      const writer = await this.#inner.openWriter(kind, id);
      return {
        write: (bytes) => this.#run("writer.write", { kind, id }, () => writer.write(bytes)),
        close: () =>
          this.#run("writer.close", { kind, id }, () => writer.close(), () => writer.abort()),
        abort: () => writer.abort(),
      };
    });
  }

  delete(kind: ObjectKind, id: string): Promise<void> {
    return this.#run("delete", { kind, id }, () => this.#inner.delete(kind, id));
  }

  removeAbandoned(beforeMs: number): Promise<void> {
    return this.#run("removeAbandoned", {}, () => this.#inner.removeAbandoned(beforeMs));
  }

  async #run<T>(
    method: string,
    subject: Omit<Operation, "number" | "method">,
    action: (fault: Fault | undefined) => Promise<T>,
    onFailure: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const operation = { number: this.operations.length + 1, method, ...subject };
    this.operations.push(operation);
    const fault = this.#plan(operation, this.injected);
    if (fault?.type === "fail") {
      this.injected++;
      await onFailure();
      throw new StoreError(`Injected: ${method} failed (operation ${operation.number})`);
    }
    if (fault?.type === "vanish") {
      this.injected++;
      throw new ObjectNotFoundError(`Injected: ${subject.kind} ${subject.id} does not exist`);
    }
    return await action(fault);
  }

  #damaged(bytes: Uint8Array, fault: Fault | undefined): Uint8Array {
    if (fault?.type === "flip") this.#flip(bytes, fault.bit);
    if (fault?.type !== "short" || fault.length >= bytes.length) return bytes;
    this.injected++;
    return bytes.slice(0, fault.length);
  }

  #flip(bytes: Uint8Array, bit: number): void {
    if (bit < 0 || bit >= 8 * bytes.length) return;
    this.injected++;
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }
}
