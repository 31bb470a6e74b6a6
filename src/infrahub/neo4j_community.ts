import type { CommandInput, CommandStream } from "../environment/mod.ts";
import { asNeo4j } from "./_as_neo4j.ts";
import { recordPath } from "./component.ts";
import type { DatabaseCredentials } from "./credentials.ts";
import { checkNeo4jDatabaseName } from "./cypher.ts";
import { attempt, type ComponentTarget, type Deployment } from "./deployment.ts";
import { messageOf } from "./errors.ts";
import { freezeNeo4j, type FreezeOptions, type FrozenNeo4j } from "./neo4j_freeze.ts";
import { DATABASE } from "./services.ts";
import type { ComponentSource, OpenSource } from "./source.ts";
import type { UndoJournal } from "./undo_journal.ts";

/** How a Community database is dumped. */
export interface CommunityDumpOptions extends FreezeOptions {
  /** Longest wait for the dump's next byte, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

/** How a Community dump is loaded. */
export interface CommunityLoadOptions extends FreezeOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Whether the store is converted to block format afterwards. */
  readonly migrateFormat: boolean;
}

/**
 * The dump of a Community database, streamed while Neo4j is held. `finished` settles after Neo4j
 * has been resumed and answers again, or after that failed: a good dump is kept even then, and the
 * resumption stays on the journal, which must be emptied before the run can call itself a success.
 */
export function neo4jCommunitySource(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: CommunityDumpOptions,
): ComponentSource {
  return {
    component: "neo4j",
    recordPath: recordPath("neo4j", "community"),
    open: (signal) => openDump({ ...deployment, signal: signal }, credentials, journal, options),
  };
}

async function openDump(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: CommunityDumpOptions,
): Promise<OpenSource> {
  const { environment, reporter, signal } = deployment;
  const database = checkNeo4jDatabaseName(credentials.database);
  reporter.info("Backing up Neo4j database (Community Edition offline dump)...");
  const frozen = await freezeNeo4j(deployment, credentials, journal, options);
  let stream: CommandStream;
  try {
    stream = await attempt(
      deployment,
      "failed to start neo4j community stream",
      () =>
        environment.streamOut(
          DATABASE,
          ["neo4j-admin", "database", "dump", "--to-stdout", database],
          { stallTimeoutMs: options.stallTimeoutMs, signal },
        ),
    );
  } catch (error) {
    await thawWithWarning(deployment, frozen);
    throw error;
  }
  const finished = (async () => {
    try {
      await stream.finished;
    } finally {
      await thawWithWarning(deployment, frozen);
    }
    reporter.info("Neo4j dump completed");
  })();
  // The reader of the stream meets the same error, and may never look at this promise.
  finished.catch(() => {});
  return { content: stream.stdout, finished };
}

/**
 * Opens a Community database for loading: Neo4j is held, and what is written goes into
 * `neo4j-admin database load`. A stream can only be loaded when it is compressed with zstd; see
 * `neo4jDumpCompression`.
 *
 * A load that fails leaves the database unusable: the old data is overwritten from the first byte.
 *
 * @throws {DeploymentError} when Neo4j cannot be held, or the program cannot be started
 */
export async function openNeo4jCommunityTarget(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: CommunityLoadOptions,
): Promise<ComponentTarget> {
  const { environment, reporter, signal } = deployment;
  const database = checkNeo4jDatabaseName(credentials.database);
  reporter.info("Restoring Neo4j database (Community Edition streamed load)...");
  const user = await attempt(
    deployment,
    "failed to start neo4j streamed load",
    () => asNeo4j(deployment),
  );
  const frozen = await freezeNeo4j(deployment, credentials, journal, options);
  let input: CommandInput;
  try {
    input = await attempt(
      deployment,
      "failed to start neo4j streamed load",
      () =>
        environment.streamIn(
          DATABASE,
          [
            "neo4j-admin",
            "database",
            "load",
            "--from-stdin",
            "--overwrite-destination=true",
            database,
          ],
          { ...user, stallTimeoutMs: options.stallTimeoutMs, signal },
        ),
    );
  } catch (error) {
    await thawWithWarning(deployment, frozen);
    throw error;
  }
  const migrate = async () => {
    if (!options.migrateFormat) return;
    await attempt(deployment, "failed to migrate neo4j to block format", () =>
      environment.run(
        DATABASE,
        ["neo4j-admin", "database", "migrate", "--to-format=block", database],
        { ...user, signal, timeoutMs: 0 },
      ));
  };
  const what = "failed to load neo4j dump from stream";
  return {
    write: (bytes) => attempt(deployment, what, () => input.write(bytes)),
    close: async () => {
      try {
        await attempt(deployment, what, () => input.close());
        await migrate();
      } catch (error) {
        await thawWithWarning(deployment, frozen);
        throw error;
      }
      await frozen.thaw();
      reporter.info("Neo4j database restored");
    },
    abort: async (reason) => {
      await input.abort(reason);
      await thawWithWarning(deployment, frozen);
    },
  };
}

/** For where another error, or a good dump, is worth more than this one. */
async function thawWithWarning({ reporter }: Deployment, frozen: FrozenNeo4j): Promise<void> {
  try {
    await frozen.thaw();
  } catch (error) {
    // Stays on the journal, where it is tried again.
    reporter.warn(`Could not bring Neo4j back: ${messageOf(error)}`);
  }
}
