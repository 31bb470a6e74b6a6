/** The parts of a backup, in the order in which they are stored and shown. */
export const COMPONENTS = ["neo4j", "postgres", "storage", "metadata"] as const;

/** A part of a backup; each has its own snapshot. */
export type Component = (typeof COMPONENTS)[number];

/** Editions of Neo4j; they differ in what a dump is. */
export type Neo4jEdition = "enterprise" | "community";

/** Whether `name` is one of {@linkcode COMPONENTS}. */
export function isComponent(name: string): name is Component {
  return (COMPONENTS as readonly string[]).includes(name);
}

/** Where a component's bytes are inside its snapshot. */
export function recordPath(component: Component, edition: Neo4jEdition): string {
  switch (component) {
    case "neo4j":
      return edition === "community" ? "/neo4j.dump" : "/neo4j-backup.tar";
    case "postgres":
      return "/prefect.dump";
    case "storage":
      return "/storage.tar";
    case "metadata":
      return "/backup_information.json";
  }
}

/**
 * The records of which a stored component must have at least one. A neo4j snapshot may come from
 * either edition, and its edition tag may be missing.
 */
export function possibleRecordPaths(component: Component): readonly string[] {
  return component === "neo4j"
    ? [recordPath(component, "enterprise"), recordPath(component, "community")]
    : [recordPath(component, "enterprise")];
}

/** Sorts component names: the known ones in their order, then others by name. */
export function compareComponents(a: string, b: string): number {
  const rank = (name: string) => isComponent(name) ? COMPONENTS.indexOf(name) : COMPONENTS.length;
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}
