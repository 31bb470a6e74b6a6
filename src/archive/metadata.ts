import { messageOf } from "../errors/mod.ts";
import { compareText } from "./tar/mod.ts";
import { DamagedArchiveError } from "./errors.ts";

/** Version of the layout of {@linkcode BackupMetadata}, as the Go tool writes it. */
export const METADATA_VERSION = 2025111200;

/** Value of `dump_format` for dumps that were stored as they came. */
const RAW_DUMPS = "raw";

/** Content of `backup_information.json`. */
export interface BackupMetadata {
  /** Usually {@linkcode METADATA_VERSION}; readers compare it with nothing. */
  readonly metadataVersion: number;
  /** `infrahub_backup_<YYYYMMDD_HHMMSS>`. */
  readonly backupId: string;
  /** UTC, RFC 3339, to the second. */
  readonly createdAt: string;
  readonly toolVersion: string;
  readonly infrahubVersion: string;
  /** `database`, and `task-manager-db` unless that was excluded. */
  readonly components: readonly string[];
  /** Path relative to `backup/` to lower-case hex SHA-256. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Lower case; empty when it is not known. */
  readonly neo4jEdition: string;
  readonly redacted: boolean;
  readonly encrypted: boolean;
  /** Whose backup it is, in texts by name; the Go tool does not write it, and passes over it. */
  readonly origin?: Readonly<Record<string, string | undefined>>;
  /** What is known of the data, in texts by name; the Go tool passes over them as well. */
  readonly data?: Readonly<Record<string, string | undefined>>;
  /** Whether nobody has looked into the dumps: recorded as repositories do. */
  readonly rawDumps?: boolean;
}

/**
 * Encodes metadata as the Go tool does, byte for byte: key order, indent of four, sorted checksums,
 * empty checksums, empty edition and false flags left out, no newline at the end. What the Go tool
 * does not know comes last.
 */
export function encodeMetadata(metadata: BackupMetadata): Uint8Array {
  const fields: [key: string, value: string][] = [
    ["metadata_version", String(metadata.metadataVersion)],
    ["backup_id", quote(metadata.backupId)],
    ["created_at", quote(metadata.createdAt)],
    ["tool_version", quote(metadata.toolVersion)],
    ["infrahub_version", quote(metadata.infrahubVersion)],
    ["components", block("[", metadata.components.map(quote), "]")],
  ];
  if (metadata.checksums.size > 0) {
    const checksums = [...metadata.checksums].sort(([a], [b]) => compareText(a, b));
    const lines = checksums.map(([name, sum]) => `${quote(name)}: ${quote(sum)}`);
    fields.push(["checksums", block("{", lines, "}")]);
  }
  if (metadata.neo4jEdition !== "") fields.push(["neo4j_edition", quote(metadata.neo4jEdition)]);
  if (metadata.redacted) fields.push(["redacted", "true"]);
  if (metadata.encrypted) fields.push(["encrypted", "true"]);
  for (const key of ["origin", "data"] as const) {
    const texts = metadata[key];
    if (texts === undefined) continue;
    const lines = Object.entries(texts).flatMap(([name, value]) =>
      value === undefined ? [] : [`${quote(name)}: ${quote(value)}`]
    );
    fields.push([key, block("{", lines, "}")]);
  }
  if (metadata.rawDumps) fields.push(["dump_format", quote(RAW_DUMPS)]);
  const lines = fields.map(([key, value]) => `    ${quote(key)}: ${value}`);
  return new TextEncoder().encode(`{\n${lines.join(",\n")}\n}`);
}

function block(open: string, lines: readonly string[], close: string): string {
  if (lines.length === 0) return open + close;
  return `${open}\n${lines.map((line) => `        ${line}`).join(",\n")}\n    ${close}`;
}

/** A JSON string; Go escapes what is special in HTML and JavaScript as well. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Decodes metadata leniently, as the Go tool does: unknown keys are passed over, and absent or null
 * ones are empty.
 *
 * @throws {DamagedArchiveError} `failed to parse metadata: …` when it is no JSON object, or a field
 * has another type than it should
 */
export function decodeMetadata(bytes: Uint8Array): BackupMetadata {
  const fields = parseObject(bytes);
  const text = (key: string) => typed(fields, key, "", isText, "a string");
  const flag = (key: string) => typed(fields, key, false, isFlag, "a boolean");
  const checksums = typed(fields, "checksums", {}, isTextRecord, "an object of strings");
  return {
    metadataVersion: typed(fields, "metadata_version", 0, isInteger, "an integer"),
    backupId: text("backup_id"),
    createdAt: text("created_at"),
    toolVersion: text("tool_version"),
    infrahubVersion: text("infrahub_version"),
    components: typed(fields, "components", [], isTextArray, "an array of strings"),
    checksums: new Map(Object.entries(checksums)),
    neo4jEdition: text("neo4j_edition"),
    redacted: flag("redacted"),
    encrypted: flag("encrypted"),
    // Nothing that a restore needs: of another kind it is nobody's.
    ...(isTextRecord(fields.origin) ? { origin: fields.origin } : {}),
    ...(isTextRecord(fields.data) ? { data: fields.data } : {}),
    ...(fields.dump_format === RAW_DUMPS ? { rawDumps: true } : {}),
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    const reason = messageOf(error);
    throw new DamagedArchiveError(`failed to parse metadata: ${reason}`, { cause: error });
  }
  if (!isRecord(value)) {
    throw new DamagedArchiveError("failed to parse metadata: it is not a JSON object");
  }
  return value;
}

function typed<Value>(
  fields: Record<string, unknown>,
  key: string,
  absent: Value,
  isValue: (value: unknown) => value is Value,
  expected: string,
): Value {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return absent;
  if (!isValue(value)) {
    throw new DamagedArchiveError(`failed to parse metadata: "${key}" is not ${expected}`);
  }
  return value;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isTextArray = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTextRecord = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every(isText);
