import type { CommandStream } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { asNeo4j } from "./_as_neo4j.ts";
import { findNeo4jDirectories } from "./_directories.ts";
import {
  exchangeBack,
  lookAtStage,
  removeBeside,
  StagedDatabase,
  type StagedNeo4j,
} from "./_staged_database.ts";
import { recordPath } from "../component.ts";
import {
  attempt,
  type ComponentTarget,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  requireFreeSpace,
  UndoJournal,
} from "../deployment/mod.ts";
import { checkNeo4jDatabaseName } from "./cypher.ts";
import { type ComponentSource, neo4jDumpCompression, type OpenSource } from "../dump/mod.ts";
import { freezeNeo4j, type FreezeOptions, type FrozenNeo4j } from "./freeze.ts";

/** How a Community database is dumped. */
export interface CommunityDumpOptions extends FreezeOptions {
  /** Longest wait for the dump's next byte, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

/** How a Community dump is loaded. */
export interface CommunityLoadOptions extends FreezeOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Whether the store is converted to block format before it is put in its place. */
  readonly migrateFormat: boolean;
  /** Told when the database in use has been replaced, or may have been: until then it is as it was. */
  readonly onReplace?: () => void;
  /** Told when it has been put back after that. */
  readonly onPutBack?: () => void;
}

/**
 * What Neo4j 5.26 writes before a gzip stream. Dumps of older versions lack it: without it a stream
 * is taken for zstd, and only a file is tried as gzip, too. Found out with its `neo4j-admin`.
 */
const GZIP_PREFIX = new TextEncoder().encode("DGV1");

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
 * Says how much space the loaded database needs beside the one in use, and refuses when there is
 * less. A dump is compressed: without a record of the database's size its own is the least that is
 * needed, and a disk that is full in the middle of a load changes nothing.
 *
 * @param dumpBytes size of the dump
 * @param databaseBytes what the database took where it was dumped, transaction logs included
 * @throws {DeploymentRefusedError} when there is too little
 */
export async function checkCommunityLoadSpace(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  dumpBytes: number,
  databaseBytes?: number,
): Promise<void> {
  const { data } = await findNeo4jDirectories(deployment, credentials);
  const what = "the loaded Neo4j database";
  await requireFreeSpace(
    deployment,
    DATABASE,
    data,
    Math.max(dumpBytes, databaseBytes ?? 0),
    databaseBytes === undefined ? `${what}, of which only the dump's size is known,` : what,
  );
}

/**
 * Opens a Community database for loading: what is written goes into `neo4j-admin database load`,
 * which loads it beside the database in use, while Neo4j runs. When it is complete, Neo4j is held,
 * both are exchanged, and the former one is removed once Neo4j answers with the new one.
 *
 * So a load that fails, is interrupted or killed changes nothing, and no server can ever start on
 * half a database. Loaded into the database in use, as `neo4j-admin` is meant to be used, the old
 * data would be deleted before the first byte is read.
 *
 * @throws {DeploymentError} when the program cannot be started
 */
export async function openNeo4jCommunityTarget(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  journal: UndoJournal,
  options: CommunityLoadOptions,
): Promise<ComponentTarget> {
  const { environment, reporter, signal } = deployment;
  const { stallTimeoutMs, migrateFormat, onReplace = () => {}, onPutBack = () => {} } = options;
  const database = checkNeo4jDatabaseName(credentials.database);
  reporter.info("Restoring Neo4j database (Community Edition streamed load)...");
  const start = "failed to start neo4j streamed load";
  const user = await attempt(deployment, start, () => asNeo4j(deployment));
  const staged = await StagedDatabase.prepare(deployment, credentials, journal, database);
  const load = ["load", "--from-stdin", "--overwrite-destination=true", staged.name];
  const input = await attempt(
    deployment,
    start,
    () =>
      environment.streamIn(DATABASE, ["neo4j-admin", "database", ...load], {
        ...user,
        stallTimeoutMs,
        signal,
      }),
  );
  const migrate = async () => {
    if (!migrateFormat) return;
    await attempt(deployment, "failed to migrate neo4j to block format", () =>
      environment.run(
        DATABASE,
        ["neo4j-admin", "database", "migrate", "--to-format=block", staged.name],
        { ...user, signal, timeoutMs: 0 },
      ));
  };
  const exchange = async () => {
    const frozen = await freezeNeo4j(deployment, credentials, journal, options);
    try {
      signal.throwIfAborted();
      await staged.exchange(deployment, frozen, onReplace, {
        name: "put the Neo4j database back as it was",
        timeoutMs: 0, // Each of its steps has a limit.
        run: async (undoSignal) => {
          const undoing = { ...deployment, signal: undoSignal };
          await putBackStaged(undoing, credentials, staged.facts, options);
          onPutBack();
        },
      });
    } catch (error) {
      await thawWithWarning(deployment, frozen);
      await putBackWithWarning();
      throw error;
    }
    try {
      await frozen.thaw();
    } catch (error) {
      // A graph that does not open is no graph: the one before comes back, and its tasks with it.
      reporter.warn(`Neo4j does not open what was restored: ${messageOf(error)}`);
      await putBackWithWarning();
      throw error;
    }
  };
  const putBackWithWarning = async () => {
    try {
      await staged.putBack();
    } catch (error) {
      // Stays on the journal, where it is tried again.
      reporter.warn(
        `Could not put the Neo4j database back, which is kept in ${staged.former}: ` +
          messageOf(error),
      );
    }
  };
  const what = "failed to load neo4j dump from stream";
  let isFirst = true;
  return {
    write: async (bytes) => {
      await attempt(deployment, what, async () => {
        if (isFirst && isBareGzip(bytes)) await input.write(GZIP_PREFIX);
        isFirst = false;
        await input.write(bytes);
      });
    },
    close: async () => {
      try {
        await attempt(deployment, what, () => input.close());
        await migrate();
        await exchange();
      } catch (error) {
        await staged.discard(deployment);
        throw error;
      }
      reporter.info("Neo4j database restored");
    },
    settle: (keepsOld) => staged.settle(deployment, keepsOld),
    old: `Neo4j's in ${staged.former}`,
    finish: async () => {
      await staged.removeFormer(deployment);
    },
    abort: async (reason) => {
      await input.abort(reason);
      await staged.discard(deployment);
    },
  };
}

/**
 * Puts the database back that a staged one has replaced, be it half or as a whole, and removes the
 * staged one. May be called again after a failure.
 *
 * @returns whether it had been replaced
 */
export async function putBackStaged(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  facts: StagedNeo4j,
  options: FreezeOptions,
): Promise<boolean> {
  const { reporter, clock } = deployment;
  const isReplaced = await attempt(
    deployment,
    "failed to look at the neo4j databases",
    async () => await lookAtStage(deployment, facts) !== "before",
  );
  if (isReplaced) {
    await new UndoJournal({ reporter, clock }).protect(async (journal) => {
      const frozen = await freezeNeo4j(deployment, credentials, journal, options);
      await attempt(
        deployment,
        "failed to exchange the neo4j databases back",
        () => exchangeBack(deployment, facts, frozen),
      );
      await frozen.thaw();
    });
  }
  await removeBeside(deployment, facts, "stage");
  return isReplaced;
}

function isBareGzip(start: Uint8Array): boolean {
  return start[0] !== GZIP_PREFIX[0] && neo4jDumpCompression(start) === "gzip";
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
