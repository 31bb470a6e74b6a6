import { buildTags } from "../../../src/infrahub/catalogue/tags.ts";
import { type Component, type Neo4jEdition, recordPath } from "../../../src/infrahub/component.ts";
import { createRepository, openStore, type Repository } from "../../../src/kloset/mod.ts";
import { neo4jDump, postgresDump } from "../../fixtures/small_dumps.ts";
import { withTempDirectory } from "./_support.ts";

/** A snapshot of a component as a backup leaves it, or not quite. */
export interface StoredComponent {
  readonly component: Component;
  /** @default {"20260101_000000"} */
  readonly backupId?: string;
  /** @default {["neo4j", "postgres", "metadata"]} */
  readonly components?: readonly Component[];
  /** @default {"community"} */
  readonly edition?: Neo4jEdition;
  /** @default {"1.2.0"} */
  readonly infrahubVersion?: string;
  /** Content by path. @default the component's record, with its name for content */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Instead of those that the above makes. */
  readonly tags?: readonly string[];
}

/** A component's record around its name: whatever looks into it finds it whole. */
export function wholeRecord(component: Component, edition: Neo4jEdition): string | Uint8Array {
  if (component === "postgres") return postgresDump(component);
  return component === "neo4j" && edition === "community" ? neo4jDump(component) : component;
}

/** Runs a test with a new repository, which is removed afterwards. */
export async function withRepository(
  action: (repository: Repository, directory: string) => Promise<void>,
): Promise<void> {
  await withTempDirectory(async (directory) => {
    const store = openStore(`${directory}/repository`);
    await using repository = await createRepository(store, { jobs: 1 });
    await action(repository, directory);
  });
}

/** Stores a snapshot, and returns its id. */
export async function storeComponent(
  repository: Repository,
  stored: StoredComponent,
): Promise<string> {
  const {
    component,
    backupId = "20260101_000000",
    components = ["neo4j", "postgres", "metadata"],
    edition = "community",
    infrahubVersion = "1.2.0",
    files = { [recordPath(component, edition)]: component },
  } = stored;
  const description = {
    backupId,
    components,
    neo4jEdition: edition,
    infrahubVersion,
    toolVersion: "0",
    redacted: false,
  };
  const writer = await repository.createSnapshot({
    name: `${backupId}_${component}`,
    tags: stored.tags ?? buildTags(description, component),
    importer: { type: "test", origin: "here", directory: "/" },
  });
  for (const [path, content] of Object.entries(files)) {
    await writer.addFile(path, new Blob([content as Uint8Array<ArrayBuffer>]).stream());
  }
  await writer.commit();
  return writer.id;
}
