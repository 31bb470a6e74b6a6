/**
 * The header of a snapshot: the blob from which everything else in it is reached.
 *
 * @module
 */

import type { Mac } from "./mac.ts";
import { encodeStruct, type MsgpackWriter } from "./msgpack_writer.ts";
import { StructReader } from "./struct_reader.ts";
import { readSummary, type Summary, SUMMARY_FIELDS, writeSummary } from "./summary.ts";
import type { Uuid } from "./uuid.ts";

/** A labelled text. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** What the snapshot was made from. */
export interface Importer {
  readonly type: string;
  /** Usually a host name. */
  readonly origin: string;
  /** The base of relative paths; exists in the tree. */
  readonly directory: string;
}

/** A tree beside the VFS. */
export interface HeaderIndex {
  /** `content-type`, `dirpack` or `summary`. */
  readonly name: string;
  /** `btree`. */
  readonly type: string;
  /** The BTREE_ROOT blob. */
  readonly value: Mac;
}

/** One imported tree. */
export interface HeaderSource {
  readonly importer: Importer;
  readonly context: readonly KeyValue[];
  /** The VFS_BTREE blob. */
  readonly root: Mac;
  /** The XATTR_BTREE blob. */
  readonly xattrs: Mac;
  /** The ERROR_BTREE blob. */
  readonly errors: Mac;
  readonly indexes: readonly HeaderIndex[];
  /** Of the directory `/`. */
  readonly summary: Summary;
}

/** What a classifier found; not written by this program. */
export interface HeaderClassification {
  readonly analyzer: string;
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

/** The content of a SNAPSHOT blob. */
export interface Header {
  /** Version word. */
  readonly version: number;
  /** The snapshot's id; random. */
  readonly identifier: Mac;
  /** Start of the backup, nanoseconds since 1970. */
  readonly timestampNs: bigint;
  readonly durationNs: bigint;
  readonly identity: { readonly identifier: Uuid; readonly publicKey: Uint8Array | undefined };
  readonly name: string;
  readonly category: string;
  readonly environment: string;
  readonly perimeter: string;
  readonly job: string;
  readonly replicas: number;
  /** Not in headers of versions before 1.1.3. */
  readonly dataset: string;
  /** Not in headers of versions before 1.1.3. */
  readonly dataClasses: readonly string[];
  readonly classifications: readonly HeaderClassification[];
  readonly tags: readonly string[];
  readonly context: readonly KeyValue[];
  /** At least one: the Go tool fails on a header without. */
  readonly sources: readonly HeaderSource[];
}

/** The SNAPSHOT blob, with the 17 fields of version 1.1.3. */
export function encodeHeader(header: Header): Uint8Array {
  const { identity } = header;
  return encodeStruct([
    ["version", (w) => w.uint32(header.version)],
    ["identifier", (w) => w.mac(header.identifier)],
    ["timestamp", (w) => w.time(header.timestampNs)],
    ["duration", (w) => w.int64(header.durationNs)],
    ["identity", (w) =>
      w.struct([
        ["identifier", (w) => w.bytes(identity.identifier)],
        ["public_key", (w) => w.bytes(identity.publicKey)],
      ])],
    ["name", (w) => w.string(header.name)],
    ["category", (w) => w.string(header.category)],
    ["environment", (w) => w.string(header.environment)],
    ["perimeter", (w) => w.string(header.perimeter)],
    ["job", (w) => w.string(header.job)],
    ["replicas", (w) => w.uint32(header.replicas)],
    ["dataset", (w) => w.string(header.dataset)],
    ["data_classes", (w) => w.array(header.dataClasses, (name) => w.string(name))],
    ["classifications", (w) =>
      w.array(header.classifications, (classification) =>
        w.struct([
          ["analyzer", (w) => w.string(classification.analyzer)],
          ["classes", (w) =>
            w.array(classification.classes, (item) =>
              w.struct([
                ["name", (w) => w.string(item.name)],
                ["probability", (w) => w.float64(item.probability)],
              ]))],
        ]))],
    ["tags", (w) => w.array(header.tags, (tag) => w.string(tag))],
    ["context", (w) => writeKeyValues(w, header.context)],
    ["sources", (w) => w.array(header.sources, (source) => writeSource(w, source))],
  ]);
}

function writeSource(writer: MsgpackWriter, source: HeaderSource): void {
  writer.struct([
    ["importer", (w) =>
      w.struct([
        ["type", (w) => w.string(source.importer.type)],
        ["origin", (w) => w.string(source.importer.origin)],
        ["directory", (w) => w.string(source.importer.directory)],
      ])],
    ["context", (w) => writeKeyValues(w, source.context)],
    ["root", (w) =>
      w.struct([
        ["root", (w) => w.mac(source.root)],
        ["xattrs", (w) => w.mac(source.xattrs)],
        ["errors", (w) => w.mac(source.errors)],
      ])],
    ["indexes", (w) =>
      w.array(source.indexes, (index) =>
        w.struct([
          ["name", (w) => w.string(index.name)],
          ["type", (w) => w.string(index.type)],
          ["value", (w) => w.mac(index.value)],
        ]))],
    ["summary", (w) => writeSummary(w, source.summary)],
  ]);
}

function writeKeyValues(writer: MsgpackWriter, items: readonly KeyValue[]): void {
  writer.array(items, (item) =>
    writer.struct([
      ["key", (w) => w.string(item.key)],
      ["value", (w) => w.string(item.value)],
    ]));
}

const FIELDS = [
  "version",
  "identifier",
  "timestamp",
  "duration",
  "identity",
  "name",
  "category",
  "environment",
  "perimeter",
  "job",
  "replicas",
  "dataset",
  "data_classes",
  "classifications",
  "tags",
  "context",
  "sources",
];

/**
 * Reads a SNAPSHOT blob, with 17 fields or the 15 of earlier versions.
 *
 * @throws {FormatError} If it is malformed.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const fields = StructReader.fromBytes(bytes, FIELDS, "snapshot header");
  const identity = fields.struct("identity", ["identifier", "public_key"]);
  return {
    version: fields.uint("version", 32),
    identifier: fields.mac("identifier"),
    timestampNs: fields.time("timestamp"),
    durationNs: fields.int64("duration"),
    identity: {
      identifier: identity.uuid("identifier"),
      publicKey: identity.bytes("public_key"),
    },
    name: fields.string("name"),
    category: fields.string("category"),
    environment: fields.string("environment"),
    perimeter: fields.string("perimeter"),
    job: fields.string("job"),
    replicas: fields.uint("replicas", 32),
    dataset: fields.string("dataset"),
    dataClasses: fields.strings("data_classes"),
    classifications: fields.structs("classifications", ["analyzer", "classes"], (item) => ({
      analyzer: item.string("analyzer"),
      classes: item.structs("classes", ["name", "probability"], (entry) => ({
        name: entry.string("name"),
        probability: entry.float("probability"),
      })),
    })),
    tags: fields.strings("tags"),
    context: readKeyValues(fields),
    sources: fields.structs(
      "sources",
      ["importer", "context", "root", "indexes", "summary"],
      readSource,
    ),
  };
}

function readSource(fields: StructReader): HeaderSource {
  const importer = fields.struct("importer", ["type", "origin", "directory"]);
  const trees = fields.struct("root", ["root", "xattrs", "errors"]);
  return {
    importer: {
      type: importer.string("type"),
      origin: importer.string("origin"),
      directory: importer.string("directory"),
    },
    context: readKeyValues(fields),
    root: trees.mac("root"),
    xattrs: trees.mac("xattrs"),
    errors: trees.mac("errors"),
    indexes: fields.structs("indexes", ["name", "type", "value"], (index) => ({
      name: index.string("name"),
      type: index.string("type"),
      value: index.mac("value"),
    })),
    summary: readSummary(fields.struct("summary", SUMMARY_FIELDS)),
  };
}

function readKeyValues(fields: StructReader): KeyValue[] {
  return fields.structs("context", ["key", "value"], (item) => ({
    key: item.string("key"),
    value: item.string("value"),
  }));
}
