/**
 * What is known of the data in a backup; undefined where nobody recorded it, as in backups of the Go
 * tool and of earlier versions, or where it could not be found out.
 */
export interface DataFacts {
  /** Version of Infrahub's graph, which its migrations count up; not that of Infrahub. */
  readonly graph?: number;
  /** Version of the Neo4j server, as `2026.05.0`. */
  readonly neo4j?: string;
  /** Bytes that the Neo4j database takes on disk, its transaction logs included. */
  readonly neo4jBytes?: number;
  /** Version of the PostgreSQL server, as `15.13`. */
  readonly postgres?: string;
}

/** Names in the metadata of a backup. */
const FIELDS = {
  graph: "infrahub_graph",
  neo4j: "neo4j_version",
  neo4jBytes: "neo4j_bytes",
  postgres: "postgres_version",
} as const satisfies Record<keyof DataFacts, string>;
const VERSION = /^\d+(\.\d+)*$/;

/** The facts as texts by name, for a backup's metadata; undefined when there are none. */
export function dataFields(facts: DataFacts): Record<string, string> | undefined {
  const fields: Record<string, string> = {};
  for (const fact of ["graph", "neo4j", "neo4jBytes", "postgres"] as const) {
    const value = facts[fact];
    if (value !== undefined) fields[FIELDS[fact]] = String(value);
  }
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** Reads what {@linkcode dataFields} has written; what is no such fact is passed over. */
export function readDataFields(
  fields: Readonly<Record<string, string | undefined>> = {},
): DataFacts {
  const version = (name: string) => VERSION.test(fields[name] ?? "") ? fields[name] : undefined;
  const graph = parseGraphVersion(fields[FIELDS.graph] ?? "");
  const neo4j = version(FIELDS.neo4j);
  const neo4jBytes = /^\d{1,15}$/.test(fields[FIELDS.neo4jBytes] ?? "")
    ? Number(fields[FIELDS.neo4jBytes])
    : undefined;
  const postgres = version(FIELDS.postgres);
  return {
    ...(graph === undefined ? {} : { graph }),
    ...(neo4j === undefined ? {} : { neo4j }),
    ...(neo4jBytes === undefined ? {} : { neo4jBytes }),
    ...(postgres === undefined ? {} : { postgres }),
  };
}

/** The facts of one component alone. */
export function factsOf(
  component: string,
  { graph, neo4j, neo4jBytes, postgres }: DataFacts,
): DataFacts {
  if (component === "postgres") return postgres === undefined ? {} : { postgres };
  if (component !== "neo4j") return {};
  return {
    ...(graph === undefined ? {} : { graph }),
    ...(neo4j === undefined ? {} : { neo4j }),
    ...(neo4jBytes === undefined ? {} : { neo4jBytes }),
  };
}

/** A graph's version as somebody has written it; undefined when it is no whole number. */
export function parseGraphVersion(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The numbers at the beginning of a version, as `[1, 11, 9]`; empty when there are none. */
export function versionNumbers(text: string): readonly number[] {
  const [, numbers = ""] = /^v?(\d+(?:\.\d+)*)/.exec(text.trim()) ?? [];
  return numbers === "" ? [] : numbers.split(".").map(Number);
}

/** Compares versions number by number; one that is missing counts as 0. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
