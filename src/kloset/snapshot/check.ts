import type { Engine } from "../engine.ts";
import { CorruptionError, ObjectNotFoundError } from "../errors.ts";
import {
  DirpackDecoder,
  ENVELOPE_FOOTER_BYTES,
  type Header,
  type KlosetObject,
  macToHex,
  ResourceType,
} from "../format/mod.ts";
import type { BlobLocation } from "../index/mod.ts";
import { filePosition, verifyPackfile } from "../packfile/mod.ts";
import { copyContent } from "./content_reader.ts";
import { contentOptions } from "./object_reader.ts";
import { asCorruption } from "./tree_reader.ts";
import { type NeededContent, walkSnapshot } from "./walk.ts";

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
    await walkSnapshot(this.#engine.blobs, this.#header, {
      content: (content) => this.#checkContent(content),
      damage: (path, error) => this.#note(path, error),
    }, this.#options.signal);
  }

  /** The header is not named by its MAC: the envelope of its packfile vouches for it. */
  async #checkHeader(): Promise<void> {
    const { blobs } = this.#engine;
    const { identifier } = this.#header;
    await blobs.fromAnyCopy(ResourceType.SNAPSHOT, identifier, async ({ packfile }) => {
      const id = macToHex(packfile);
      if (this.#memo.packfiles.has(id)) return;
      const { signal } = this.#options;
      await verifyPackfile(id, this.#engine, { ...(signal !== undefined && { signal }) });
      this.#memo.packfiles.add(id);
    });
  }

  async #checkContent({ kind, path, id, object, size }: NeededContent): Promise<void> {
    if (kind === "dirpack") return await this.#checkDirpack(path, object);
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

  async #checkDirpack(path: string, object: KlosetObject): Promise<void> {
    const decoder = new DirpackDecoder(this.#engine.mac.of);
    await this.#copy(path, object, async (bytes) => {
      await asCorruption(() => decoder.push(bytes.slice()));
    });
    await asCorruption(() => decoder.finish());
  }

  /** Every chunk has a place in a packfile that is there and long enough. */
  async #lookUpChunks(path: string, object: KlosetObject): Promise<void> {
    for (const { contentMac } of object.chunks) {
      this.#options.signal?.throwIfAborted();
      const chunk = macToHex(contentMac);
      const lookUp = async (location: BlobLocation) => {
        const packfile = macToHex(location.packfile);
        const size = await this.#packfileSize(location);
        const context = { chunk, packfile };
        if (size === undefined) {
          throw new CorruptionError(`Packfile ${packfile} is missing`, context);
        }
        if (filePosition(location) + location.length + ENVELOPE_FOOTER_BYTES > size) {
          throw new CorruptionError(`Packfile ${packfile} is cut short`, context);
        }
      };
      await this.#guard(
        path,
        () => this.#engine.blobs.fromAnyCopy(ResourceType.CHUNK, contentMac, lookUp),
      );
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

  /** Notes damage, and goes on: a check says everything that is wrong. */
  async #guard(path: string, action: () => Promise<void>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      await action();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#note(path, error);
    }
  }

  #note(path: string, error: CorruptionError): void {
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

async function sizeOrUndefined({ store }: Engine, id: string): Promise<number | undefined> {
  try {
    return await store.size("packfile", id);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}
