import type * as Sdk from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { type ChecksumMembers, checksumMembers, type S3Checksum, unquoted } from "./_checksum.ts";
import type { Requests } from "./_requests.ts";
import type { ServiceWrites } from "./_writes.ts";
import { isKind } from "./errors.ts";
import type { S3Objects } from "./objects.ts";

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

/** Multipart uploads to a bucket. Nothing of one is visible before it is completed. */
export class S3Uploads {
  readonly #requests: Requests;
  readonly #writes: ServiceWrites;
  readonly #objects: S3Objects;

  constructor(requests: Requests, writes: ServiceWrites, objects: S3Objects) {
    this.#requests = requests;
    this.#writes = writes;
    this.#objects = objects;
  }

  /**
   * Starts a multipart upload.
   *
   * @param check how its parts are to be checked: by MD5, so that any later run can go on with it, or
   * as quickly as the service is known to allow
   */
  async start(
    what: string,
    key: string,
    check: "md5" | "quick" = "md5",
  ): Promise<S3OpenUpload> {
    return await this.#requests.run(what, async (connection) => {
      const { sdk, client } = connection;
      const start = async (members: Pick<ChecksumMembers, "ChecksumAlgorithm">) => {
        const { UploadId } = await client.send(
          new sdk.CreateMultipartUploadCommand({ ...this.#requests.object(key), ...members }),
        );
        if (UploadId === undefined) throw new Error("the service names no upload");
        return UploadId;
      };
      if (check === "quick" && this.#writes.takesCrc32) {
        try {
          const uploadId = await start({ ChecksumAlgorithm: "CRC32" });
          return { key, uploadId, checksum: "crc32" };
        } catch (error) {
          if (!this.#writes.isRefusal(error, connection)) throw error;
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
  async sendPart(
    what: string,
    { key, uploadId, checksum = "md5" }: S3OpenUpload,
    number: number,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<S3Part> {
    return await this.#requests.run(what, async (connection) => {
      const { sdk, client } = connection;
      const send = (checksums: ChecksumMembers) =>
        client.send(
          new sdk.UploadPartCommand({
            ...this.#requests.object(key),
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
        this.#writes.distrustCrc32();
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
  async complete(
    what: string,
    { key, uploadId }: S3OpenUpload,
    parts: readonly S3Part[],
  ): Promise<void> {
    try {
      await this.#writes.unlessExists(
        what,
        () => this.#objects.exists(what, key),
        async (condition) => {
          await this.#requests.run(what, async ({ sdk, client }) => {
            await client.send(
              new sdk.CompleteMultipartUploadCommand({
                ...this.#requests.object(key),
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
        },
      );
    } catch (error) {
      // The answer to an earlier try may have been lost.
      if (!isKind(error, "exists", "no-upload")) throw error;
      const found = await this.#objects.head(what, key).catch(() => undefined);
      const size = parts.reduce((sum, part) => sum + part.size, 0);
      if (found?.size !== size || found.etag !== multipartEtag(parts)) throw error;
    }
  }

  /**
   * Gives an upload up and removes its parts.
   *
   * @returns whether it was there
   */
  async abort(
    what: string,
    { key, uploadId }: S3OpenUpload,
  ): Promise<boolean> {
    try {
      await this.#requests.run(what, async ({ sdk, client }) => {
        await client.send(
          new sdk.AbortMultipartUploadCommand({
            ...this.#requests.object(key),
            UploadId: uploadId,
          }),
        );
      });
      return true;
    } catch (error) {
      if (isKind(error, "no-upload", "no-object")) return false;
      throw error;
    }
  }

  /**
   * Uploads under way whose keys begin so. MinIO knows them by their whole keys alone, and removes
   * old ones by itself.
   */
  async *list(what: string, prefix: string): AsyncGenerator<S3Upload> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (marker !== undefined) {
      const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
      const page: Sdk.ListMultipartUploadsCommandOutput = await this.#requests.run(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListMultipartUploadsCommand({
              Bucket: this.#requests.address.bucket,
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
      const page: Sdk.ListPartsCommandOutput = await this.#requests.run(
        what,
        ({ sdk, client }) =>
          client.send(
            new sdk.ListPartsCommand({
              ...this.#requests.object(key),
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
}

/** The ETag of an object made of these parts, where parts are named by their MD5. */
export function multipartEtag(parts: readonly S3Part[]): string {
  const hash = createHash("md5");
  for (const { etag } of parts) hash.update(etag, "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}
