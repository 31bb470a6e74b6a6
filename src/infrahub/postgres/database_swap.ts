import { type Deployment, poll } from "../deployment/mod.ts";
import { formatBackupId } from "../timestamp.ts";
import { creationClauses, propertyStatements } from "./database_properties.ts";
import type { Leftover } from "../unfinished/mod.ts";
import type { PostgresClient } from "./client.ts";
import type { RestorablePostgres } from "./restore_check.ts";
import { maintenanceDatabase, quoteSqlName, quoteSqlText, runSql } from "./sql.ts";

/** PostgreSQL cuts longer names off, silently. */
const MAX_NAME_BYTES = 63;
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 1_000;

/** What another process knows a swap by. */
export type SwappedPostgres = Extract<Leftover, { kind: "postgres" }>;

/**
 * The three names of a database that is replaced, and the ways between them.
 *
 * Nobody is locked out for it: a renaming holds off new connections for as long as it takes, and
 * those that were there are ended in the same transaction. So there is nothing that would have to be
 * taken back if this process was killed.
 */
export class DatabaseSwap {
  readonly facts: SwappedPostgres;
  readonly #client: PostgresClient;
  #exchanging = false;

  /** @param facts of a swap that another process may have begun */
  constructor(client: PostgresClient, facts: SwappedPostgres) {
    this.#client = client;
    this.facts = facts;
  }

  /** @param now goes into the names */
  static begin({ client, server, existing }: RestorablePostgres, now: Date): DatabaseSwap {
    const stamp = formatBackupId(now);
    const { database } = server;
    return new DatabaseSwap(client, {
      kind: "postgres",
      database,
      fresh: fitName(database, `_restore_${stamp}`),
      old: fitName(database, `_before_${stamp}`),
      existed: existing !== undefined,
    });
  }

  async create(
    deployment: Deployment,
    { existing, creation }: Pick<RestorablePostgres, "existing" | "creation">,
  ): Promise<void> {
    await this.#sql(
      deployment,
      `CREATE DATABASE ${quoteSqlName(this.facts.fresh)} TEMPLATE template0 ` +
        (existing === undefined ? creation : creationClauses(existing)),
    );
  }

  /** Puts the new database in the old one's place, with all that the old one has. */
  async exchange(
    deployment: Deployment,
    { existing, dumpedProperties }: Pick<RestorablePostgres, "existing" | "dumpedProperties">,
  ): Promise<void> {
    const { database, fresh, old } = this.facts;
    const renames = [rename(fresh, database)];
    if (existing !== undefined) {
      // Not before: they would have counted for the session that filled it.
      const statements = propertyStatements(fresh, existing);
      if (statements.length > 0) await this.#sql(deployment, statements.join("; "));
      renames.unshift(rename(database, old));
    }
    this.#exchanging = true;
    // Those of the dump name the database as it will be called.
    await this.#renameAlone(deployment, [database, fresh], [...renames, ...dumpedProperties]);
  }

  /**
   * Finds out whether the new database is in the old one's place, and which are there: both names
   * change in one transaction.
   */
  async look(deployment: Deployment): Promise<{ isExchanged: boolean; names: Set<string> }> {
    const { database, fresh, old, existed } = this.facts;
    const names = await this.#existingNames(deployment);
    const isExchanged = existed ? names.has(old) : names.has(database) && !names.has(fresh);
    return { isExchanged, names };
  }

  /** Finds out how far it came, and goes back to the state before. */
  async undo(deployment: Deployment): Promise<void> {
    const { database, fresh, old, existed } = this.facts;
    const names = await this.#existingNames(deployment);
    if (!existed) {
      // Under its final name it is ours only when it got there by our renaming.
      const ours = !names.has(fresh) && this.#exchanging ? [database] : [fresh];
      return await this.#drop(deployment, ours);
    }
    if (names.has(old)) {
      const renames = [rename(old, database)];
      if (names.has(database)) renames.unshift(rename(database, fresh));
      await this.#renameAlone(deployment, [database, old], renames);
    }
    await this.#drop(deployment, [fresh]);
  }

  async dropOld(deployment: Deployment): Promise<void> {
    if (this.facts.existed) await this.#drop(deployment, [this.facts.old]);
  }

  /** Ends the connections to some databases and renames; again when somebody was faster. */
  async #renameAlone(
    deployment: Deployment,
    databases: readonly string[],
    renames: readonly string[],
  ): Promise<void> {
    await poll(deployment, {
      failure: "the databases could not be swapped",
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      probe: async (probe) => {
        await this.#sql(probe, [endConnections(databases), ...renames].join("; "));
        return { done: true, value: undefined };
      },
    });
  }

  async #existingNames(deployment: Deployment): Promise<Set<string>> {
    const { database, fresh, old } = this.facts;
    const names = [database, fresh, old];
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
        timeoutMs: TIMEOUT_MS,
        intervalMs: INTERVAL_MS,
        probe: async (probe) => {
          await this.#sql(probe, endConnections([name]));
          // A template cannot be dropped.
          if (await this.#isTemplate(probe, name)) {
            await this.#sql(probe, `ALTER DATABASE ${quoteSqlName(name)} IS_TEMPLATE false`);
          }
          await this.#sql(probe, `DROP DATABASE IF EXISTS ${quoteSqlName(name)}`);
          return { done: true, value: undefined };
        },
      });
    }
  }

  async #isTemplate(deployment: Deployment, name: string): Promise<boolean> {
    const output = await this.#sql(
      deployment,
      `SELECT 1 FROM pg_database WHERE datistemplate AND datname = ${quoteSqlText(name)}`,
    );
    return output.trim() !== "";
  }

  #sql(deployment: Deployment, sql: string): Promise<string> {
    // No limit: copying a template and dropping a large database take their time.
    return runSql(deployment, this.#client, maintenanceDatabase(this.facts.database), sql, 0);
  }
}

/** Not those of background workers: ending one takes a superuser, and they give way by themselves. */
function endConnections(databases: readonly string[]): string {
  return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
    `WHERE datname IN (${databases.map(quoteSqlText).join(", ")}) AND pid <> pg_backend_pid() ` +
    "AND backend_type = 'client backend'";
}

function rename(from: string, to: string): string {
  return `ALTER DATABASE ${quoteSqlName(from)} RENAME TO ${quoteSqlName(to)}`;
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
