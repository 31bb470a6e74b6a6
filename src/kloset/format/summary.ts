import { MsgpackWriter, type StructPair } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";

/**
 * Numbers about the direct children of a directory. Sizes in bytes, times in seconds since 1970.
 */
export interface DirectorySummary {
  directories: number;
  files: number;
  symlinks: number;
  devices: number;
  pipes: number;
  sockets: number;
  children: number;
  setuid: number;
  setgid: number;
  sticky: number;
  objects: number;
  chunks: number;
  minSize: number;
  maxSize: number;
  averageSize: number;
  size: number;
  minModTime: number;
  maxModTime: number;
  minEntropy: number;
  maxEntropy: number;
  sumEntropy: number;
  averageEntropy: number;
  /** Files of 7 bits per byte or more. */
  highEntropy: number;
  /** Files of 2 bits per byte or less. */
  lowEntropy: number;
  mimeAudio: number;
  mimeVideo: number;
  mimeImage: number;
  mimeText: number;
  mimeApplication: number;
  mimeOther: number;
  errors: number;
}

/** Numbers about everything below the direct children. */
export type BelowSummary = Omit<
  DirectorySummary,
  "averageSize" | "sumEntropy" | "averageEntropy"
>;

/** What a directory holds. Only for display. */
export interface Summary {
  readonly directory: Readonly<DirectorySummary>;
  readonly below: Readonly<BelowSummary>;
}

type Kind = "count" | "seconds" | "float";
type Field<Name> = readonly [name: Name, key: string, kind: Kind];

/** Every number with its key, in the format's order. */
const DIRECTORY_FIELDS: readonly Field<keyof DirectorySummary>[] = [
  ["directories", "directories", "count"],
  ["files", "files", "count"],
  ["symlinks", "symlinks", "count"],
  ["devices", "devices", "count"],
  ["pipes", "pipes", "count"],
  ["sockets", "sockets", "count"],
  ["children", "children", "count"],
  ["setuid", "setuid", "count"],
  ["setgid", "setgid", "count"],
  ["sticky", "sticky", "count"],
  ["objects", "objects", "count"],
  ["chunks", "chunks", "count"],
  ["minSize", "min_size", "count"],
  ["maxSize", "max_size", "count"],
  ["averageSize", "avg_size", "count"],
  ["size", "size", "count"],
  ["minModTime", "min_mod_time", "seconds"],
  ["maxModTime", "max_mod_time", "seconds"],
  ["minEntropy", "min_entropy", "float"],
  ["maxEntropy", "max_entropy", "float"],
  ["sumEntropy", "sum_entropy", "float"],
  ["averageEntropy", "avg_entropy", "float"],
  ["highEntropy", "hi_entropy", "count"],
  ["lowEntropy", "lo_entropy", "count"],
  ["mimeAudio", "MIME_audio", "count"],
  ["mimeVideo", "MIME_video", "count"],
  ["mimeImage", "MIME_image", "count"],
  ["mimeText", "MIME_text", "count"],
  ["mimeApplication", "MIME_application", "count"],
  ["mimeOther", "MIME_other", "count"],
  ["errors", "errors", "count"],
];

const BELOW_FIELDS: readonly Field<keyof BelowSummary>[] = DIRECTORY_FIELDS.filter(isBelowField);

function isBelowField(
  field: Field<keyof DirectorySummary>,
): field is Field<keyof BelowSummary> {
  return !["averageSize", "sumEntropy", "averageEntropy"].includes(field[0]);
}

/** Numbers of an empty directory. */
export function emptyDirectorySummary(): DirectorySummary {
  return { ...emptyBelowSummary(), averageSize: 0, sumEntropy: 0, averageEntropy: 0 };
}

/** Numbers below a directory without subdirectories. */
export function emptyBelowSummary(): BelowSummary {
  return {
    directories: 0,
    files: 0,
    symlinks: 0,
    devices: 0,
    pipes: 0,
    sockets: 0,
    children: 0,
    setuid: 0,
    setgid: 0,
    sticky: 0,
    objects: 0,
    chunks: 0,
    minSize: 0,
    maxSize: 0,
    size: 0,
    minModTime: 0,
    maxModTime: 0,
    minEntropy: 0,
    maxEntropy: 0,
    highEntropy: 0,
    lowEntropy: 0,
    mimeAudio: 0,
    mimeVideo: 0,
    mimeImage: 0,
    mimeText: 0,
    mimeApplication: 0,
    mimeOther: 0,
    errors: 0,
  };
}

/** Writes a summary as a part of another structure. */
export function writeSummary(writer: MsgpackWriter, summary: Summary): void {
  const directory = DIRECTORY_FIELDS.map(([name, key, kind]) =>
    pair(key, kind, summary.directory[name], false)
  ).filter((field) => field !== false);
  const below = BELOW_FIELDS.map(([name, key, kind]) =>
    // The one field of the format that is written even when zero.
    pair(key, kind, summary.below[name], name === "errors")
  );
  writer.struct([
    directory.length > 0 && ["directory", (w) => w.struct(directory)],
    ["below", (w) => w.struct(below)],
  ]);
}

function pair(key: string, kind: Kind, value: number, always: boolean): StructPair {
  if (value === 0 && !always) return false;
  if (kind === "float") return [key, (w) => w.float64(value)];
  return [key, kind === "seconds" ? (w) => w.int64(value) : (w) => w.uint64(value)];
}

/** The VFS_SUMMARY blob. */
export function encodeSummary(summary: Summary): Uint8Array {
  const writer = new MsgpackWriter();
  writeSummary(writer, summary);
  return writer.finish();
}

/** Keys of a summary in declaration order. */
export const SUMMARY_FIELDS: readonly string[] = ["directory", "below"];
const DIRECTORY_KEYS = DIRECTORY_FIELDS.map(([, key]) => key);
const BELOW_KEYS = BELOW_FIELDS.map(([, key]) => key);

/**
 * Reads a summary out of another structure.
 *
 * @throws {FormatError} If it is malformed.
 */
export function readSummary(fields: StructReader): Summary {
  const directory = emptyDirectorySummary();
  const directoryFields = fields.struct("directory", DIRECTORY_KEYS);
  for (const [name, key, kind] of DIRECTORY_FIELDS) {
    directory[name] = readNumber(directoryFields, key, kind);
  }
  const below = emptyBelowSummary();
  const belowFields = fields.struct("below", BELOW_KEYS);
  for (const [name, key, kind] of BELOW_FIELDS) below[name] = readNumber(belowFields, key, kind);
  return { directory, below };
}

function readNumber(fields: StructReader, key: string, kind: Kind): number {
  if (kind === "float") return fields.float(key);
  return kind === "seconds" ? fields.int(key) : fields.size(key);
}

/**
 * Reads a VFS_SUMMARY blob.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeSummary(bytes: Uint8Array): Summary {
  return readSummary(StructReader.fromBytes(bytes, SUMMARY_FIELDS, "summary"));
}
