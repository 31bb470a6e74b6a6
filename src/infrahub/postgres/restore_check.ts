import { CommandFailedError } from "../../environment/mod.ts";
import {
  type Deployment,
  DeploymentRefusedError,
  requireFreeSpace,
  TASK_MANAGER_DATABASE,
} from "../deployment/mod.ts";
import { type PostgresDumpContents, rolesIn } from "../dump/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { describedClient, isBeside, type PostgresClient, socketClient } from "./client.ts";
import {
  type DatabaseProperties,
  propertyStatements,
  readDatabaseProperties,
} from "./database_properties.ts";
import { readIdentity, requireNamedServer } from "./identity.ts";
import { formatServer, type PostgresServer } from "./server.ts";
import { maintenanceDatabase, quoteSqlName, quoteSqlText, quoteSqlTexts, runSql } from "./sql.ts";
import {
  newestArchiveFormat,
  type PostgresVersions,
  readerOfArchiveFormat,
  readVersions,
  VERSION_QUERIES,
} from "./versions.ts";

/** A server that a dump can be restored to, looked at before anything is touched. */
export interface RestorablePostgres {
  readonly server: PostgresServer;
  /** The way in with the rights that it takes. */
  readonly client: PostgresClient;
  /** What the database that is there has outside of its tables; undefined when there is none yet. */
  readonly existing: DatabaseProperties | undefined;
  /** What `CREATE DATABASE … TEMPLATE template0` goes on with where there is none yet. */
  readonly creation: string;
  /** The dump's own statements for the database, where there is none yet. */
  readonly dumpedProperties: readonly string[];
}

/** What the look at a server may be told. */
export interface CheckPostgresOptions {
  /** Size of the dump in bytes, when known: the space for it is checked. */
  readonly bytes?: number;
  /** What is in the dump, when known: whether it can be restored there is checked. */
  readonly contents?: PostgresDumpContents;
  /** Server that the dump is of, as the backup has it: for one that does not tell it itself. */
  readonly recordedVersion?: string;
  /**
   * Restore the dump of a newer server as well.
   *
   * @default {false}
   */
  readonly force?: boolean;
}

/** What is known of the role that a client is let in as. */
interface Rights {
  readonly role: string;
  readonly isSuperuser: boolean;
  /** Why it cannot replace the database; undefined when it can. */
  readonly problem: string | undefined;
}

/** Indexes are made from the dump, and write-ahead log is kept for a while. */
const SPACE_FACTOR = 1.5;
/** The role of these has to be a superuser. */
const SUPERUSER_KINDS: readonly string[] = [
  "EVENT TRIGGER",
  "FOREIGN DATA WRAPPER",
  "SUBSCRIPTION",
];

/**
 * Makes sure that a dump can be restored to the server that is named, as far as can be told before:
 * a way in with the rights, the space, versions, and whatever the dump needs of the server.
 *
 * The local socket, as the operating system's user, is taken where it can be shown that it is the same
 * server, because it most often leads to a superuser; else the way that the description names.
 *
 * @throws {DeploymentRefusedError} when it cannot; the message has all that is missing
 */
export async function checkPostgresServer(
  deployment: Deployment,
  server: PostgresServer,
  { bytes, contents, recordedVersion = "", force = false }: CheckPostgresOptions = {},
): Promise<RestorablePostgres> {
  await requireNamedServer(deployment, server);
  const { client, rights } = await findClient(deployment, server);
  if (bytes !== undefined) await checkSpace(deployment, client, server, bytes);
  const existing = await readDatabaseProperties(deployment, client, server.database);
  const ask = (sql: string | readonly string[]) =>
    runSql(deployment, client, maintenanceDatabase(server.database), sql);
  const problems: string[] = [];
  const versions = readVersions(await ask(VERSION_QUERIES));
  const dumped = contents?.serverVersion || recordedVersion;
  problems.push(...serverProblems(deployment, dumped, versions, force));
  if (contents !== undefined) {
    problems.push(...formatProblems(contents, versions));
    problems.push(...await contentProblems(ask, contents, existing, rights, versions));
  }
  if (existing !== undefined) {
    problems.push(...await exchangeProblems(deployment, ask, server.database, rights));
    if (problems.length === 0) await tryProperties(ask, server.database, existing, rights);
  }
  if (problems.length > 0) throw refusal(server, problems);
  const isOfThisName = contents?.database === server.database;
  return {
    server,
    client,
    existing,
    creation: existing === undefined ? await creationOf(ask, server, contents) : "",
    dumpedProperties: existing === undefined && isOfThisName
      ? contents.self.properties.map((text) => text.trim().replace(/;$/, ""))
      : [],
  };
}

/**
 * The way in with the rights that replacing a database takes, as {@linkcode checkPostgresServer} finds
 * it.
 *
 * @throws {DeploymentRefusedError} when there is none
 */
export async function findPrivilegedClient(
  deployment: Deployment,
  server: PostgresServer,
): Promise<PostgresClient> {
  await requireNamedServer(deployment, server);
  return (await findClient(deployment, server)).client;
}

function refusal(server: PostgresServer, problems: readonly string[]): DeploymentRefusedError {
  return new DeploymentRefusedError(
    `cannot restore postgresql, ${formatServer(server)}: ${problems.join("; ")}`,
  );
}

async function findClient(
  deployment: Deployment,
  server: PostgresServer,
): Promise<{ client: PostgresClient; rights: Rights }> {
  const described = describedClient(deployment, server);
  const clients = await hasUserName(deployment)
    ? [socketClient(deployment, server), described]
    : [described];
  const problems: string[] = [];
  for (const client of clients) {
    try {
      const rights = await readRights(deployment, client, server.database);
      if (client.mode === "socket") await requireSameServer(deployment, server, client, described);
      if (rights.problem === undefined) return { client, rights };
      problems.push(rights.problem);
    } catch (error) {
      deployment.signal.throwIfAborted();
      problems.push(messageOf(error));
    }
  }
  throw refusal(server, problems);
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

/** @throws {DeploymentRefusedError} when the local socket is another server's, or nobody can tell */
async function requireSameServer(
  deployment: Deployment,
  server: PostgresServer,
  socket: PostgresClient,
  described: PostgresClient,
): Promise<void> {
  const database = maintenanceDatabase(server.database);
  const local = await readIdentity(deployment, socket, database);
  let named: string;
  try {
    named = await readIdentity(deployment, described, database);
  } catch (error) {
    deployment.signal.throwIfAborted();
    // Beside the server its socket is the one there is, though the password may not be known: the
    // services that know it may be down.
    if (deployment.environment.kind !== "host" && isBeside(deployment, server)) return;
    throw error;
  }
  if (local === named) return;
  throw new DeploymentRefusedError("the local socket is that of another server");
}

async function readRights(
  deployment: Deployment,
  client: PostgresClient,
  database: string,
): Promise<Rights> {
  const output = await runSql(
    deployment,
    client,
    maintenanceDatabase(database),
    "SELECT rolname, rolsuper, rolcreatedb, coalesce((SELECT pg_has_role(current_user, datdba, " +
      `'MEMBER') FROM pg_database WHERE datname = ${quoteSqlText(database)}), true) ` +
      "FROM pg_roles WHERE rolname = current_user",
  );
  // From the right: the name may hold anything.
  const [owns, createsDatabases, isSuperuser, ...name] = output.split("|").reverse();
  const role = name.reverse().join("|");
  const problem = isSuperuser === "t"
    ? undefined
    : createsDatabases !== "t"
    ? `role ${role} may not create databases (grant it with: ALTER ROLE ${
      quoteSqlName(role)
    } CREATEDB)`
    : owns !== "t"
    ? `role ${role} does not own database ${database}`
    : undefined;
  return { role, isSuperuser: isSuperuser === "t", problem };
}

/** The programs cannot read the dump: no force helps. */
function formatProblems(
  { formatMinor, programVersion }: PostgresDumpContents,
  { programs }: PostgresVersions,
): string[] {
  if (programs === undefined || formatMinor <= newestArchiveFormat(programs)) return [];
  const by = programVersion === "" ? "" : `, made by pg_dump ${programVersion}`;
  return [
    `the dump is of format 1.${formatMinor}${by}, which pg_restore of PostgreSQL ${programs} ` +
    `cannot read; it takes that of PostgreSQL ${readerOfArchiveFormat(formatMinor)}`,
  ];
}

/** A server that is older than the one that the dump is of. */
function serverProblems(
  { reporter }: Deployment,
  serverVersion: string,
  { server }: PostgresVersions,
  force: boolean,
): string[] {
  const dumped = /^(\d+)/.exec(serverVersion)?.[1];
  if (dumped === undefined) return [];
  if (server === undefined) {
    reporter.warn(
      "Could not find out PostgreSQL's version: whether it is older than the dump's, " +
        `${serverVersion}, has not been checked`,
    );
    return [];
  }
  if (Number(dumped) <= server) return [];
  const problem = `the dump is of PostgreSQL ${serverVersion}, the server is PostgreSQL ${server}`;
  if (!force) return [`${problem}; use --force to try it all the same`];
  reporter.warn(`${problem}: restored all the same, as --force asks`);
  return [];
}

type Ask = (sql: string | readonly string[]) => Promise<string>;

const lines = (output: string) => output.split("\n").filter((line) => line !== "");

/** What the dump needs of the server, and the server does not have. */
async function contentProblems(
  ask: Ask,
  contents: PostgresDumpContents,
  existing: DatabaseProperties | undefined,
  { role, isSuperuser }: Rights,
  { server }: PostgresVersions,
): Promise<string[]> {
  const problems: string[] = [];
  const { owners, grantees, extensions, tablespaces, kinds, self } = contents;
  const ofDatabase = existing === undefined ? rolesIn(self.properties.join(" ")) : [];
  const roles = [...new Set([...owners, ...grantees, ...ofDatabase])];
  if (roles.length > 0) {
    const missing = lines(
      await ask(
        `SELECT name FROM unnest(${quoteSqlTexts(roles)}) name ` +
          "WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)",
      ),
    );
    if (missing.length > 0) {
      problems.push(
        `the dump needs roles that the server does not have: ${missing.join(", ")} (make them ` +
          `with: ${missing.map((name) => `CREATE ROLE ${quoteSqlName(name)}`).join("; ")})`,
      );
    } else if (!isSuperuser && owners.length > 0) {
      const privilege = (server ?? 0) >= 16 ? "SET" : "MEMBER";
      const foreign = lines(
        await ask(
          `SELECT name FROM unnest(${quoteSqlTexts(owners)}) name ` +
            `WHERE NOT pg_has_role(current_user, name, '${privilege}')`,
        ),
      );
      if (foreign.length > 0) {
        problems.push(
          `role ${role} may not give objects to their owners: ${foreign.join(", ")} (let it with: ${
            foreign.map((name) => `GRANT ${quoteSqlName(name)} TO ${quoteSqlName(role)}`).join("; ")
          })`,
        );
      }
    }
  }
  if (extensions.length > 0) {
    const list = quoteSqlTexts(extensions);
    const missing = lines(
      await ask(
        `SELECT name FROM unnest(${list}) name ` +
          "WHERE NOT EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = name.name)",
      ),
    );
    if (missing.length > 0) {
      problems.push(`the server does not have the extensions ${missing.join(", ")}`);
    }
    if (!isSuperuser) {
      const untrusted = lines(
        await ask(
          "SELECT v.name FROM pg_available_extension_versions v JOIN pg_available_extensions a " +
            "ON a.name = v.name AND a.default_version = v.version WHERE v.superuser AND " +
            `coalesce(to_jsonb(v)->>'trusted', 'false') = 'false' AND v.name = ANY (${list})`,
        ),
      );
      if (untrusted.length > 0) {
        problems.push(
          `role ${role} is no superuser, and may not create the extensions ${untrusted.join(", ")}`,
        );
      }
    }
  }
  if (tablespaces.length > 0) {
    const missing = lines(
      await ask(
        `SELECT name FROM unnest(${quoteSqlTexts(tablespaces)}) name ` +
          "WHERE NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname = name)",
      ),
    );
    if (missing.length > 0) {
      problems.push(`the server does not have the tablespaces ${missing.join(", ")}`);
    }
  }
  const special = SUPERUSER_KINDS.filter((kind) => kinds.includes(kind));
  if (special.length > 0 && !isSuperuser) {
    problems.push(`role ${role} is no superuser, as ${special.join(" and ")} takes`);
  }
  return problems;
}

/** What keeps the database that is there from being replaced. */
async function exchangeProblems(
  { reporter }: Deployment,
  ask: Ask,
  database: string,
  { role }: Rights,
): Promise<string[]> {
  if (database === "template0" || database === "template1") {
    return [`database ${database} is the server's own`];
  }
  const name = quoteSqlText(database);
  const users = lines(
    await ask(
      `SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts WHERE database = ${name} ` +
        "UNION ALL SELECT 'replication slot ' || slot_name FROM pg_replication_slots " +
        `WHERE database = ${name} UNION ALL SELECT 'subscription ' || subname ` +
        `FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname = ${name} ` +
        "UNION ALL SELECT 'recovery: the server is a standby' WHERE pg_is_in_recovery()",
    ),
  );
  const sessions = lines(
    await ask(
      "SELECT DISTINCT r.rolname FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid " +
        `WHERE a.datname = ${name} AND a.pid <> pg_backend_pid() AND ` +
        "coalesce(a.backend_type, 'client backend') = 'client backend' AND NOT " +
        "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND (r.rolsuper OR NOT " +
        "(pg_has_role(r.oid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER')))",
    ),
  );
  if (sessions.length > 0) {
    reporter.warn(
      `Sessions of ${sessions.join(", ")} in database ${database} cannot be ended by role ` +
        `${role}: it can be replaced only once they have ended`,
    );
  }
  return users.map((user) => `database ${database} is in use by ${user}`);
}

/** Gives the database that is there what it has, and takes it back: the new one will be given it. */
async function tryProperties(
  ask: Ask,
  database: string,
  existing: DatabaseProperties,
  { role }: Rights,
): Promise<void> {
  const statements = propertyStatements(database, existing);
  if (statements.length === 0) return;
  try {
    await ask(["BEGIN", ...statements, "ROLLBACK"].join("; "));
  } catch (error) {
    // The statements are many, and stand in the command that failed.
    const said = error instanceof CommandFailedError ? error.stderrTail.trim() : "";
    throw new DeploymentRefusedError(
      `cannot restore postgresql: role ${role} may not give a new database what database ` +
        `${database} has outside of its tables (${said || messageOf(error)})`,
      { cause: error },
    );
  }
}

/** As the dump says, where the server can do it; its owner as far as there is such a role. */
async function creationOf(
  ask: Ask,
  { username }: PostgresServer,
  contents: PostgresDumpContents | undefined,
): Promise<string> {
  const encoding = /\bENCODING = '([\w-]+)'/.exec(contents?.self.definition ?? "")?.[1] ?? "UTF8";
  const wanted = [contents?.self.owner ?? "", username ?? ""].filter((name) => name !== "");
  const found = wanted.length === 0 ? [] : lines(
    await ask(
      `SELECT name FROM unnest(${quoteSqlTexts(wanted)}) WITH ORDINALITY o(name, n) ` +
        "WHERE EXISTS (SELECT FROM pg_roles r WHERE rolname = name AND " +
        "pg_has_role(current_user, r.oid, 'MEMBER')) ORDER BY n LIMIT 1",
    ),
  );
  const [owner] = found;
  return (owner === undefined ? "" : `OWNER ${quoteSqlName(owner)} `) +
    `ENCODING ${quoteSqlText(encoding)}`;
}

/** Old and new database are there at the same time. */
async function checkSpace(
  deployment: Deployment,
  client: PostgresClient,
  { database }: PostgresServer,
  bytes: number,
): Promise<void> {
  let directory: string;
  try {
    directory = await runSql(
      deployment,
      client,
      maintenanceDatabase(database),
      "SHOW data_directory",
    );
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
