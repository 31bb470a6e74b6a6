import {
  CorruptionError,
  isObjectName,
  type ObjectKind,
  ObjectNotFoundError,
  type ObjectWriter,
  type Store,
  StoreError,
  type StorePresence,
} from "../../src/kloset/mod.ts";

const KINDS: readonly ObjectKind[] = ["packfile", "state", "lock"];

/** A store in memory that keeps the contract of {@linkcode Store}, and whose bytes tests may change. */
export class MemoryStore implements Store {
  readonly location = "memory";
  /** CONFIG; undefined: nothing is stored here. */
  configuration: Uint8Array | undefined;
  /** The objects of each kind by name. */
  readonly objects: Readonly<Record<ObjectKind, Map<string, Uint8Array>>> = {
    packfile: new Map(),
    state: new Map(),
    lock: new Map(),
  };
  /** Writers that were neither closed nor aborted: what a file system would have as `tmp.*` files. */
  openWriters = 0;

  /** Another store with the same content; changing one does not change the other. */
  clone(): MemoryStore {
    const copy = new MemoryStore();
    copy.configuration = this.configuration?.slice();
    for (const kind of KINDS) {
      for (const [id, bytes] of this.objects[kind]) copy.objects[kind].set(id, bytes.slice());
    }
    return copy;
  }

  /** Names of everything that is stored: `CONFIG`, `state/…`, in order. */
  names(): string[] {
    const names = this.configuration === undefined ? [] : ["CONFIG"];
    for (const kind of KINDS) {
      for (const id of this.objects[kind].keys()) names.push(`${kind}/${id}`);
    }
    return names.sort();
  }

  presence(): Promise<StorePresence> {
    return Promise.resolve(this.configuration === undefined ? "absent" : "repository");
  }

  // deno-lint-ignore require-await -- what it throws must come as a rejection
  async create(configuration: Uint8Array): Promise<void> {
    if (this.configuration !== undefined) throw new StoreError("Cannot create: CONFIG exists");
    this.configuration = configuration.slice();
  }

  // deno-lint-ignore require-await -- what it throws must come as a rejection
  async readConfiguration(): Promise<Uint8Array> {
    if (this.configuration === undefined) throw new ObjectNotFoundError("CONFIG does not exist");
    return this.configuration.slice();
  }

  list(kind: ObjectKind): Promise<string[]> {
    return Promise.resolve([...this.objects[kind].keys()].filter(isObjectName));
  }

  async listSizes(kind: ObjectKind): Promise<Map<string, number>> {
    return new Map(
      (await this.list(kind)).map((id) => [id, this.objects[kind].get(id)!.length]),
    );
  }

  // deno-lint-ignore require-await -- what it throws must come as a rejection
  async readAll(kind: ObjectKind, id: string): Promise<Uint8Array> {
    return this.#object(kind, id).slice();
  }

  // deno-lint-ignore require-await -- what it throws must come as a rejection
  async read(kind: ObjectKind, id: string, offset: number, target: Uint8Array): Promise<void> {
    const bytes = this.#object(kind, id).subarray(offset, offset + target.length);
    target.set(bytes);
    if (bytes.length < target.length) {
      throw new CorruptionError(
        `Cannot read ${kind} ${id}: it ends at byte ${offset + bytes.length}`,
        kind === "packfile" ? { packfile: id } : {},
      );
    }
  }

  // deno-lint-ignore require-await -- what it throws must come as a rejection
  async size(kind: ObjectKind, id: string): Promise<number> {
    return this.#object(kind, id).length;
  }

  put(kind: ObjectKind, id: string, bytes: Uint8Array): Promise<void> {
    this.objects[kind].set(id, bytes.slice());
    return Promise.resolve();
  }

  openWriter(kind: ObjectKind, id: string): Promise<ObjectWriter> {
    const parts: Uint8Array[] = [];
    let isOpen = true;
    this.openWriters++;
    const end = () => {
      if (isOpen) this.openWriters--;
      isOpen = false;
    };
    return Promise.resolve({
      // deno-lint-ignore require-await -- what it throws must come as a rejection
      write: async (bytes) => {
        if (!isOpen) throw new StoreError(`Cannot write ${kind} ${id}: the writer has ended`);
        parts.push(bytes.slice());
      },
      // deno-lint-ignore require-await -- what it throws must come as a rejection
      close: async () => {
        if (!isOpen) throw new StoreError(`Cannot write ${kind} ${id}: the writer has ended`);
        end();
        this.objects[kind].set(id, joined(parts));
      },
      abort: () => {
        end();
        return Promise.resolve();
      },
    });
  }

  delete(kind: ObjectKind, id: string): Promise<void> {
    this.objects[kind].delete(id);
    return Promise.resolve();
  }

  /** Nothing: what a killed process has not finished does not outlive it here. */
  removeAbandoned(_beforeMs: number): Promise<void> {
    return Promise.resolve();
  }

  #object(kind: ObjectKind, id: string): Uint8Array {
    const bytes = this.objects[kind].get(id);
    if (bytes === undefined) throw new ObjectNotFoundError(`${kind} ${id} does not exist`);
    return bytes;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
