import type { Component, Neo4jEdition } from "../component.ts";
import { type DataFacts, dataFields, factsOf, readDataFields } from "../data_facts.ts";
import { type BackupOrigin, originTags } from "../origin/mod.ts";

/** What all snapshots of one backup have in common. */
export interface BackupDescription {
  /** Local time as `YYYYMMDD_HHMMSS`. */
  readonly backupId: string;
  /** Every component that the backup is to have. */
  readonly components: readonly Component[];
  readonly neo4jEdition: Neo4jEdition;
  /** Version of Infrahub as given; may be empty. */
  readonly infrahubVersion: string;
  /** Version of this tool. */
  readonly toolVersion: string;
  /** Whether attribute values were replaced before the backup. */
  readonly redacted: boolean;
  /** Whose it is; undefined in an incomplete backup of an earlier version that is resumed. */
  readonly origin?: BackupOrigin;
  /**
   * A backup that is there already and has a later date, although it was made before: the clock of
   * one of both was wrong.
   */
  readonly madeAfter?: string;
  /** Undefined where nobody has asked. */
  readonly data?: DataFacts;
  /** Whether the dumps are stored as they came, without a look at whether they are whole. */
  readonly rawDumps?: boolean;
}

/** What a snapshot's tags say; a field is undefined when its tag is missing. */
export interface SnapshotTags {
  readonly backupId: string | undefined;
  readonly component: string | undefined;
  readonly infrahubVersion: string | undefined;
  readonly toolVersion: string | undefined;
  readonly neo4jEdition: string | undefined;
  readonly components: readonly string[] | undefined;
  readonly redacted: boolean;
  /** Of this component. */
  readonly data: DataFacts;
  /** See {@linkcode BackupDescription.rawDumps}. */
  readonly rawDumps: boolean;
}

const DATA = "infrahub.data.";
const MADE_AFTER = "infrahub.made-after=";

/**
 * The tags of one component's snapshot, in the order in which the Go tool writes them; those that it
 * does not know come last.
 */
export function buildTags(backup: BackupDescription, component: Component): string[] {
  return [
    `infrahub.backup-id=${backup.backupId}`,
    `infrahub.component=${component}`,
    // Always this: whether a group is complete is found out from its snapshots.
    "infrahub.backup-status=complete",
    `infrahub.version=${backup.infrahubVersion}`,
    `infrahub.backup-tool-version=${backup.toolVersion}`,
    `infrahub.neo4j-edition=${backup.neo4jEdition}`,
    `infrahub.components=${backup.components.join(",")}`,
    ...(backup.redacted ? ["infrahub.redacted=true"] : []),
    ...(backup.origin === undefined ? [] : originTags(backup.origin)),
    ...(backup.madeAfter === undefined ? [] : [MADE_AFTER + backup.madeAfter]),
    ...dataTags(backup.data ?? {}, component),
    ...(backup.rawDumps ? ["infrahub.dump-format=raw"] : []),
  ];
}

/** Reads the tags of a snapshot; of a repeated tag the first counts. */
export function parseTags(tags: readonly string[]): SnapshotTags {
  const components = valueOf(tags, "infrahub.components=");
  return {
    backupId: valueOf(tags, "infrahub.backup-id="),
    component: valueOf(tags, "infrahub.component="),
    infrahubVersion: valueOf(tags, "infrahub.version="),
    toolVersion: valueOf(tags, "infrahub.backup-tool-version="),
    neo4jEdition: valueOf(tags, "infrahub.neo4j-edition="),
    components: components ? components.split(",").filter((name) => name !== "") : undefined,
    redacted: valueOf(tags, "infrahub.redacted=") === "true",
    data: parseDataTags(tags),
    rawDumps: valueOf(tags, "infrahub.dump-format=") === "raw",
  };
}

/**
 * Each component has the facts of its own data: the snapshots of a backup that was resumed are of
 * different times.
 */
function dataTags(facts: DataFacts, component: Component): readonly string[] {
  return Object.entries(dataFields(factsOf(component, facts)) ?? {})
    .map(([name, value]) => `${DATA}${name.replaceAll("_", "-")}=${value}`);
}

function parseDataTags(tags: readonly string[]): DataFacts {
  const fields: Record<string, string> = {};
  for (const tag of tags.filter((tag) => tag.startsWith(DATA))) {
    const [name = "", ...value] = tag.slice(DATA.length).split("=");
    fields[name.replaceAll("-", "_")] ??= value.join("=");
  }
  return readDataFields(fields);
}

/** The backup after which a snapshot was made although it has an earlier date; usually none. */
export function madeAfter(tags: readonly string[]): string | undefined {
  return valueOf(tags, MADE_AFTER) || undefined;
}

function valueOf(tags: readonly string[], prefix: string): string | undefined {
  return tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
}
