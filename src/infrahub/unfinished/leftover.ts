/**
 * Something that a step of a run leaves behind, with all that another process needs to know to put it
 * right. Names and paths alone: no secret, and nothing that has to be believed, for whoever puts it
 * right looks first.
 */
export type Leftover =
  /** Application services that ran and were to be stopped. */
  | { readonly kind: "services"; readonly services: readonly string[] }
  /** A directory of the run inside a service. */
  | { readonly kind: "directory"; readonly service: string; readonly path: string }
  /** Neo4j's process, told to end and held in the moment before, by a watchdog. */
  | {
    readonly kind: "held-neo4j";
    readonly pid: number;
    /** In clock ticks since the machine's start: a process id may be given again. */
    readonly startTime: string;
    /** The watchdog's directory, inside the service. */
    readonly directory: string;
  }
  /** Neo4j's service of a host, stopped. */
  | { readonly kind: "stopped-neo4j" }
  /** A Community database that is loaded beside the one in use, and takes its place. */
  | {
    readonly kind: "staged-neo4j";
    readonly database: string;
    /** The directory of databases and that of transaction logs. */
    readonly directories: readonly [databases: string, transactions: string];
    /** What the loaded one is called until it is in its place. */
    readonly stage: string;
    /** What the former one is called from then on. */
    readonly former: string;
  }
  /** An Enterprise database, stopped to be replaced. */
  | {
    readonly kind: "replaced-neo4j";
    readonly database: string;
    /** How far it was: its files are neither the old nor the new ones while they are replaced. */
    readonly step: "stopped" | "replacing" | "replaced";
  }
  /** Directories of stored objects inside the storage, which are exchanged with those in use. */
  | { readonly kind: "storage"; readonly path: string; readonly name: string }
  /** A PostgreSQL database that is filled beside the one in use, and takes its place. */
  | {
    readonly kind: "postgres";
    readonly database: string;
    readonly fresh: string;
    readonly old: string;
    /** Whether there was one before. */
    readonly existed: boolean;
  };

/**
 * Which way an unfinished run is put right: back to the old data, or on to the new, once all of it is
 * in its place.
 */
export type RunDirection = "back" | "on";

/** What is left, for people. */
export function describeLeftover(leftover: Leftover): string {
  switch (leftover.kind) {
    case "services":
      return `services that were stopped (${leftover.services.join(", ")})`;
    case "directory":
      return `${leftover.path} in ${leftover.service}`;
    case "held-neo4j":
      return `Neo4j, held as process ${leftover.pid}`;
    case "stopped-neo4j":
      return "Neo4j, stopped";
    case "staged-neo4j":
      return `Neo4j database ${leftover.database} and the one beside it, ${leftover.stage} or ` +
        leftover.former;
    case "replaced-neo4j":
      return `Neo4j database ${leftover.database}, ` +
        (leftover.step === "replacing" ? "half replaced" : leftover.step);
    case "storage":
      return `stored objects in ${leftover.path}`;
    case "postgres":
      return `PostgreSQL database ${leftover.database} and the one beside it, ${leftover.fresh} or ` +
        leftover.old;
  }
}

/**
 * Reads what was written about one.
 *
 * @returns undefined when it is none, such as of a later version of the program
 */
export function parseLeftover(value: unknown): Leftover | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = value as Readonly<Record<string, unknown>>;
  const texts = (...keys: readonly string[]) => keys.every((key) => isName(found[key]));
  const lists = (key: string) => {
    const list: unknown = found[key];
    return Array.isArray(list) && list.every(isName);
  };
  const isValid = {
    "services": () => lists("services"),
    "directory": () => texts("service", "path"),
    "held-neo4j": () => Number.isSafeInteger(found.pid) && texts("startTime", "directory"),
    "stopped-neo4j": () => true,
    "staged-neo4j": () =>
      texts("database", "stage", "former") && lists("directories") &&
      (found.directories as unknown[]).length === 2,
    "replaced-neo4j": () =>
      texts("database") && ["stopped", "replacing", "replaced"].includes(String(found.step)),
    "storage": () => texts("path", "name"),
    "postgres": () => texts("database", "fresh", "old") && typeof found.existed === "boolean",
  }[String(found.kind)];
  return isValid?.() === true ? found as unknown as Leftover : undefined;
}

/** Nothing is empty that a path or a name is made of: `rm -rf` of half a path would be another one. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
