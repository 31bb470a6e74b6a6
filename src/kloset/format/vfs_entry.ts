import { type Mac, NIL_MAC } from "./mac.ts";
import { encodeStruct, type StructPair } from "./msgpack_writer.ts";
import { cleanPath } from "./path.ts";
import { StructReader } from "./struct_reader.ts";
import { readSummary, type Summary, SUMMARY_FIELDS, writeSummary } from "./summary.ts";
import { ZERO_TIME_NS } from "./timestamp.ts";
import { VERSION_1_0_0 } from "./version.ts";

/** What the file system said about an entry. */
export interface FileInfo {
  /** Base name; `/` for the root. The Go tool wrote names with a leading slash: see `entryPath`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Go file mode: see `file_mode.ts`. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly modTimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly nlink: number;
  readonly username: string;
  readonly groupname: string;
  readonly flags: number;
}

/** What a classifier found; not written by this program. */
export interface EntryClassification {
  readonly analyzer: string;
  readonly classes: readonly string[];
  readonly scores: readonly { readonly key: string; readonly value: number }[];
}

/** A file, directory, symbolic link or other entry of a snapshot. */
export interface VfsEntry {
  /** Version word. */
  readonly version: number;
  /** Path of the directory; `/` for the root itself. */
  readonly parentPath: string;
  readonly fileInfo: FileInfo;
  /** Of directories written by versions 1.0; later ones keep summaries apart. */
  readonly summary: Summary | undefined;
  /** Empty unless a symbolic link. */
  readonly symlinkTarget: string;
  /** The OBJECT with the content; all zero for anything but regular files. */
  readonly object: Mac;
  /** MIME type. Empty for directories, and for all entries written by versions 1.0. */
  readonly contentType: string;
  /** Bits per byte; 0 in entries written by versions 1.0. */
  readonly entropy: number;
  /** Number of chunks of the object; 0 in entries written by versions 1.0. */
  readonly chunks: number;
  readonly alternateDataStreams: readonly string[];
  readonly securityDescriptor: Uint8Array;
  readonly fileAttributes: number;
  /** Names, sorted. */
  readonly extendedAttributes: readonly string[];
  readonly classifications: readonly EntryClassification[];
  readonly customMetadata: readonly {
    readonly key: string;
    readonly value: Uint8Array | undefined;
  }[];
  readonly tags: readonly string[];
}

/** File information with everything empty but what is given. */
export function newFileInfo(info: Partial<FileInfo> & Pick<FileInfo, "name" | "mode">): FileInfo {
  return {
    size: 0,
    modTimeNs: ZERO_TIME_NS,
    dev: 0n,
    ino: 0n,
    uid: 0n,
    gid: 0n,
    nlink: 0,
    username: "",
    groupname: "",
    flags: 0,
    ...info,
  };
}

/** An entry with everything empty but what is given. */
export function newVfsEntry(
  entry: Partial<VfsEntry> & Pick<VfsEntry, "parentPath" | "fileInfo">,
): VfsEntry {
  return {
    version: VERSION_1_0_0,
    summary: undefined,
    symlinkTarget: "",
    object: NIL_MAC,
    contentType: "",
    entropy: 0,
    chunks: 0,
    alternateDataStreams: [],
    securityDescriptor: new Uint8Array(0),
    fileAttributes: 0,
    extendedAttributes: [],
    classifications: [],
    customMetadata: [],
    tags: [],
    ...entry,
  };
}

/** The clean absolute path of an entry, also of one whose name has a leading slash. */
export function entryPath(entry: VfsEntry): string {
  return cleanPath(`${entry.parentPath}/${entry.fileInfo.name}`);
}

/** The VFS_ENTRY blob. */
export function encodeVfsEntry(entry: VfsEntry): Uint8Array {
  const { fileInfo, summary } = entry;
  const strings = (key: string, values: readonly string[]): StructPair =>
    values.length > 0 && [key, (w) => w.array(values, (value) => w.string(value))];
  return encodeStruct([
    ["version", (w) => w.uint32(entry.version)],
    ["parent_path", (w) => w.string(entry.parentPath)],
    ["file_info", (w) =>
      w.struct([
        ["name", (w) => w.string(fileInfo.name)],
        ["size", (w) => w.int64(fileInfo.size)],
        ["mode", (w) => w.uint32(fileInfo.mode)],
        ["mod_time", (w) => w.time(fileInfo.modTimeNs)],
        ["dev", (w) => w.uint64(fileInfo.dev)],
        ["ino", (w) => w.uint64(fileInfo.ino)],
        ["uid", (w) => w.uint64(fileInfo.uid)],
        ["gid", (w) => w.uint64(fileInfo.gid)],
        ["nlink", (w) => w.uint16(fileInfo.nlink)],
        ["username", (w) => w.string(fileInfo.username)],
        ["groupname", (w) => w.string(fileInfo.groupname)],
        ["flags", (w) => w.uint32(fileInfo.flags)],
      ])],
    ["summary", (w) => summary === undefined ? w.nil() : writeSummary(w, summary)],
    entry.symlinkTarget !== "" && ["symlink_target", (w) => w.string(entry.symlinkTarget)],
    ["object", (w) => w.mac(entry.object)],
    entry.contentType !== "" && ["content_type", (w) => w.string(entry.contentType)],
    entry.entropy !== 0 && ["entropy", (w) => w.float64(entry.entropy)],
    entry.chunks !== 0 && ["chunks", (w) => w.uint64(entry.chunks)],
    strings("alternate_data_streams", entry.alternateDataStreams),
    entry.securityDescriptor.length > 0 &&
    ["security_descriptor", (w) => w.bytes(entry.securityDescriptor)],
    entry.fileAttributes !== 0 && ["file_attributes", (w) => w.uint32(entry.fileAttributes)],
    strings("extended_attributes", entry.extendedAttributes),
    entry.classifications.length > 0 &&
    ["classifications", (w) =>
      w.array(entry.classifications, (classification) =>
        w.struct([
          ["analyzer", (w) => w.string(classification.analyzer)],
          ["classes", (w) => w.array(classification.classes, (name) => w.string(name))],
          ["scores", (w) =>
            w.array(classification.scores, (score) =>
              w.struct([
                ["key", (w) => w.string(score.key)],
                ["value", (w) => w.float64(score.value)],
              ]))],
        ]))],
    entry.customMetadata.length > 0 &&
    ["custom_metadata", (w) =>
      w.array(entry.customMetadata, (item) =>
        w.struct([
          ["key", (w) => w.string(item.key)],
          ["value", (w) => w.bytes(item.value)],
        ]))],
    strings("tags", entry.tags),
  ]);
}

const FIELDS = [
  "version",
  "parent_path",
  "file_info",
  "summary",
  "symlink_target",
  "object",
  "content_type",
  "entropy",
  "chunks",
  "alternate_data_streams",
  "security_descriptor",
  "file_attributes",
  "extended_attributes",
  "classifications",
  "custom_metadata",
  "tags",
];
const FILE_INFO_FIELDS = [
  "name",
  "size",
  "mode",
  "mod_time",
  "dev",
  "ino",
  "uid",
  "gid",
  "nlink",
  "username",
  "groupname",
  "flags",
];

/**
 * Reads a VFS_ENTRY blob, of versions 1.0 and 1.1.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeVfsEntry(bytes: Uint8Array): VfsEntry {
  const fields = StructReader.fromBytes(bytes, FIELDS, "VFS entry");
  return {
    version: fields.uint("version", 32),
    parentPath: fields.string("parent_path"),
    fileInfo: readFileInfo(fields.struct("file_info", FILE_INFO_FIELDS)),
    summary: fields.has("summary")
      ? readSummary(fields.struct("summary", SUMMARY_FIELDS))
      : undefined,
    symlinkTarget: fields.string("symlink_target"),
    object: fields.mac("object"),
    contentType: fields.string("content_type"),
    entropy: fields.float("entropy"),
    chunks: fields.size("chunks"),
    alternateDataStreams: fields.strings("alternate_data_streams"),
    securityDescriptor: fields.bytes("security_descriptor") ?? new Uint8Array(0),
    fileAttributes: fields.uint("file_attributes", 32),
    extendedAttributes: fields.strings("extended_attributes"),
    classifications: fields.structs(
      "classifications",
      ["analyzer", "classes", "scores"],
      (item) => ({
        analyzer: item.string("analyzer"),
        classes: item.strings("classes"),
        scores: item.structs("scores", ["key", "value"], (score) => ({
          key: score.string("key"),
          value: score.float("value"),
        })),
      }),
    ),
    customMetadata: fields.structs("custom_metadata", ["key", "value"], (item) => ({
      key: item.string("key"),
      value: item.bytes("value"),
    })),
    tags: fields.strings("tags"),
  };
}

function readFileInfo(fields: StructReader): FileInfo {
  return {
    name: fields.string("name"),
    size: fields.size("size"),
    mode: fields.uint("mode", 32),
    modTimeNs: fields.time("mod_time"),
    dev: fields.uint64("dev"),
    ino: fields.uint64("ino"),
    uid: fields.uint64("uid"),
    gid: fields.uint64("gid"),
    nlink: fields.uint("nlink", 16),
    username: fields.string("username"),
    groupname: fields.string("groupname"),
    flags: fields.uint("flags", 32),
  };
}
