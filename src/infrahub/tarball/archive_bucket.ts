import { createHash } from "node:crypto";
import { messageOf } from "../../errors/mod.ts";
import { writeAll } from "../../files/mod.ts";
import {
  configuredEndpoint,
  isKind,
  multipartEtag,
  S3Bucket,
  type S3OpenUpload,
  type S3Part,
  type S3Settings,
  type S3Upload,
} from "../../s3/mod.ts";
import { InfrahubBackupError } from "../errors.ts";
import type { Reporter } from "../reporter.ts";
import { formatSize } from "../show_values.ts";

const MIB = 1024 * 1024;

/** Least length of a part, and up to which an archive is sent in one request. */
const PART_BYTES = 16 * MIB;

/** S3 takes 10,000 parts; the longer the archive, the longer they are. */
const MAXIMUM_PARTS = 9_000;

/** Parts that are read and sent at the same time. */
const PARTS_UNDER_WAY = 3;

/** An archive could not be brought to a bucket, or from it. */
export class ArchiveTransferError extends InfrahubBackupError {}

/** What an archive transfer reports to, and what ends it. */
export interface TransferOptions {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** An archive in a bucket. */
export interface StoredArchive {
  /** `s3://BUCKET/KEY`: what `restore` takes. */
  readonly uri: string;
  readonly bytes: number;
}

/** A bucket that archives are kept in. */
export class ArchiveBucket {
  readonly name: string;
  readonly #bucket: S3Bucket;

  /**
   * Connects to nothing yet.
   *
   * @throws {S3LocationError} the endpoint is no URL
   */
  constructor(name: string, s3: S3Settings) {
    const endpoint = configuredEndpoint(s3);
    this.name = name;
    this.#bucket = new S3Bucket({
      bucket: name,
      prefix: "",
      location: `s3://${name}`,
      ...(endpoint === undefined ? {} : { endpoint }),
    }, s3);
  }

  /** The key of an archive: its name behind the prefix, as in the Go tool. */
  static keyOf(prefix: string, path: string): string {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return prefix === "" ? name : `${prefix.replace(/\/$/, "")}/${name}`;
  }

  /**
   * Makes sure, before anything is stopped for a backup, that the bucket is there and knows the
   * credentials. Those that may only write are fine.
   *
   * @throws {ArchiveTransferError} an upload could not go well
   */
  async requireReachable(): Promise<void> {
    try {
      for await (const _ of this.#bucket.objects.list("Cannot reach the S3 bucket", "", 1)) return;
    } catch (error) {
      if (isKind(error, "denied")) return;
      throw new ArchiveTransferError(messageOf(error), { cause: error });
    }
  }

  /**
   * Uploads an archive, goes on where an earlier upload of the same file has ended, and verifies
   * that all of it has arrived, as far as the key may look. Never replaces another archive.
   *
   * @throws {ArchiveTransferError} what has arrived stays there, for another try
   */
  async upload(
    path: string,
    key: string,
    { reporter, signal }: TransferOptions,
  ): Promise<StoredArchive> {
    const what = `failed to upload to S3: ${key}`;
    try {
      const { size } = await Deno.stat(path);
      reporter.info(`Uploading backup to S3: s3://${this.name}/${key}`, {
        size_human: formatSize(size),
      });
      if (size <= PART_BYTES) {
        await this.#bucket.objects.put(what, key, await Deno.readFile(path), false);
      } else if (!await this.#isThere(what, path, key, size, signal)) {
        await this.#uploadParts(what, { path, key, size }, { reporter, signal });
      }
      const uri = `s3://${this.name}/${key}`;
      const stored = await this.#sizeOf(what, key);
      if (stored === undefined) {
        reporter.warn(
          `${uri} could not be looked at, as the key may only write: that it has arrived whole is ` +
            "what the service has answered to the upload, whose checksums it has verified",
        );
      } else if (stored !== size) {
        throw new ArchiveTransferError(
          `${what}: ${stored} bytes have arrived, and ${size} were sent`,
        );
      }
      reporter.info(`Upload complete: ${uri}`);
      return { uri, bytes: size };
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ArchiveTransferError
        ? error
        : new ArchiveTransferError(messageOf(error), { cause: error });
    }
  }

  /**
   * Downloads an archive into a file that must not exist yet. A connection that breaks is resumed,
   * and an archive that is replaced meanwhile is noticed.
   *
   * @throws {ArchiveTransferError} the file may be there in part
   */
  async download(key: string, path: string, { reporter, signal }: TransferOptions): Promise<void> {
    const what = `failed to download from S3: s3://${this.name}/${key}`;
    try {
      const { size, etag } = await this.#bucket.objects.head(what, key);
      reporter.info(`Downloading backup from S3: s3://${this.name}/${key}`, {
        size_human: formatSize(size),
      });
      using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
      const hash = createHash("md5");
      let arrived = 0;
      if (size > 0) {
        await this.#bucket.objects.stream(
          what,
          key,
          { offset: 0, end: size, etag },
          async (bytes) => {
            signal.throwIfAborted();
            hash.update(bytes);
            await writeAll(file, bytes);
            arrived += bytes.length;
            reporter.progress?.({ component: "download", bytes: arrived, bytesTotal: size });
          },
        );
      }
      const { size: written } = await file.stat();
      if (written !== size) {
        throw new ArchiveTransferError(`${what}: ${written} of ${size} bytes have arrived`);
      }
      // The MD5 of an object in one part; those in several have another one, and others none.
      const digest = hash.digest("hex");
      if (/^[0-9a-f]{32}$/.test(etag) && etag !== digest) {
        reporter.debug(`The ETag ${etag} is not the MD5 of the archive, ${digest}`);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ArchiveTransferError) throw error;
      const missing = isKind(error, "no-object")
        ? `backup file not found: s3://${this.name}/${key}`
        : messageOf(error);
      throw new ArchiveTransferError(missing, { cause: error });
    }
  }

  /** Size of what was uploaded; undefined for who may write and not read. */
  async #sizeOf(what: string, key: string): Promise<number | undefined> {
    try {
      return (await this.#bucket.objects.head(what, key)).size;
    } catch (error) {
      if (isKind(error, "denied")) return undefined;
      throw error;
    }
  }

  /** Whether the very same archive is there already. */
  async #isThere(
    what: string,
    path: string,
    key: string,
    size: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    let found;
    try {
      found = await this.#bucket.objects.head(what, key);
    } catch (error) {
      // Who may only write cannot look; the upload itself does not replace anything either.
      if (isKind(error, "no-object", "denied")) return false;
      throw error;
    }
    const isSame = found.size === size &&
      found.etag === multipartEtag(await localParts(path, size, signal));
    if (isSame) return true;
    throw new ArchiveTransferError(`${what}: another archive of that name is there already`);
  }

  async #uploadParts(
    what: string,
    { path, key, size }: { path: string; key: string; size: number },
    { reporter, signal }: TransferOptions,
  ): Promise<void> {
    const { upload, known } = await this.#findUpload(what, key);
    const parts: S3Part[] = [];
    const numbers = rangesOf(size).values();
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    let resumed = 0;
    let arrived = 0;
    const sendNext = async () => {
      using file = await Deno.open(path);
      for (const { number, offset, length } of numbers) {
        ended.throwIfAborted();
        const bytes = await readRange(file, path, offset, length);
        const there = known.get(number);
        if (there?.size === length && there.etag === md5(bytes)) {
          parts.push(there);
          if (resumed++ === 0) reporter.info("Resuming an earlier upload");
        } else {
          parts.push(await this.#bucket.uploads.sendPart(what, upload, number, bytes, ended));
        }
        arrived += length;
        reporter.progress?.({ component: "upload", bytes: arrived, bytesTotal: size });
      }
    };
    try {
      await Promise.all(
        Array.from({ length: PARTS_UNDER_WAY }, () =>
          sendNext().catch((error) => {
            stop.abort(error);
            throw error;
          })),
      );
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    }
    parts.sort((a, b) => a.number - b.number);
    await this.#bucket.uploads.complete(what, upload, parts);
  }

  /** The upload of that key that has begun last, or a new one. */
  async #findUpload(
    what: string,
    key: string,
  ): Promise<{ upload: S3OpenUpload; known: Map<number, S3Part> }> {
    let latest: S3Upload | undefined;
    try {
      for await (const upload of this.#bucket.uploads.list(what, key)) {
        if (upload.key !== key) continue;
        if (latest === undefined || upload.startedMs >= latest.startedMs) latest = upload;
      }
      if (latest !== undefined) {
        const known = await this.#bucket.uploads.parts(what, latest);
        return { upload: latest, known: new Map(known.map((part) => [part.number, part])) };
      }
    } catch (error) {
      // Who may not list uploads, or whose service cannot, starts anew.
      if (!isKind(error, "denied", "unsupported", "no-upload")) throw error;
    }
    return { upload: await this.#bucket.uploads.start(what, key), known: new Map() };
  }
}

/** The parts of an archive; the same for every upload of it. */
function rangesOf(size: number): { number: number; offset: number; length: number }[] {
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / MAXIMUM_PARTS / MIB) * MIB);
  return Array.from({ length: Math.ceil(size / partBytes) }, (_, index) => ({
    number: index + 1,
    offset: index * partBytes,
    length: Math.min(partBytes, size - index * partBytes),
  }));
}

async function localParts(path: string, size: number, signal: AbortSignal): Promise<S3Part[]> {
  using file = await Deno.open(path);
  const parts: S3Part[] = [];
  for (const { number, offset, length } of rangesOf(size)) {
    signal.throwIfAborted();
    parts.push({ number, etag: md5(await readRange(file, path, offset, length)), size: length });
  }
  return parts;
}

async function readRange(
  file: Deno.FsFile,
  path: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) throw new ArchiveTransferError(`${path} has become shorter`);
    filled += count;
  }
  return bytes;
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
