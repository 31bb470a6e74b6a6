import { filePosition, verifyPackfile } from "../packfile/mod.ts";
import type { Engine } from "../engine.ts";
import { CorruptionError, ObjectNotFoundError } from "../errors.ts";
import {
  compareBytes,
  comparePaths,
  decodeErrorEntry,
  decodeSummary,
  decodeVfsEntry,
  decodeXattrEntry,
  DirpackDecoder,
  entryPath,
  ENVELOPE_FOOTER_BYTES,
  fileTypeOf,
  type Header,
  type HeaderIndex,
  type HeaderSource,
  isNilMac,
  type KlosetObject,
  type Mac,
  macToHex,
  ResourceType,
} from "../format/mod.ts";
import type { BlobLocation } from "../index/mod.ts";
import { copyContent } from "./content_reader.ts";
import { contentOptions, readObject } from "./object_reader.ts";
import { asCorruption, TreeReader, type TreeShape } from "./tree_reader.ts";

/** Something in a snapshot that is not as it was written. */
export interface Damage {
  /** 64 hex digits. */
  readonly snapshot: string;
  /** What it concerns; `/` for the snapshot as a whole. */
  readonly path: string;
  readonly message: string;
  readonly chunk?: string;
  readonly packfile?: string;
}

/** How much a check reads. */
export interface CheckOptions {
  /**
   * Whether chunks are only looked up, not read.
   *
   * @default false
   */
  readonly fast?: boolean;
  readonly signal?: AbortSignal;
  /** Called with the plain bytes verified since the last call. */
  readonly onProgress?: (bytes: number) => void;
  /** Shared between the checks of one run, so that what snapshots share is read once. */
  readonly memo?: CheckMemo;
}

/**
 * What a run of checks has found sound already.
 *
 * @example Check all snapshots, and read what they share once
 * ```ts
 * import { CheckMemo, createRepository, openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * await using repository = await createRepository(openStore(await Deno.makeTempDir()));
 * const memo = new CheckMemo();
 * for (const { identifier } of (await repository.snapshots()).headers) {
 *   const snapshot = await repository.inspectSnapshot(identifier);
 *   assertEquals(await snapshot.check({ memo }), []);
 * }
 * ```
 */
export class CheckMemo {
  /** Ids of objects whose content is sound. */
  readonly objects = new Set<string>();
  /** Packfiles whose envelope is sound. */
  readonly packfiles = new Set<string>();
  /** Length of each packfile's file in bytes; undefined when it is missing. */
  readonly packfileSizes = new Map<string, number | undefined>();
}

/**
 * Verifies everything that a snapshot consists of: its header, trees, entries, listings, summaries,
 * objects and, unless `fast`, every chunk and the MAC of every content.
 *
 * @returns what is damaged; empty when the snapshot is sound
 * @throws {StoreError} the store failed, so that nothing can be said
 */
export async function checkSnapshot(
  engine: Engine,
  header: Header,
  options: CheckOptions,
): Promise<Damage[]> {
  const check = new SnapshotCheck(engine, header, options);
  await check.run();
  return check.damages;
}

class SnapshotCheck {
  readonly damages: Damage[] = [];
  readonly #engine: Engine;
  readonly #header: Header;
  readonly #options: CheckOptions;
  readonly #memo: CheckMemo;
  readonly #snapshot: string;

  constructor(engine: Engine, header: Header, options: CheckOptions) {
    this.#engine = engine;
    this.#header = header;
    this.#options = options;
    this.#memo = options.memo ?? new CheckMemo();
    this.#snapshot = macToHex(header.identifier);
  }

  async run(): Promise<void> {
    await this.#guard("/", () => this.#checkHeader());
    for (const source of this.#header.sources) {
      await this.#guard("/", () => this.#checkEntries(source));
      await this.#guard("/", () => this.#checkErrors(source));
      await this.#guard("/", () => this.#checkXattrs(source));
      for (const index of source.indexes) {
        await this.#guard("/", () => this.#checkIndex(index));
      }
    }
  }

  /** The header is not named by its MAC: the envelope of its packfile vouches for it. */
  async #checkHeader(): Promise<void> {
    const { packfile } = await this.#engine.blobs.locate(
      ResourceType.SNAPSHOT,
      this.#header.identifier,
    );
    const id = macToHex(packfile);
    if (this.#memo.packfiles.has(id)) return;
    const { signal } = this.#options;
    await verifyPackfile(id, this.#engine, { ...(signal !== undefined && { signal }) });
    this.#memo.packfiles.add(id);
  }

  async #checkEntries(source: HeaderSource): Promise<void> {
    const tree = this.#tree(source.root, {
      rootType: ResourceType.VFS_BTREE,
      nodeType: ResourceType.VFS_NODE,
      order: comparePaths,
    });
    for await (const { key, value } of tree.items()) {
      await this.#guard(key, async () => {
        const bytes = await this.#engine.blobs.read(ResourceType.VFS_ENTRY, value);
        const entry = await asCorruption(() => decodeVfsEntry(bytes));
        if (entryPath(entry) !== key) {
          throw new CorruptionError(`The entry is of "${entryPath(entry)}"`);
        }
        if (fileTypeOf(entry.fileInfo.mode) !== "file" || isNilMac(entry.object)) return;
        await this.#checkObject(key, entry.object, entry.fileInfo.size);
      });
    }
  }

  async #checkErrors(source: HeaderSource): Promise<void> {
    const tree = this.#tree(source.errors, {
      rootType: ResourceType.ERROR_BTREE,
      nodeType: ResourceType.ERROR_NODE,
      order: compareBytes,
    });
    for await (const { key, value } of tree.items()) {
      await this.#guard(key, async () => {
        const bytes = await this.#engine.blobs.read(ResourceType.ERROR_ENTRY, value);
        await asCorruption(() => decodeErrorEntry(bytes));
      });
    }
  }

  async #checkXattrs(source: HeaderSource): Promise<void> {
    const tree = this.#tree(source.xattrs, {
      rootType: ResourceType.XATTR_BTREE,
      nodeType: ResourceType.XATTR_NODE,
      // Writers build this tree in path order (format reference, section 10.5).
      order: comparePaths,
    });
    for await (const { key, value } of tree.items()) {
      await this.#guard(key, async () => {
        const bytes = await this.#engine.blobs.read(ResourceType.XATTR_ENTRY, value);
        const entry = await asCorruption(() => decodeXattrEntry(bytes));
        if (!isNilMac(entry.object)) await this.#checkObject(key, entry.object, entry.size);
      });
    }
  }

  async #checkIndex(index: HeaderIndex): Promise<void> {
    const tree = this.#tree(index.value, {
      rootType: ResourceType.BTREE_ROOT,
      nodeType: ResourceType.BTREE_NODE,
      order: compareBytes,
    });
    for await (const { key, value } of tree.items()) {
      await this.#guard(key, async () => {
        switch (index.name) {
          case "dirpack":
            await this.#checkDirpack(key, value);
            break;
          case "summary": {
            const bytes = await this.#engine.blobs.read(ResourceType.VFS_SUMMARY, value);
            await asCorruption(() => decodeSummary(bytes));
            break;
          }
          case "content-type":
            await this.#engine.blobs.locate(ResourceType.VFS_ENTRY, value);
            break;
          default: // an index of a newer version: its tree is sound, its values are unknown
        }
      });
    }
  }

  async #checkDirpack(path: string, id: Mac): Promise<void> {
    const object = await readObject(this.#engine, id);
    const decoder = new DirpackDecoder(this.#engine.mac.of);
    await this.#copy(path, object, async (bytes) => {
      await asCorruption(() => decoder.push(bytes.slice()));
    });
    await asCorruption(() => decoder.finish());
  }

  async #checkObject(path: string, id: Mac, size: number): Promise<void> {
    const object = await readObject(this.#engine, id);
    const length = object.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (length !== size) {
      throw new CorruptionError(`"${path}" has ${length} bytes instead of ${size}`);
    }
    if (this.#options.fast) {
      await this.#lookUpChunks(path, object);
      return;
    }
    const hex = macToHex(id);
    if (this.#memo.objects.has(hex)) return;
    await this.#copy(path, object, (bytes) => {
      this.#options.onProgress?.(bytes.length);
      return Promise.resolve();
    });
    this.#memo.objects.add(hex);
  }

  /** Every chunk has a place in a packfile that is there and long enough. */
  async #lookUpChunks(path: string, object: KlosetObject): Promise<void> {
    for (const { contentMac } of object.chunks) {
      this.#options.signal?.throwIfAborted();
      const chunk = macToHex(contentMac);
      await this.#guard(path, async () => {
        const location = await this.#engine.blobs.locate(ResourceType.CHUNK, contentMac);
        const packfile = macToHex(location.packfile);
        const size = await this.#packfileSize(location);
        const context = { chunk, packfile };
        if (size === undefined) {
          throw new CorruptionError(`Packfile ${packfile} is missing`, context);
        }
        if (filePosition(location) + location.length + ENVELOPE_FOOTER_BYTES > size) {
          throw new CorruptionError(`Packfile ${packfile} is cut short`, context);
        }
      });
    }
  }

  async #packfileSize({ packfile }: BlobLocation): Promise<number | undefined> {
    const id = macToHex(packfile);
    if (!this.#memo.packfileSizes.has(id)) {
      this.#memo.packfileSizes.set(id, await sizeOrUndefined(this.#engine, id));
    }
    return this.#memo.packfileSizes.get(id);
  }

  #copy(
    path: string,
    object: KlosetObject,
    write: (bytes: Uint8Array) => Promise<void>,
  ): Promise<number> {
    return copyContent(object, {
      ...contentOptions(this.#engine, this.#options.signal),
      snapshot: this.#snapshot,
      path,
    }, write);
  }

  #tree(root: Mac, shape: TreeShape): TreeReader {
    return new TreeReader(this.#engine.blobs, root, shape);
  }

  /** Notes damage, and goes on: a check says everything that is wrong. */
  async #guard(path: string, action: () => Promise<void>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      await action();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const { chunk, packfile } = error.context;
      this.damages.push({
        snapshot: this.#snapshot,
        path: error.context.path ?? path,
        message: error.message,
        ...(chunk !== undefined && { chunk }),
        ...(packfile !== undefined && { packfile }),
      });
    }
  }
}

async function sizeOrUndefined({ store }: Engine, id: string): Promise<number | undefined> {
  try {
    return await store.size("packfile", id);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}
