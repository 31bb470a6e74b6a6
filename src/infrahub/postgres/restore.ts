import type { CommandInput } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import {
  attempt,
  type ComponentTarget,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  poll,
  requireFreeSpace,
  TASK_MANAGER_DATABASE,
  type UndoJournal,
} from "../deployment/mod.ts";
import {
  databaseArgument,
  type PostgresClient,
  postgresClient,
  postgresSecrets,
  quoteSqlName,
  quoteSqlText,
  runSql,
} from "./sql.ts";
import { formatBackupId } from "../timestamp.ts";

/** A server that a dump can be restored to, looked at before anything is touched. */
export interface PostgresServer {
  readonly client: PostgresClient;
  /** Name of the database that is to be replaced. */
  readonly database: string;
  /** Properties of the database that is there; undefined when there is none yet. */
  readonly existing: ExistingDatabase | undefined;
}

/** What the new database takes over from the one it replaces. */
export interface ExistingDatabase {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** How locales are done, as `CREATE DATABASE` wants it; empty before PostgreSQL 15. */
  readonly localeProvider: string;
}

/** What the look at a server may be told. */
export interface CheckPostgresOptions {
  /** Size of the dump in bytes, when known: the space for it is checked. */
  readonly bytes?: number;
}

/** How a dump is restored. */
export interface PostgresRestoreOptions {
  /** Longest wait in milliseconds for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /** Goes into the names of the databases. */
  readonly now: Date;
}

/** A restore of PostgreSQL; `close` swaps the databases. */
export interface PostgresTarget extends ComponentTarget {
  /**
   * Drops the old database. To be called when the whole restore has succeeded, and not before: until
   * then the journal can put it back. A failure only warns.
   */
  finish(): Promise<void>;
  /** Puts the old database back now, as the journal would. */
  undo(): Promise<void>;
}

const MAINTENANCE_DATABASE = "postgres";
/** PostgreSQL cuts longer names off, silently. */
const MAX_NAME_BYTES = 63;
const SWAP_TIMEOUT_MS = 60_000;
const SWAP_INTERVAL_MS = 1_000;
/** Indexes are made from the dump, and write-ahead log is kept for a while. */
const SPACE_FACTOR = 1.5;

/**
 * Finds a way into the server that may create databases: over the local socket where commands run
 * as a user that has a name, else over TCP with the password.
 *
 * @throws {DeploymentRefusedError} when there is none, or the space does not suffice
 */
export async function checkPostgresServer(
  deployment: Deployment,
  credentials: DatabaseCredentials,
  { bytes }: CheckPostgresOptions = {},
): Promise<PostgresServer> {
  const { database } = credentials;
  const client = await findClient(deployment, credentials);
  if (bytes !== undefined) await checkSpace(deployment, client, bytes);
  return { client, database, existing: await findDatabase(deployment, client, database) };
}

/**
 * Opens a restore: what is written goes into `pg_restore`, which fills a database of its own beside
 * the one in use. `close` swaps the two by renaming, in one transaction.
 *
 * Its first error ends it: into an empty database made from `template0` every statement of a dump
 * must succeed, and one that does not is lost data.
 *
 * @throws {DeploymentError} when the database cannot be created, or the program not be started
 */
export async function openPostgresTarget(
  deployment: Deployment,
  server: PostgresServer,
  journal: UndoJournal,
  { stallTimeoutMs, now }: PostgresRestoreOptions,
): Promise<PostgresTarget> {
  const { environment, reporter, signal } = deployment;
  const { client } = server;
  reporter.info("Restoring PostgreSQL database...");
  const swap = new DatabaseSwap(server, now);
  const undo = journal.push({
    name: `put back PostgreSQL database ${server.database} as it was`,
    run: (undoSignal) => swap.undo({ ...deployment, signal: undoSignal }),
  });
  const undoWithWarning = async () => {
    try {
      await undo.perform();
    } catch (error) {
      // Stays on the journal, where it is tried again.
      reporter.warn(`Could not put back PostgreSQL as it was: ${messageOf(error)}`);
    }
  };
  const what = "failed to restore postgresql";
  let input: CommandInput;
  try {
    await attempt(deployment, what, () => swap.create(deployment));
    input = await attempt(deployment, what, () =>
      environment.streamIn(TASK_MANAGER_DATABASE, [
        "pg_restore",
        "--exit-on-error",
        ...client.arguments,
        "-d",
        databaseArgument(swap.fresh),
      ], {
        ...(client.user === undefined ? {} : { user: client.user }),
        secrets: postgresSecrets(client),
        stallTimeoutMs,
        signal,
      }));
  } catch (error) {
    await undoWithWarning();
    throw error;
  }
  return {
    write: (bytes) => attempt(deployment, what, () => input.write(bytes)),
    close: async () => {
      try {
        await attempt(deployment, what, () => input.close());
        await attempt(deployment, what, () => swap.exchange(deployment));
      } catch (error) {
        await undoWithWarning();
        throw error;
      }
      reporter.info("PostgreSQL database restored");
    },
    abort: async (reason) => {
      await input.abort(reason);
      await undoWithWarning();
    },
    finish: async () => {
      undo.forget();
      // On the journal, so that it is done even when the run has been ended meanwhile.
      const removal = journal.push({
        name: `drop the PostgreSQL database that was replaced, ${swap.old}`,
        harmless: true,
        run: (undoSignal) => swap.dropOld({ ...deployment, signal: undoSignal }),
      });
      try {
        await removal.perform();
      } catch (error) {
        // Stays there, where it is tried again.
        reporter.warn(
          `The database that was replaced is still there as ${swap.old}: ${messageOf(error)}`,
        );
      }
    },
    undo: () => undo.perform(),
  };
}

/** The three names, and the ways between them. */
class DatabaseSwap {
  /** Name of the new database while it is filled. */
  readonly fresh: string;
  /** Name of the old database after the swap. */
  readonly old: string;
  readonly #database: string;
  readonly #server: PostgresServer;
  #exchanging = false;

  constructor(server: PostgresServer, now: Date) {
    const stamp = formatBackupId(now);
    this.#server = server;
    this.#database = server.database;
    this.fresh = fitName(server.database, `_restore_${stamp}`);
    this.old = fitName(server.database, `_before_${stamp}`);
  }

  async create(deployment: Deployment): Promise<void> {
    const { existing } = this.#server;
    const like = existing === undefined
      ? "ENCODING 'UTF8'"
      : `OWNER ${quoteSqlName(existing.owner)} ENCODING ${quoteSqlText(existing.encoding)} ` +
        `LC_COLLATE ${quoteSqlText(existing.collate)} LC_CTYPE ${quoteSqlText(existing.ctype)}` +
        existing.localeProvider;
    await this.#sql(
      deployment,
      `CREATE DATABASE ${quoteSqlName(this.fresh)} TEMPLATE template0 ${like}`,
    );
  }

  /** Puts the new database in the old one's place. */
  async exchange(deployment: Deployment): Promise<void> {
    const renames = [rename(this.fresh, this.#database)];
    if (this.#server.existing) {
      renames.unshift(rename(this.#database, this.old));
      // Before the connections are ended: a client that reconnects at once would get in between.
      await this.#sql(deployment, allowConnections(this.#database, false));
    }
    this.#exchanging = true;
    await this.#withoutConnections(deployment, [this.#database, this.fresh], renames);
  }

  /** Finds out how far it came, and goes back to the state before. */
  async undo(deployment: Deployment): Promise<void> {
    const names = await this.#existingNames(deployment);
    if (this.#server.existing === undefined) {
      // Under its final name it is ours only when it got there by our renaming.
      const ours = !names.has(this.fresh) && this.#exchanging ? [this.#database] : [this.fresh];
      return await this.#drop(deployment, ours);
    }
    if (names.has(this.old)) {
      const renames = [rename(this.old, this.#database)];
      if (names.has(this.#database)) renames.unshift(rename(this.#database, this.fresh));
      await this.#withoutConnections(deployment, [this.#database, this.old], renames);
    }
    await this.#sql(deployment, allowConnections(this.#database, true));
    await this.#drop(deployment, [this.fresh]);
  }

  async dropOld(deployment: Deployment): Promise<void> {
    if (this.#server.existing !== undefined) await this.#drop(deployment, [this.old]);
  }

  /** Ends the connections to some databases and renames; again when somebody was faster. */
  async #withoutConnections(
    deployment: Deployment,
    databases: readonly string[],
    renames: readonly string[],
  ): Promise<void> {
    const list = databases.map(quoteSqlText).join(", ");
    // Not of background workers: ending one takes a superuser, and they give way by themselves.
    const terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
      `WHERE datname IN (${list}) AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
    await poll(deployment, {
      failure: "the databases could not be swapped",
      timeoutMs: SWAP_TIMEOUT_MS,
      intervalMs: SWAP_INTERVAL_MS,
      probe: async (probe) => {
        await this.#sql(probe, terminate);
        await this.#sql(probe, renames.join("; "));
        return { done: true, value: undefined };
      },
    });
  }

  async #existingNames(deployment: Deployment): Promise<Set<string>> {
    const names = [this.#database, this.fresh, this.old];
    const output = await this.#sql(
      deployment,
      `SELECT datname FROM pg_database WHERE datname IN (${names.map(quoteSqlText).join(", ")})`,
    );
    return new Set(output.split("\n").filter((line) => line !== ""));
  }

  async #drop(deployment: Deployment, names: readonly string[]): Promise<void> {
    for (const name of names) {
      await poll(deployment, {
        failure: `database ${name} could not be dropped`,
        timeoutMs: SWAP_TIMEOUT_MS,
        intervalMs: SWAP_INTERVAL_MS,
        probe: async (probe) => {
          await this.#sql(
            probe,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
              `WHERE datname = ${quoteSqlText(name)} AND backend_type = 'client backend'`,
          );
          await this.#sql(probe, `DROP DATABASE IF EXISTS ${quoteSqlName(name)}`);
          return { done: true, value: undefined };
        },
      });
    }
  }

  #sql(deployment: Deployment, sql: string): Promise<string> {
    // No limit: copying a template and dropping a large database take their time.
    return runSql(deployment, this.#server.client, MAINTENANCE_DATABASE, sql, 0);
  }
}

async function findClient(
  deployment: Deployment,
  credentials: DatabaseCredentials,
): Promise<PostgresClient> {
  const modes: ("socket" | "tcp")[] = await hasUserName(deployment) ? ["socket", "tcp"] : ["tcp"];
  const problems: string[] = [];
  for (const mode of modes) {
    const client = postgresClient(deployment, credentials, mode);
    try {
      const problem = await findProblem(deployment, client, credentials.database);
      if (problem === undefined) return client;
      problems.push(problem);
    } catch (error) {
      deployment.signal.throwIfAborted();
      problems.push(messageOf(error));
    }
  }
  throw new DeploymentRefusedError(`cannot restore postgresql: ${problems.join("; ")}`);
}

/** As the Go tool decides: an image whose user id has no name cannot be let in over the socket. */
async function hasUserName({ environment, signal }: Deployment): Promise<boolean> {
  try {
    const output = await environment.run(TASK_MANAGER_DATABASE, ["whoami"], { signal });
    return !output.includes("cannot find name");
  } catch {
    signal.throwIfAborted();
    return false; // It says so with its exit code.
  }
}

/** Why this client's role cannot replace the database; undefined when it can. */
async function findProblem(
  deployment: Deployment,
  client: PostgresClient,
  database: string,
): Promise<string | undefined> {
  const output = await runSql(
    deployment,
    client,
    MAINTENANCE_DATABASE,
    "SELECT rolname, rolsuper, rolcreatedb, coalesce((SELECT pg_has_role(current_user, datdba, " +
      `'MEMBER') FROM pg_database WHERE datname = ${quoteSqlText(database)}), true) ` +
      "FROM pg_roles WHERE rolname = current_user",
  );
  // From the right: the name may hold anything.
  const [owns, createsDatabases, isSuperuser, ...name] = output.split("|").reverse();
  const role = name.reverse().join("|");
  if (isSuperuser === "t") return undefined;
  if (createsDatabases !== "t") {
    return `role ${role} may not create databases (grant it with: ALTER ROLE ${
      quoteSqlName(role)
    } CREATEDB)`;
  }
  if (owns !== "t") return `role ${role} does not own database ${database}`;
  return undefined;
}

async function findDatabase(
  deployment: Deployment,
  client: PostgresClient,
  database: string,
): Promise<ExistingDatabase | undefined> {
  const output = await attempt(
    deployment,
    `failed to look at database ${database}`,
    () =>
      runSql(
        deployment,
        client,
        MAINTENANCE_DATABASE,
        "SELECT json_build_object('owner', pg_get_userbyid(datdba), " +
          "'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype, " +
          // By way of JSON: not every version has these columns.
          "'provider', to_jsonb(d)->>'datlocprovider', 'locale', " +
          "coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale')) " +
          `FROM pg_database d WHERE datname = ${quoteSqlText(database)}`,
      ),
  );
  if (output.trim() === "") return undefined;
  const found = JSON.parse(output) as Record<string, unknown>;
  const text = (key: string) => {
    const value = found[key];
    if (typeof value !== "string") {
      throw new DeploymentError(`failed to look at database ${database}: it has no ${key}`);
    }
    return value;
  };
  return {
    owner: text("owner"),
    encoding: text("encoding"),
    collate: text("collate"),
    ctype: text("ctype"),
    localeProvider: describeProvider(found.provider, found.locale),
  };
}

function describeProvider(provider: unknown, locale: unknown): string {
  const name = provider === "i" ? "icu" : provider === "b" ? "builtin" : undefined;
  if (name === undefined || typeof locale !== "string") return "";
  return ` LOCALE_PROVIDER ${name} ${name.toUpperCase()}_LOCALE ${quoteSqlText(locale)}`;
}

/** Old and new database are there at the same time. */
async function checkSpace(
  deployment: Deployment,
  client: PostgresClient,
  bytes: number,
): Promise<void> {
  let directory: string;
  try {
    directory = await runSql(deployment, client, MAINTENANCE_DATABASE, "SHOW data_directory");
  } catch (error) {
    deployment.signal.throwIfAborted();
    // Only a superuser is told.
    deployment.reporter.debug(`Could not find PostgreSQL's directory: ${messageOf(error)}`);
    return;
  }
  await requireFreeSpace(
    deployment,
    TASK_MANAGER_DATABASE,
    directory.trim(),
    Math.ceil(bytes * SPACE_FACTOR),
    "the PostgreSQL restore",
  );
}

function rename(from: string, to: string): string {
  return `ALTER DATABASE ${quoteSqlName(from)} RENAME TO ${quoteSqlName(to)}`;
}

function allowConnections(database: string, allow: boolean): string {
  return `ALTER DATABASE ${quoteSqlName(database)} WITH ALLOW_CONNECTIONS ${allow}`;
}

/** A name with a suffix, its beginning cut to what PostgreSQL keeps. */
function fitName(name: string, suffix: string): string {
  const encoder = new TextEncoder();
  let start = name;
  while (encoder.encode(start + suffix).byteLength > MAX_NAME_BYTES) {
    start = [...start].slice(0, -1).join("");
  }
  return start + suffix;
}
