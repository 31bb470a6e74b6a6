import { createHash } from "node:crypto";
import { METADATA_VERSION, type WriteArchiveOptions } from "../../../src/archive/mod.ts";

/** Where the archives of the Go tool lie. */
export const FIXTURES = new URL("../../fixtures/archive/", import.meta.url).pathname;

/** Metadata for archives made by tests. */
export const METADATA: WriteArchiveOptions["metadata"] = {
  metadataVersion: METADATA_VERSION,
  backupId: "infrahub_backup_20260318_143002",
  createdAt: "2026-03-18T13:30:02Z",
  toolVersion: "v1.0.0",
  infrahubVersion: "1.5.0",
  components: ["database", "task-manager-db"],
  neo4jEdition: "community",
  redacted: false,
};

/** Runs a test with a directory of its own, which is removed afterwards. */
export async function withTempDirectory(
  action: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infrahub_archive_" });
  try {
    await action(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Names in a directory, sorted. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}

/** Reads a stream to its end. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts = await Array.fromAsync(stream);
  return concat(...parts);
}

/** All bytes in a row. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** UTF-8. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

/** A stream of these bytes, in pieces of this size. */
export function streamOf(bytes: Uint8Array, pieceBytes = 65_536): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

/** Bytes that no compressor makes smaller, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** Lower-case hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What an entry of a tar made by hand is. */
export interface RawEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** @default {"0"}, a file */
  readonly type?: string;
  readonly linkName?: string;
  /** Announced size, when it is not that of the content. */
  readonly size?: number;
}

/** The bytes of one entry in the ustar format, written without the library under test. */
export function rawEntry(
  { name, content = "", type = "0", linkName = "", size }: RawEntry,
): Uint8Array {
  const body = typeof content === "string" ? bytesOf(content) : content;
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(bytesOf(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${(size ?? body.length).toString(8).padStart(11, "0")}\0`);
  put(136, "14667001012\0");
  put(148, " ".repeat(8));
  put(156, type);
  put(157, linkName);
  put(257, "ustar\0" + "00");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return concat(header, body, new Uint8Array(-body.length & 511));
}

/** A pax header for the entry that follows it. */
export function rawPax(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length++;
  return rawEntry({ name: "PaxHeaders/x", type: "x", content: `${length}${rest}` });
}

/** A whole tar. */
export function rawTar(entries: readonly (RawEntry | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = entries.map((entry) => entry instanceof Uint8Array ? entry : rawEntry(entry));
  return concat(...parts, new Uint8Array(1024));
}

/** Compresses. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([new Uint8Array(bytes)]).stream();
  return concat(await readAll(stream.pipeThrough(new CompressionStream("gzip"))));
}

/** `backup_information.json` for files given as name and content. */
export function metadataEntry(
  files: Readonly<Record<string, string>>,
  fields: Record<string, unknown> = {},
): RawEntry {
  const checksums = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, sha256(content)]),
  );
  const content = JSON.stringify({
    metadata_version: METADATA_VERSION,
    backup_id: "infrahub_backup_20260318_143002",
    components: ["database"],
    checksums,
    ...fields,
  });
  return { name: "backup/backup_information.json", content };
}
