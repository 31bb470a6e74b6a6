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
