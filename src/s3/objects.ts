import type * as Sdk from "@aws-sdk/client-s3";
import type { Requests } from "./_requests.ts";
import type { Condition, ServiceWrites } from "./_writes.ts";
import { unquoted } from "./_checksum.ts";
import { isKind, S3Error } from "./errors.ts";

/** What a bucket says of an object. */
export interface S3ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Without quotes; the MD5 of simple objects that are not encrypted by a key service. */
  readonly etag: string;
}

/** The objects of a bucket, one request each. */
export class S3Objects {
  readonly #requests: Requests;
  readonly #writes: ServiceWrites;

  constructor(requests: Requests, writes: ServiceWrites) {
    this.#requests = requests;
    this.#writes = writes;
  }

  /** @throws {S3RequestError} of kind `no-object` when there is no such object */
  async head(what: string, key: string): Promise<S3ObjectInfo> {
    return await this.#requests.run(what, async ({ sdk, client }) => {
      try {
        const found = await client.send(new sdk.HeadObjectCommand(this.#requests.object(key)));
        return { key, size: found.ContentLength ?? 0, etag: unquoted(found.ETag) };
      } catch (error) {
        if (!saysNoReason(error)) throw error;
      }
      // The answer to a HEAD has no body that could say why. A GET of one byte has.
      const found = await client.send(
        new sdk.GetObjectCommand({ ...this.#requests.object(key), Range: "bytes=0-0" }),
      );
      await discard(found);
      const total = /\/(\d+)$/.exec(found.ContentRange ?? "")?.[1];
      return { key, size: Number(total ?? found.ContentLength), etag: unquoted(found.ETag) };
    });
  }

  /** Whether there is such an object. */
  async exists(what: string, key: string): Promise<boolean> {
    try {
      await this.head(what, key);
      return true;
    } catch (error) {
      if (isKind(error, "no-object")) return false;
      throw error;
    }
  }

  /**
   * A whole object.
   *
   * @throws {S3RequestError} of kind `no-object` when there is no such object
   */
  async get(what: string, key: string): Promise<Uint8Array> {
    return await this.#requests.run(what, async ({ sdk, client }) => {
      const answer = await client.send(new sdk.GetObjectCommand(this.#requests.object(key)));
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
   * @throws {S3RequestError} of kind `no-object` when there is no such object
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
      if (!isKind(error, "range")) throw error;
    }
    return filled;
  }

  /**
   * Hands an object's bytes on in order, resuming where a connection broke.
   *
   * @param range from `offset` to `end`, which is not included; `end` may be behind the object's
   * @param consume called with each part; its failure ends the transfer
   * @throws {S3RequestError} of kind `no-object` when there is no such object
   */
  async stream(
    what: string,
    key: string,
    { offset, end, etag }: { offset: number; end: number; etag?: string },
    consume: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    let position = offset;
    let failure: { readonly error: unknown } | undefined;
    await this.#requests.run(what, async ({ sdk, client }, { madeProgress }) => {
      const answer = await client.send(
        new sdk.GetObjectCommand({
          ...this.#requests.object(key),
          Range: `bytes=${position}-${end - 1}`,
          ...(etag === undefined ? {} : { IfMatch: `"${etag}"` }),
        }),
      );
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? "") ?? [];
      const isWhole = answer.ContentRange === undefined;
      if (isWhole ? position > 0 : Number(start) !== position) {
        await discard(answer);
        failure = { error: new S3Error(`${what}: the service ignores ranges`) };
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
      const write = (condition: Condition) => this.#write(what, key, body, condition);
      if (replaces) await write({});
      else await this.#writes.unlessExists(what, () => this.exists(what, key), write);
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
    if (!this.#writes.isConditional) return false;
    try {
      await this.#write(what, key, bytes, { IfNoneMatch: "*" });
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
      await this.#requests.run(what, async ({ sdk, client }) => {
        await client.send(new sdk.DeleteObjectCommand(this.#requests.object(key)));
      });
    } catch (error) {
      if (!isKind(error, "no-object")) throw error;
    }
  }

  /** All objects whose keys begin so, at most `limit`. */
  async *list(what: string, prefix: string, limit = Infinity): AsyncGenerator<S3ObjectInfo> {
    let token: string | undefined;
    let count = 0;
    do {
      const page: Sdk.ListObjectsV2CommandOutput = await this.#requests.run(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: this.#requests.address.bucket,
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
      if (page.IsTruncated && token === undefined) {
        // Taken for whole, it would make everything that it lacks look deleted.
        throw new S3Error(`${what}: the service cut the list short and does not say how to go on`);
      }
    } while (token !== undefined);
  }

  async #write(what: string, key: string, body: Uint8Array, condition: Condition): Promise<void> {
    await this.#requests.run(what, async (connection) => {
      const { sdk, client } = connection;
      await this.#writes.sendChecked(connection, body, (checksums) =>
        client.send(
          new sdk.PutObjectCommand({
            ...this.#requests.object(key),
            ...condition,
            ...checksums,
            Body: body,
            ContentLength: body.length,
          }),
        ));
    });
  }
}

/** Whether a HEAD was refused, for a reason that only an answer with a body tells. */
function saysNoReason(error: unknown): boolean {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  const status: unknown = Reflect.get(Object(error.$metadata), "httpStatusCode");
  return typeof status === "number" && status >= 300 && status < 500 && status !== 404;
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

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
