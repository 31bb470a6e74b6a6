import type { Component, Neo4jEdition } from "./component.ts";

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
}

/** What a snapshot's tags say; a field is undefined when its tag is missing. */
export interface SnapshotTags {
  readonly backupId?: string;
  readonly component?: string;
  readonly infrahubVersion?: string;
  readonly toolVersion?: string;
  readonly neo4jEdition?: string;
  readonly components?: readonly string[];
  readonly redacted: boolean;
}

/** The tags of one component's snapshot, in the order in which the Go tool writes them. */
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
  ];
}

/** Reads the tags of a snapshot; of a repeated tag the first counts. */
export function parseTags(tags: readonly string[]): SnapshotTags {
  const values = new Map<string, string>();
  for (const tag of tags) {
    const at = tag.indexOf("=");
    const key = tag.slice(0, Math.max(at, 0));
    if (key !== "" && !values.has(key)) values.set(key, tag.slice(at + 1));
  }
  const text = <Name extends string>(name: Name, key: string) => {
    const value = values.get(`infrahub.${key}`);
    return (value === undefined ? {} : { [name]: value }) as { [K in Name]?: string };
  };
  const components = values.get("infrahub.components");
  return {
    ...text("backupId", "backup-id"),
    ...text("component", "component"),
    ...text("infrahubVersion", "version"),
    ...text("toolVersion", "backup-tool-version"),
    ...text("neo4jEdition", "neo4j-edition"),
    ...(components ? { components: components.split(",").filter((name) => name !== "") } : {}),
    redacted: values.get("infrahub.redacted") === "true",
  };
}
