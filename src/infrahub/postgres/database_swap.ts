import { type Deployment, poll } from "../deployment/mod.ts";
import { formatBackupId } from "../timestamp.ts";
import { creationClauses, propertyStatements } from "./database_properties.ts";
import type { RestorablePostgres } from "./restore_check.ts";
import { maintenanceDatabase, quoteSqlName, quoteSqlText, runSql } from "./sql.ts";

/** PostgreSQL cuts longer names off, silently. */
const MAX_NAME_BYTES = 63;
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 1_000;

/**
 * The three names of a database that is replaced, and the ways between them.
 *
 * Nobody is locked out for it: a renaming holds off new connections for as long as it takes, and
 * those that were there are ended in the same transaction. So there is nothing that would have to be
 * taken back if this process was killed.
 */
export class DatabaseSwap {
  /** Name of the new database while it is filled. */
  readonly fresh: string;
  /** Name of the old database after the swap. */
  readonly old: string;
  readonly #target: RestorablePostgres;
  readonly #database: string;
  #exchanging = false;

  constructor(target: RestorablePostgres, now: Date) {
    const stamp = formatBackupId(now);
    this.#target = target;
    this.#database = target.server.database;
    this.fresh = fitName(this.#database, `_restore_${stamp}`);
    this.old = fitName(this.#database, `_before_${stamp}`);
  }

  async create(deployment: Deployment): Promise<void> {
    const { existing, creation } = this.#target;
    await this.#sql(
      deployment,
      `CREATE DATABASE ${quoteSqlName(this.fresh)} TEMPLATE template0 ` +
        (existing === undefined ? creation : creationClauses(existing)),
    );
  }

  /** Puts the new database in the old one's place, with all that the old one has. */
  async exchange(deployment: Deployment): Promise<void> {
    const { existing, dumpedProperties } = this.#target;
    const renames = [rename(this.fresh, this.#database)];
    if (existing !== undefined) {
      // Not before: they would have counted for the session that filled it.
      const statements = propertyStatements(this.fresh, existing);
      if (statements.length > 0) await this.#sql(deployment, statements.join("; "));
      renames.unshift(rename(this.#database, this.old));
    }
    this.#exchanging = true;
    // Those of the dump name the database as it will be called.
    await this.#renameAlone(deployment, [this.#database, this.fresh], [
      ...renames,
      ...dumpedProperties,
    ]);
  }

  /** Finds out how far it came, and goes back to the state before. */
  async undo(deployment: Deployment): Promise<void> {
    const names = await this.#existingNames(deployment);
    if (this.#target.existing === undefined) {
      // Under its final name it is ours only when it got there by our renaming.
      const ours = !names.has(this.fresh) && this.#exchanging ? [this.#database] : [this.fresh];
      return await this.#drop(deployment, ours);
    }
    if (names.has(this.old)) {
      const renames = [rename(this.old, this.#database)];
      if (names.has(this.#database)) renames.unshift(rename(this.#database, this.fresh));
      await this.#renameAlone(deployment, [this.#database, this.old], renames);
    }
    await this.#drop(deployment, [this.fresh]);
  }

  async dropOld(deployment: Deployment): Promise<void> {
    if (this.#target.existing !== undefined) await this.#drop(deployment, [this.old]);
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
        timeoutMs: TIMEOUT_MS,
        intervalMs: INTERVAL_MS,
        probe: async (probe) => {
          await this.#sql(probe, endConnections([name]));
          // A template cannot be dropped.
          if (this.#target.existing?.isTemplate && await this.#exists(probe, name)) {
            await this.#sql(probe, `ALTER DATABASE ${quoteSqlName(name)} IS_TEMPLATE false`);
          }
          await this.#sql(probe, `DROP DATABASE IF EXISTS ${quoteSqlName(name)}`);
          return { done: true, value: undefined };
        },
      });
    }
  }

  async #exists(deployment: Deployment, name: string): Promise<boolean> {
    return (await this.#existingNames(deployment)).has(name);
  }

  #sql(deployment: Deployment, sql: string): Promise<string> {
    // No limit: copying a template and dropping a large database take their time.
    return runSql(deployment, this.#target.client, maintenanceDatabase(this.#database), sql, 0);
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
