import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  type ComponentSource,
  fileSource,
  type Neo4jEdition,
  recordPath,
  type Reporter,
  resolveEdition,
  tarSource,
} from "../infrahub/mod.ts";
import { requirePlakarBackend, runBackup } from "./_create_backup.ts";
import type { SessionProvider } from "./session.ts";
import { UsageError } from "./usage_error.ts";

/** Adds `create from-files`. */
export function addCreateFromFiles(create: CommandUnknownOpts, session: SessionProvider): void {
  create.command("from-files")
    .description("Make a backup of dumps that lie on the disk; needs no running deployment")
    .requiredOption("--neo4j-path <path>", "Neo4j dump: a directory, or a single file")
    .option("--postgres-path <file>", "PostgreSQL dump of the task manager database")
    .option(
      "--neo4j-edition <edition>",
      "enterprise or community (default: community for a .dump file, else enterprise)",
    )
    .option("--infrahub-version <version>", "version of Infrahub that the dumps come from")
    .action(async (options) => {
      const current = session();
      const { reporter } = current;
      requirePlakarBackend(current, "create from-files");
      if (options.neo4jPath === "") throw new UsageError("neo4j backup path is required");
      const { edition, guessed } = resolveEdition(options.neo4jEdition, options.neo4jPath);
      if (guessed) reporter.info("Neo4j edition derived from path", { neo4j_edition: edition });
      // All are looked at before the repository is opened, or created.
      const sources = [await neo4jSource(options.neo4jPath, edition, reporter)];
      if (options.postgresPath) {
        const path = recordPath("postgres", edition);
        sources.push(
          await fileSource("postgres", path, options.postgresPath, "postgres dump file", reporter),
        );
      }
      await runBackup(current, {
        sources,
        neo4jEdition: edition,
        infrahubVersion: options.infrahubVersion ?? "",
      });
    });
}

/** A Community dump is one file; everything of the Enterprise edition goes into a tar. */
async function neo4jSource(
  path: string,
  edition: Neo4jEdition,
  reporter: Reporter,
): Promise<ComponentSource> {
  const make = edition === "community" ? fileSource : tarSource;
  return await make("neo4j", recordPath("neo4j", edition), path, "neo4j backup path", reporter);
}
