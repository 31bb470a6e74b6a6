import { dateFromNs, type Header, type KeyValue, macToHex } from "../format/mod.ts";

/** What a snapshot says about itself. */
export interface SnapshotHeader {
  /** The snapshot's id, 64 hex digits. */
  readonly identifier: string;
  /** Start of the backup. */
  readonly timestamp: Date;
  readonly durationNs: bigint;
  readonly name: string;
  readonly category: string;
  readonly environment: string;
  readonly perimeter: string;
  readonly job: string;
  readonly tags: readonly string[];
  readonly context: readonly KeyValue[];
  /** What the snapshot was made from. */
  readonly importer: { readonly type: string; readonly origin: string; readonly directory: string };
}

/** The part of a header that is of use outside the engine. */
export function snapshotHeaderOf(header: Header): SnapshotHeader {
  const source = header.sources[0];
  return {
    identifier: macToHex(header.identifier),
    timestamp: dateFromNs(header.timestampNs),
    durationNs: header.durationNs,
    name: header.name,
    category: header.category,
    environment: header.environment,
    perimeter: header.perimeter,
    job: header.job,
    tags: header.tags,
    context: header.context,
    importer: source?.importer ?? { type: "", origin: "", directory: "/" },
  };
}

/**
 * A header as the index cache keeps it. JSON, which the runtime parses itself: a list of thousands of
 * snapshots takes half as long as with the headers of the format.
 */
export function encodeCachedHeader(header: SnapshotHeader): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({
    ...header,
    timestamp: header.timestamp.getTime(),
    durationNs: String(header.durationNs),
  }));
}

/** Undoes {@linkcode encodeCachedHeader}; undefined: the bytes are of another layout of the cache. */
export function decodeCachedHeader(bytes: Uint8Array): SnapshotHeader | undefined {
  if (bytes[0] !== OPENING_BRACE) return undefined;
  const header = JSON.parse(DECODER.decode(bytes));
  // What is no date is null in JSON.
  header.timestamp = new Date(header.timestamp ?? NaN);
  header.durationNs = BigInt(header.durationNs);
  return header;
}

const DECODER = new TextDecoder();

const OPENING_BRACE = 0x7b;
