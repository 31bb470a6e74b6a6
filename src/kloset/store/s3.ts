import { CorruptionError, ObjectNotFoundError, RepositoryExistsError } from "../errors.ts";
import {
  configuredEndpoint,
  isKind,
  parseS3Location,
  S3Bucket,
  type S3Location,
  type S3Settings,
} from "../../s3/mod.ts";
import { asStore, storeErrorOf } from "./_s3_errors.ts";
import { PartPool, S3Writer } from "./_s3_writer.ts";
import {
  isObjectName,
  type ObjectKind,
  type ObjectWriter,
  type Store,
  type StorePresence,
} from "./store.ts";

/** Folder of each kind of object; locks have no buckets. */
const FOLDERS: Readonly<Record<ObjectKind, string>> = {
  packfile: "packfiles",
  state: "states",
  lock: "locks",
};

/** Names that runs have taken; see {@linkcode Store.claim}. */
const CLAIMS = "claims";

/** Between a look and the write that follows it, a client takes less. */
const SETTLE_MS = 3_000;

/**
 * A repository in an S3 bucket, laid out as plakar's S3 integration does it (format reference,
 * section 1.2).
 *
 * An object appears whole or not at all, as S3 promises for a request that writes one. Packfiles
 * and states are never overwritten: they are written on condition that nothing has their name, or,
 * where a service has no conditional writes, after a look. A write that fails for want of an answer
 * may have been done all the same; what it wrote is whole then, and nobody refers to it unless it is
 * a state.
 *
 * Deleting is needed for locks alone, and where it is denied they turn stale by themselves.
 *
 * @example Open a repository at a server of one's own
 * ```ts
 * import { S3Store } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new S3Store("s3://minio.example.org:9000/backups/prod", { region: "eu-west-1" });
 * assertEquals(store.location, "s3://minio.example.org:9000/backups/prod");
 * ```
 */
export class S3Store implements Store {
  readonly location: string;
  readonly #bucket: S3Bucket;
  readonly #pool = new PartPool();
  readonly #onWarning: (message: string) => void;

  /**
   * Connects to nothing yet.
   *
   * @param location see `parseS3Location` of `src/s3`
   * @throws {UnsupportedLocationError} the location or the endpoint cannot be used
   */
  constructor(location: string, settings: S3Settings = {}) {
    const address = addressOf(location, settings);
    this.location = address.location;
    this.#bucket = new S3Bucket(address, settings);
    this.#onWarning = settings.onWarning ?? (() => {});
  }

  /**
   * A missing bucket counts as absent: a new repository makes it. So do other keys beside where the
   * repository's would be, as buckets are shared; packfiles or states without a CONFIG do not.
   */
  presence(): Promise<StorePresence> {
    const what = `Cannot open repository "${this.location}"`;
    const { objects } = this.#bucket;
    return asStore(async () => {
      try {
        await objects.get(what, this.#key("CONFIG"));
        return "repository";
      } catch (error) {
        if (isKind(error, "no-bucket")) return "absent";
        if (!isKind(error, "no-object")) throw error;
      }
      for (const folder of [FOLDERS.packfile, FOLDERS.state]) {
        for await (const _ of objects.list(what, this.#key(`${folder}/`), 1)) return "foreign";
      }
      return "absent";
    });
  }

  create(configuration: Uint8Array): Promise<void> {
    const what = `Cannot create repository "${this.location}"`;
    const key = this.#key("CONFIG");
    const { objects } = this.#bucket;
    const exists = (cause?: unknown) =>
      new RepositoryExistsError(`${what}: somebody else has created one at the same time`, {
        cause,
      });
    const put = async () => {
      try {
        await objects.put(what, key, configuration, false);
      } catch (error) {
        throw isKind(error, "exists") ? exists(error) : error;
      }
    };
    return asStore(async () => {
      try {
        await put();
      } catch (error) {
        if (!isKind(error, "no-bucket")) throw error;
        this.#onWarning(`Bucket "${this.#bucket.address.bucket}" does not exist: creating it`);
        await this.#bucket.create(what);
        await put();
      }
      // Where the service knows no conditional writes, or ignores them, a client that has looked
      // before our write may write after it: by then it has done so, and whoever wrote last has won.
      if (!await objects.refusesOverwrite(what, key, configuration)) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      }
      const stored = await objects.get(what, key);
      if (stored.length !== configuration.length || stored.some((b, i) => b !== configuration[i])) {
        throw exists();
      }
    });
  }

  readConfiguration(): Promise<Uint8Array> {
    const what = `Cannot open repository "${this.location}"`;
    return asStore(async () => {
      try {
        return await this.#bucket.objects.get(what, this.#key("CONFIG"));
      } catch (error) {
        if (!isKind(error, "no-bucket")) throw error;
        throw new ObjectNotFoundError(error.message, { cause: error });
      }
    });
  }

  async list(kind: ObjectKind): Promise<string[]> {
    return [...(await this.listSizes(kind)).keys()];
  }

  listSizes(kind: ObjectKind): Promise<Map<string, number>> {
    const what = `Cannot list ${FOLDERS[kind]} of "${this.location}"`;
    const folder = this.#key(`${FOLDERS[kind]}/`);
    return asStore(async () => {
      const sizes = new Map<string, number>();
      for await (const { key, size } of this.#bucket.objects.list(what, folder)) {
        const name = key.slice(key.lastIndexOf("/") + 1);
        if (isObjectName(name) && key === this.#objectKey(kind, name)) sizes.set(name, size);
      }
      return sizes;
    });
  }

  readAll(kind: ObjectKind, id: string): Promise<Uint8Array> {
    const what = `Cannot read ${kind} ${id}`;
    return asStore(() => this.#bucket.objects.get(what, this.#objectKey(kind, id)));
  }

  async read(kind: ObjectKind, id: string, offset: number, target: Uint8Array): Promise<void> {
    const what = `Cannot read ${kind} ${id}`;
    const key = this.#objectKey(kind, id);
    const filled = await asStore(() => this.#bucket.objects.read(what, key, offset, target));
    if (filled === target.length) return;
    throw new CorruptionError(
      `${what}: it ends before byte ${offset + target.length}, which is needed`,
      kind === "packfile" ? { packfile: id } : {},
    );
  }

  async size(kind: ObjectKind, id: string): Promise<number> {
    const what = `Cannot read ${kind} ${id}`;
    const key = this.#objectKey(kind, id);
    return (await asStore(() => this.#bucket.objects.head(what, key))).size;
  }

  put(kind: ObjectKind, id: string, bytes: Uint8Array): Promise<void> {
    const what = `Cannot write ${kind} ${id}`;
    const key = this.#objectKey(kind, id);
    return asStore(() => this.#bucket.objects.put(what, key, bytes, kind === "lock"));
  }

  openWriter(kind: ObjectKind, id: string): Promise<ObjectWriter> {
    return Promise.resolve(
      new S3Writer(this.#bucket, this.#pool, {
        what: `Cannot write ${kind} ${id}`,
        key: this.#objectKey(kind, id),
        replaces: kind === "lock",
      }),
    );
  }

  delete(kind: ObjectKind, id: string): Promise<void> {
    const what = `Cannot delete ${kind} ${id}`;
    return asStore(() => this.#bucket.objects.delete(what, this.#objectKey(kind, id)));
  }

  claim(name: string): Promise<(() => Promise<void>) | undefined> {
    const key = this.#key(`${CLAIMS}/${name}`);
    const mine = new TextEncoder().encode(crypto.randomUUID());
    const { objects } = this.#bucket;
    return asStore(async () => {
      try {
        await objects.put(`Cannot take the name ${name}`, key, mine, false);
      } catch (error) {
        if (isKind(error, "exists")) return undefined;
        throw error;
      }
      return () => asStore(() => objects.delete(`Cannot give back the name ${name}`, key));
    });
  }

  removeAbandoned(beforeMs: number): Promise<void> {
    const what = `Cannot clean up "${this.location}"`;
    const { uploads } = this.#bucket;
    return asStore(async () => {
      for await (const upload of uploads.list(what, this.#key(`${FOLDERS.packfile}/`))) {
        if (upload.startedMs < beforeMs) await uploads.abort(what, upload);
      }
    });
  }

  /** What the service's clock says, in milliseconds since 1970; undefined where it does not. */
  serverTimeMs(): Promise<number | undefined> {
    return asStore(() => this.#bucket.serverTimeMs(`Cannot reach "${this.location}"`));
  }

  #key(name: string): string {
    return this.#bucket.address.prefix + name;
  }

  #objectKey(kind: ObjectKind, id: string): string {
    const bucket = kind === "lock" ? "" : `${id.slice(0, 2)}/`;
    return this.#key(`${FOLDERS[kind]}/${bucket}${id}`);
  }
}

function addressOf(location: string, settings: S3Settings): S3Location {
  try {
    return parseS3Location(location, configuredEndpoint(settings));
  } catch (error) {
    throw storeErrorOf(error);
  }
}
