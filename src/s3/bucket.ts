import type * as Sdk from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { messageOf } from "../errors/mod.ts";
import { CorruptionError, ObjectNotFoundError, StoreError } from "../kloset/errors.ts";
import { DEFAULT_RETRIES, pause, retryDelayMs, type RetryPolicy } from "./_retry.ts";
import {
  type CheckedRequest,
  type ChecksumMembers,
  checksumMembers,
  type S3Checksum,
  signByChecksum,
} from "./_checksum.ts";
import { type S3Failure, type S3FailureKind, understand } from "./_failure.ts";
import { S3HttpHandler } from "./_http.ts";
import { parseEndpoint, type S3Location } from "./location.ts";

/** How S3 is reached, beside what the location says. */
export interface S3Settings {
  /**
   * The service's URL.
   *
   * @default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile, or AWS
   */
  readonly endpoint?: string;
  /**
   * The bucket's region. Where nobody says it, the service is asked and believed.
   *
   * @default AWS_REGION, AWS_DEFAULT_REGION, the profile, or us-east-1
   */
  readonly region?: string;
  /**
   * Reads an environment variable. The SDK reads those with credentials by itself.
   *
   * @default the process's own
   */
  readonly env?: (name: string) => string | undefined;
  /** Told what a user should know but need not act on. */
  readonly onWarning?: (message: string) => void;
  /** Once it aborts, nothing is tried again. Requests under way go on: they may be clean-up. */
  readonly signal?: AbortSignal;
  /** @default ten tries in some two minutes */
  readonly retries?: RetryPolicy;
  /**
   * Longest time without a byte of an answer, in milliseconds.
   *
   * @default {60000}
   */
  readonly stallTimeoutMs?: number;
}

/** A request failed, for good or after the last try. */
export class S3RequestError extends StoreError {
  /** What went wrong. */
  readonly kind: S3FailureKind;

  constructor(message: string, kind: S3FailureKind, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a bucket says of an object. */
export interface S3ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Without quotes; the MD5 of simple objects that are not encrypted by a key service. */
  readonly etag: string;
}

/** A part of a multipart upload that the service has. */
export interface S3Part {
  /** From 1. */
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  /** What the service has compared it with, where that has to be repeated at the end. */
  readonly crc32?: string;
}

/** A multipart upload that parts can be sent to. */
export interface S3OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  /**
   * How its parts are checked.
   *
   * @default {"md5"}
   */
  readonly checksum?: S3Checksum;
}

/** A multipart upload that is neither completed nor aborted. */
export interface S3Upload extends S3OpenUpload {
  /** Milliseconds since 1970. */
  readonly startedMs: number;
}

/** The SDK, with a client for one region and set of credentials. */
interface Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  readonly region: string;
}

const DEFAULT_STALL_TIMEOUT_MS = 60_000;
const DEFAULT_REGION = "us-east-1";

/**
 * The objects of a bucket. Everything is tried again that is worth it; what then fails is an
 * {@linkcode S3RequestError} that says what to do.
 *
 * Requests carry a CRC-32 where the service says that it has looked at it, and a Content-MD5 anywhere
 * else: many services do not know the newer checksums, and some pass over them in silence. The first
 * request with a body carries both. The signature covers these headers, so that bodies need no second
 * hash.
 *
 * Every method takes, first, what it is done for, as the beginning of an error's message: "Cannot
 * read packfile 12ab".
 */
export class S3Bucket {
  readonly address: S3Location;
  readonly #settings: S3Settings;
  #connection: Promise<Connection> | undefined;
  /** Told by the service, where nobody else has. */
  #foundRegion: string | undefined;
  /** Whether the service knows conditional writes, as far as is known. */
  #isConditional = true;
  /** What the service takes; undefined until it has answered to both. */
  #checksum: S3Checksum | undefined;

  /** Connects to nothing yet. */
  constructor(address: S3Location, settings: S3Settings = {}) {
    this.address = address;
    this.#settings = settings;
  }

  /** @throws {ObjectNotFoundError} there is no such object */
  async head(what: string, key: string): Promise<S3ObjectInfo> {
    return await this.#request(what, async ({ sdk, client }) => {
      try {
        const found = await client.send(new sdk.HeadObjectCommand(this.#object(key)));
        return { key, size: found.ContentLength ?? 0, etag: unquoted(found.ETag) };
      } catch (error) {
        if (!saysNoReason(error)) throw error;
      }
      // The answer to a HEAD has no body that could say why. A GET of one byte has.
      const found = await client.send(
        new sdk.GetObjectCommand({ ...this.#object(key), Range: "bytes=0-0" }),
      );
      await discard(found);
      const total = /\/(\d+)$/.exec(found.ContentRange ?? "")?.[1];
      return { key, size: Number(total ?? found.ContentLength), etag: unquoted(found.ETag) };
    });
  }

  /**
   * A whole object.
   *
   * @throws {ObjectNotFoundError} there is no such object
   */
  async get(what: string, key: string): Promise<Uint8Array> {
    return await this.#request(what, async ({ sdk, client }) => {
      const answer = await client.send(new sdk.GetObjectCommand(this.#object(key)));
      const bytes = new Uint8Array(answer.ContentLength ?? 0);
      let filled = 0;
      for await (const part of bodyOf(answer)) {
        if (filled + part.length > bytes.length) break;
        bytes.set(part, filled);
        filled += part.length;
      }
      if (filled !== bytes.length) throw new Error("the answer broke off");
      return bytes;
    });
  }

  /**
   * Fills `target` with bytes from `offset` on; it may be shared memory. What has arrived before a
   * connection breaks is not asked for again.
   *
   * @returns how many bytes the object had for it: fewer than wanted where it ends before
   * @throws {ObjectNotFoundError} there is no such object
   */
  async read(what: string, key: string, offset: number, target: Uint8Array): Promise<number> {
    if (target.length === 0) {
      // S3 has no empty ranges; that there is an object has to be known all the same.
      await this.head(what, key);
      return 0;
    }
    let filled = 0;
    try {
      await this.stream(what, key, { offset, end: offset + target.length }, (part) => {
        target.set(part, filled);
        filled += part.length;
        return Promise.resolve();
      });
    } catch (error) {
      if (!(error instanceof S3RequestError) || error.kind !== "range") throw error;
    }
    return filled;
  }

  /**
   * Hands an object's bytes on in order, resuming where a connection broke.
   *
   * @param range from `offset` to `end`, which is not included; `end` may be behind the object's
   * @param consume called with each part; its failure ends the transfer
   * @throws {ObjectNotFoundError} there is no such object
   */
  async stream(
    what: string,
    key: string,
    { offset, end, etag }: { offset: number; end: number; etag?: string },
    consume: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let position = offset;
    let failure: { readonly error: unknown } | undefined;
    await this.#request(what, async ({ sdk, client }, { madeProgress }) => {
      const answer = await client.send(
        new sdk.GetObjectCommand({
          ...this.#object(key),
          Range: `bytes=${position}-${end - 1}`,
          ...(etag === undefined ? {} : { IfMatch: `"${etag}"` }),
        }),
      );
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? "") ?? [];
      const isWhole = answer.ContentRange === undefined;
      if (isWhole ? position > 0 : Number(start) !== position) {
        await discard(answer);
        failure = { error: new StoreError(`${what}: the service ignores ranges`) };
        return;
      }
      const stop = Math.min(end, isWhole ? answer.ContentLength ?? end : Number(total));
      for await (const part of bodyOf(answer)) {
        const wanted = part.subarray(0, stop - position);
        try {
          await consume(wanted);
        } catch (error) {
          // Not the service's failure, so that nothing is tried again.
          failure = { error };
          return;
        }
        position += wanted.length;
        madeProgress();
        if (position === stop && wanted.length < part.length) break;
      }
      if (position < stop) throw new Error("the answer broke off");
    });
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Writes an object in one request.
   *
   * @param replaces whether one of that name may be there; else, the same bytes excepted, it is an
   * error of kind `exists`. Services without conditional writes are asked before.
   */
  async put(what: string, key: string, bytes: Uint8Array, replaces: boolean): Promise<void> {
    // Shared memory may change while it is sent.
    const body = bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
    try {
      await this.#unlessExists(what, key, replaces, async (condition) => {
        await this.#request(what, async (connection) => {
          const { sdk, client } = connection;
          await this.#sendChecked(connection, body, (checksums) =>
            client.send(
              new sdk.PutObjectCommand({
                ...this.#object(key),
                ...condition,
                ...checksums,
                Body: body,
                ContentLength: body.length,
              }),
            ));
        });
      });
    } catch (error) {
      // The answer to an earlier try may have been lost.
      if (!isKind(error, "exists")) throw error;
      if (!equal(await this.get(what, key), body)) throw error;
    }
  }

  /**
   * Whether the service refuses to write an object a second time when asked to, so that a first write
   * was by one client alone. Where it does not, the same bytes are written once more.
   *
   * @param bytes those of the object
   */
  async refusesOverwrite(what: string, key: string, bytes: Uint8Array): Promise<boolean> {
    if (!this.#isConditional) return false;
    try {
      await this.#request(what, async (connection) => {
        const { sdk, client } = connection;
        await this.#sendChecked(connection, bytes, (checksums) =>
          client.send(
            new sdk.PutObjectCommand({
              ...this.#object(key),
              ...checksums,
              IfNoneMatch: "*",
              Body: bytes,
              ContentLength: bytes.length,
            }),
          ));
      });
      return false;
    } catch (error) {
      if (isKind(error, "exists")) return true;
      if (isKind(error, "unsupported")) return false;
      throw error;
    }
  }

  /** Removes an object; one that is not there is fine. */
  async delete(what: string, key: string): Promise<void> {
    try {
      await this.#request(what, async ({ sdk, client }) => {
        await client.send(new sdk.DeleteObjectCommand(this.#object(key)));
      });
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
    }
  }

  /** All objects whose keys begin so, at most `limit`. */
  async *list(what: string, prefix: string, limit = Infinity): AsyncGenerator<S3ObjectInfo> {
    let token: string | undefined;
    let count = 0;
    do {
      const page: Sdk.ListObjectsV2CommandOutput = await this.#request(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: this.address.bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
              ...(limit < 1000 ? { MaxKeys: limit } : {}),
            }),
          ),
      );
      for (const { Key: key, Size: size = 0, ETag: etag } of page.Contents ?? []) {
        if (key === undefined) continue;
        yield { key, size, etag: unquoted(etag) };
        if (++count >= limit) return;
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Makes the bucket; one that is there is fine. */
  async createBucket(what: string): Promise<void> {
    try {
      await this.#request(what, async ({ sdk, client, region }) => {
        await client.send(
          new sdk.CreateBucketCommand({
            Bucket: this.address.bucket,
            ...(region === DEFAULT_REGION || this.address.endpoint !== undefined ? {} : {
              CreateBucketConfiguration: {
                LocationConstraint: region as Sdk.BucketLocationConstraint,
              },
            }),
          }),
        );
      });
    } catch (error) {
      const isThere = error instanceof S3RequestError &&
        /BucketAlreadyOwnedByYou|BucketAlreadyExists/.test(error.message);
      if (!isThere) throw error;
    }
  }

  /** What the service's clock says, in milliseconds since 1970; undefined where it does not. */
  async serverTimeMs(what: string): Promise<number | undefined> {
    return await this.#request(what, async ({ sdk, client }) => {
      let date: string | undefined;
      const command = new sdk.ListObjectsV2Command({
        Bucket: this.address.bucket,
        Prefix: this.address.prefix,
        MaxKeys: 1,
      });
      command.middlewareStack.add((next) => async (args) => {
        const result = await next(args);
        const { response } = result;
        if (typeof response === "object" && response !== null && "headers" in response) {
          date = Reflect.get(Object(response.headers), "date");
        }
        return result;
      }, { step: "deserialize", priority: "low" });
      await client.send(command);
      return date === undefined ? undefined : Date.parse(date);
    });
  }

  /**
   * Starts a multipart upload.
   *
   * @param check how its parts are to be checked: by MD5, so that any later run can go on with it, or
   * as quickly as the service is known to allow
   */
  async startUpload(
    what: string,
    key: string,
    check: "md5" | "quick" = "md5",
  ): Promise<S3OpenUpload> {
    return await this.#request(what, async (connection) => {
      const { sdk, client } = connection;
      const start = async (members: Pick<ChecksumMembers, "ChecksumAlgorithm">) => {
        const { UploadId } = await client.send(
          new sdk.CreateMultipartUploadCommand({ ...this.#object(key), ...members }),
        );
        if (UploadId === undefined) throw new Error("the service names no upload");
        return UploadId;
      };
      if (check === "quick" && this.#checksum === "crc32") {
        try {
          const uploadId = await start({ ChecksumAlgorithm: "CRC32" });
          return { key, uploadId, checksum: "crc32" };
        } catch (error) {
          if (!this.#isRefusal(error, connection)) throw error;
        }
      }
      return { key, uploadId: await start({}) };
    });
  }

  /**
   * Sends a part; one of the same number is replaced.
   *
   * @param bytes must not change meanwhile
   * @throws the signal's reason when it aborts
   */
  async uploadPart(
    what: string,
    { key, uploadId, checksum = "md5" }: S3OpenUpload,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<S3Part> {
    return await this.#request(what, async (connection) => {
      const { sdk, client } = connection;
      const send = (checksums: ChecksumMembers) =>
        client.send(
          new sdk.UploadPartCommand({
            ...this.#object(key),
            ...checksums,
            UploadId: uploadId,
            PartNumber: number,
            Body: bytes,
            ContentLength: bytes.length,
          }),
          signal === undefined ? {} : { abortSignal: signal },
        );
      const sent = checksumMembers(bytes, [checksum]);
      const { ChecksumCRC32: crc32 } = sent;
      let answer = await send(sent);
      if (crc32 !== undefined && answer.ChecksumCRC32 !== crc32) {
        // It took the other bodies' checksums; who answers now has passed over this one's.
        this.#checksum = "md5";
        answer = await send(checksumMembers(bytes, ["crc32", "md5"]));
      }
      if (answer.ETag === undefined) throw new Error("the service gives no ETag");
      return {
        number,
        etag: unquoted(answer.ETag),
        size: bytes.length,
        ...(crc32 === undefined ? {} : { crc32 }),
      };
    }, signal);
  }

  /** Makes the parts one object, visible from then on. Never replaces one. */
  async completeUpload(
    what: string,
    { key, uploadId }: S3OpenUpload,
    parts: readonly S3Part[],
  ): Promise<void> {
    try {
      await this.#unlessExists(what, key, false, async (condition) => {
        await this.#request(what, async ({ sdk, client }) => {
          await client.send(
            new sdk.CompleteMultipartUploadCommand({
              ...this.#object(key),
              ...condition,
              UploadId: uploadId,
              MultipartUpload: {
                Parts: parts.map(({ number, etag, crc32 }) => ({
                  PartNumber: number,
                  ETag: `"${etag}"`,
                  ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
                })),
              },
            }),
          );
        });
      });
    } catch (error) {
      // The answer to an earlier try may have been lost.
      if (!isKind(error, "exists", "no-upload")) throw error;
      const found = await this.head(what, key).catch(() => undefined);
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      if (found?.size !== size || found.etag !== multipartEtag(parts)) throw error;
    }
  }

  /**
   * Gives an upload up and removes its parts.
   *
   * @returns whether it was there
   */
  async abortUpload(
    what: string,
    { key, uploadId }: S3OpenUpload,
  ): Promise<boolean> {
    try {
      await this.#request(what, async ({ sdk, client }) => {
        await client.send(
          new sdk.AbortMultipartUploadCommand({ ...this.#object(key), UploadId: uploadId }),
        );
      });
      return true;
    } catch (error) {
      if (isKind(error, "no-upload") || error instanceof ObjectNotFoundError) return false;
      throw error;
    }
  }

  /**
   * Uploads under way whose keys begin so. MinIO knows them by their whole keys alone, and removes
   * old ones by itself.
   */
  async *uploads(what: string, prefix: string): AsyncGenerator<S3Upload> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (marker !== undefined) {
      const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
      const page: Sdk.ListMultipartUploadsCommandOutput = await this.#request(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListMultipartUploadsCommand({
              Bucket: this.address.bucket,
              Prefix: prefix,
              ...from,
            }),
          ),
      );
      for (const { Key: key, UploadId: uploadId, Initiated: initiated } of page.Uploads ?? []) {
        if (key === undefined || uploadId === undefined) continue;
        yield { key, uploadId, startedMs: initiated?.getTime() ?? Date.now() };
      }
      marker = page.IsTruncated && page.NextKeyMarker !== undefined
        ? {
          KeyMarker: page.NextKeyMarker,
          ...(page.NextUploadIdMarker === undefined
            ? {}
            : { UploadIdMarker: page.NextUploadIdMarker }),
        }
        : undefined;
    }
  }

  /** The parts that an upload has, by number. */
  async parts(
    what: string,
    { key, uploadId }: S3OpenUpload,
  ): Promise<S3Part[]> {
    const parts: S3Part[] = [];
    let marker: string | undefined;
    do {
      const page: Sdk.ListPartsCommandOutput = await this.#request(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListPartsCommand({
              ...this.#object(key),
              UploadId: uploadId,
              ...(marker === undefined ? {} : { PartNumberMarker: marker }),
            }),
          ),
      );
      for (const { PartNumber: number, ETag: etag, Size: size } of page.Parts ?? []) {
        if (number === undefined || size === undefined) continue;
        parts.push({ number, etag: unquoted(etag), size });
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.address.bucket, Key: key };
  }

  /** Whether a service may have refused a request for the checksum that it carried. */
  #isRefusal(error: unknown, { region }: Connection): boolean {
    return ["permanent", "unsupported"].includes(understand(error, this.address, region).kind);
  }

  /** Sends a body with a checksum that the service looks at, and finds out which that is. */
  async #sendChecked(
    connection: Connection,
    body: Uint8Array,
    send: (checksums: ChecksumMembers) => Promise<{ readonly ChecksumCRC32?: string | undefined }>,
  ): Promise<void> {
    const known = this.#checksum;
    const sent = checksumMembers(body, known === undefined ? ["crc32", "md5"] : [known]);
    try {
      const { ChecksumCRC32 } = await send(sent);
      if (known === "md5") return;
      // It names the checksum that it has found.
      this.#checksum = ChecksumCRC32 === sent.ChecksumCRC32 ? "crc32" : "md5";
      if (known === undefined || this.#checksum === "crc32") return;
    } catch (error) {
      if (known !== undefined || !this.#isRefusal(error, connection)) throw error;
    }
    await send(checksumMembers(body, ["md5"]));
    this.#checksum = "md5";
  }

  /** Writes on condition that nothing is there, or looks first where the service cannot. */
  async #unlessExists(
    what: string,
    key: string,
    replaces: boolean,
    write: (condition: { IfNoneMatch?: string }) => Promise<void>,
  ): Promise<void> {
    if (replaces) return await write({});
    if (this.#isConditional) {
      try {
        return await write({ IfNoneMatch: "*" });
      } catch (error) {
        if (!isKind(error, "unsupported")) throw error;
        this.#isConditional = false;
      }
    }
    const isThere = await this.head(what, key).then(() => true, (error) => {
      if (error instanceof ObjectNotFoundError) return false;
      throw error;
    });
    if (isThere) throw new S3RequestError(`${what}: it exists already`, "exists");
    await write({});
  }

  /** Runs requests until they succeed, or are not worth another try. */
  async #request<T>(
    what: string,
    action: (connection: Connection, attempt: { madeProgress(): void }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const retries = this.#settings.retries ?? DEFAULT_RETRIES;
    let hasReloaded = false;
    for (let attempt = 1;; attempt++) {
      signal?.throwIfAborted();
      const connecting = this.#connection ??= this.#connect();
      let region = DEFAULT_REGION;
      let failure: S3Failure;
      let cause: unknown;
      try {
        const connection = await connecting;
        region = connection.region;
        return await action(connection, { madeProgress: () => void (attempt = 0) });
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof StoreError || error instanceof CorruptionError) throw error;
        failure = understand(error, this.address, region);
        cause = error;
      }
      const reconnect = () => {
        if (this.#connection === connecting) this.#connection = undefined;
      };
      if (failure.kind === "expired" && !hasReloaded) {
        // Files with credentials may have been renewed meanwhile.
        hasReloaded = true;
        reconnect();
        continue;
      }
      if (failure.kind === "region" && this.#follow(failure.region)) {
        reconnect();
        continue;
      }
      const isLast = attempt >= retries.attempts || this.#settings.signal?.aborted === true;
      if (failure.kind !== "transient" || isLast) {
        const tries = failure.kind === "transient" && attempt > 1 ? `, tried ${attempt} times` : "";
        throw failureError(`${what}: ${failure.message}${tries}`, failure, cause);
      }
      await pause(retryDelayMs(retries, attempt), this.#settings.signal);
    }
  }

  /** Whether to go on in a region that the service names. */
  #follow(region: string | undefined): boolean {
    if (region === undefined || region === this.#foundRegion) return false;
    if (this.#givenRegion() !== undefined) return false;
    this.#foundRegion = region;
    return true;
  }

  #env(name: string): string | undefined {
    // An empty variable counts as unset.
    return (this.#settings.env ?? ((wanted) => Deno.env.get(wanted)))(name) || undefined;
  }

  #givenRegion(): string | undefined {
    return this.#settings.region || this.#env("AWS_REGION") || this.#env("AWS_DEFAULT_REGION");
  }

  async #connect(): Promise<Connection> {
    // Loaded when it is needed: commands without S3 start faster.
    const sdk = await import("@aws-sdk/client-s3");
    const bundle = this.#env("AWS_CA_BUNDLE");
    const { endpoint, credentials } = this.address;
    const given = this.#foundRegion ?? this.#givenRegion();
    const config: Sdk.S3ClientConfig = {
      requestHandler: new S3HttpHandler(
        this.#settings.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS,
        bundle === undefined ? undefined : await readBundle(bundle),
      ),
      // Other buckets than this have a name that no certificate covers, or a port.
      forcePathStyle: endpoint !== undefined || this.address.bucket.includes("."),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(given === undefined ? {} : { region: given }),
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      expectContinueHeader: false,
      defaultUserAgentProvider: () => Promise.resolve([["infrahub-backup", "1"]]),
    };
    const client = new sdk.S3Client(config);
    const region = given ?? await client.config.region().catch(() => undefined);
    if (region !== undefined) return { sdk, client: signing(client), region };
    // Neither variables nor files say a region: most services but AWS do not care.
    const regional = new sdk.S3Client({ ...config, region: DEFAULT_REGION });
    return { sdk, client: signing(regional), region: DEFAULT_REGION };
  }
}

/** The client, with bodies signed by their checksums. */
function signing(client: Sdk.S3Client): Sdk.S3Client {
  client.middlewareStack.add((next) => (args) => {
    if (isHttpRequest(args.request)) signByChecksum(args.request);
    return next(args);
  }, { step: "build", name: "signByChecksum", priority: "low" });
  return client;
}

function isHttpRequest(request: unknown): request is CheckedRequest {
  return typeof request === "object" && request !== null && "protocol" in request &&
    "hostname" in request && "headers" in request;
}

/** The configured endpoint: a flag's, or that of the standard AWS variables. */
export function configuredEndpoint(
  { endpoint, env = (name) => Deno.env.get(name) }: S3Settings,
): string | undefined {
  const configured = endpoint || env("AWS_ENDPOINT_URL_S3") || env("AWS_ENDPOINT_URL") || undefined;
  return configured === undefined ? undefined : parseEndpoint(configured).origin;
}

/** The ETag of an object made of these parts, where parts are named by their MD5. */
export function multipartEtag(parts: readonly S3Part[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(etag, "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}

/** Whether a HEAD was refused, for a reason that only an answer with a body tells. */
function saysNoReason(error: unknown): boolean {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const status: unknown = Reflect.get(Object(error.$metadata), "httpStatusCode");
  return typeof status === "number" && status >= 300 && status < 500 && status !== 404;
}

function isKind(error: unknown, ...kinds: S3FailureKind[]): boolean {
  return error instanceof S3RequestError && kinds.includes(error.kind);
}

function failureError(message: string, { kind }: S3Failure, cause: unknown): StoreError {
  const options = { cause: withoutSecrets(cause) };
  if (kind === "no-object") return new ObjectNotFoundError(message, options);
  return new S3RequestError(message, kind, options);
}

/** The SDK's errors repeat the access key and what was signed. */
function withoutSecrets(error: unknown): Error {
  const copy = new Error(messageOf(error));
  copy.name = error instanceof Error ? error.name : "Error";
  return copy;
}

async function readBundle(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new StoreError(`Cannot read the certificates that AWS_CA_BUNDLE names: ${path}`, {
      cause: error,
    });
  }
}

async function* bodyOf(answer: Sdk.GetObjectCommandOutput): AsyncGenerator<Uint8Array> {
  const body = answer.Body?.transformToWebStream();
  if (body === undefined) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const part: unknown = next.value;
      if (!(part instanceof Uint8Array)) throw new Error("the answer is no bytes");
      yield part;
    }
  } finally {
    await reader.cancel().catch(() => {
      // Broken already, which has been thrown.
    });
  }
}

async function discard(answer: Sdk.GetObjectCommandOutput): Promise<void> {
  await answer.Body?.transformToWebStream().cancel();
}

function unquoted(etag = ""): string {
  return etag.replaceAll('"', "");
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
