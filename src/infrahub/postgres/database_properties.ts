import { type Deployment, DeploymentError } from "../deployment/mod.ts";
import { attempt } from "../deployment/mod.ts";
import type { PostgresClient } from "./client.ts";
import { maintenanceDatabase, quoteSqlName, quoteSqlText, runSql } from "./sql.ts";

/** A right on a database. */
export interface DatabaseGrant {
  /** A role; undefined for everybody. */
  readonly grantee: string | undefined;
  /** Such as `CONNECT`. */
  readonly privilege: string;
  readonly grantable: boolean;
}

/** A setting that sessions in a database begin with. */
export interface DatabaseSetting {
  /** The role whose sessions; undefined for all. */
  readonly role: string | undefined;
  readonly name: string;
  /** As the catalogue has it. */
  readonly value: string;
}

/** What a database has outside of its tables, and the one that replaces it has to have as well. */
export interface DatabaseProperties {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** How locales are done, as `CREATE DATABASE` wants it; empty before PostgreSQL 15. */
  readonly localeProvider: string;
  readonly tablespace: string | undefined;
  readonly connectionLimit: number;
  readonly isTemplate: boolean;
  readonly comment: string | undefined;
  /** Undefined where the rights are those of every new database. */
  readonly grants: readonly DatabaseGrant[] | undefined;
  readonly settings: readonly DatabaseSetting[];
  readonly labels: readonly { readonly provider: string; readonly label: string }[];
}

const NO_LIMIT = -1;
/** Their values are lists of names, quoted one by one in the catalogue. */
const LIST_SETTINGS: readonly string[] = [
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
];

/**
 * Looks at a database.
 *
 * @returns undefined when there is none of that name
 * @throws {DeploymentError} when it cannot be looked at
 */
export async function readDatabaseProperties(
  deployment: Deployment,
  client: PostgresClient,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const what = `failed to look at database ${database}`;
  const output = await attempt(
    deployment,
    what,
    () => runSql(deployment, client, maintenanceDatabase(database), propertiesQuery(database)),
  );
  if (output.trim() === "") return undefined;
  const found = JSON.parse(output) as Record<string, unknown>;
  const text = (key: string) => {
    const value = found[key];
    if (typeof value === "string") return value;
    throw new DeploymentError(`${what}: it has no ${key}`);
  };
  const limit = found.connectionLimit;
  return {
    owner: text("owner"),
    encoding: text("encoding"),
    collate: text("collate"),
    ctype: text("ctype"),
    localeProvider: describeProvider(found),
    tablespace: textOf(found.tablespace),
    connectionLimit: typeof limit === "number" && limit > NO_LIMIT ? limit : NO_LIMIT,
    isTemplate: found.isTemplate === true,
    comment: textOf(found.comment),
    grants: Array.isArray(found.grants)
      ? rowsOf(found.grants).map((row) => ({
        grantee: textOf(row.grantee),
        privilege: String(row.privilege),
        grantable: row.grantable === true,
      }))
      : undefined,
    settings: rowsOf(found.settings).map((row) => {
      const setting = String(row.setting);
      const at = setting.indexOf("=");
      return {
        role: textOf(row.role),
        name: setting.slice(0, at),
        value: setting.slice(at + 1),
      };
    }),
    labels: rowsOf(found.labels).map((row) => ({
      provider: String(row.provider),
      label: String(row.label),
    })),
  };
}

/** By way of JSON, since not every version has all of these columns. */
function propertiesQuery(database: string): string {
  return "SELECT json_build_object('owner', pg_get_userbyid(datdba), " +
    "'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype, " +
    "'provider', to_jsonb(d)->>'datlocprovider', 'locale', " +
    "coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'), " +
    "'icuRules', to_jsonb(d)->>'daticurules', " +
    "'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace), " +
    "'connectionLimit', datconnlimit, 'isTemplate', datistemplate, " +
    "'comment', shobj_description(d.oid, 'pg_database'), " +
    "'grants', CASE WHEN datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object(" +
    "'grantee', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, " +
    "'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]') " +
    "FROM aclexplode(datacl) a) END, " +
    "'settings', (SELECT json_agg(json_build_object(" +
    "'role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, 'setting', u.setting)) " +
    "FROM pg_db_role_setting s, unnest(s.setconfig) u(setting) WHERE s.setdatabase = d.oid), " +
    "'labels', (SELECT json_agg(json_build_object('provider', l.provider, 'label', l.label)) " +
    "FROM pg_shseclabel l WHERE l.objoid = d.oid AND l.classoid = 'pg_database'::regclass)) " +
    `FROM pg_database d WHERE datname = ${quoteSqlText(database)}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function rowsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map((row) => Object(row) as Record<string, unknown>) : [];
}

function describeProvider({ provider, locale, icuRules }: Record<string, unknown>): string {
  const name = provider === "i" ? "icu" : provider === "b" ? "builtin" : undefined;
  if (name === undefined || typeof locale !== "string") return "";
  return ` LOCALE_PROVIDER ${name} ${name.toUpperCase()}_LOCALE ${quoteSqlText(locale)}` +
    (typeof icuRules === "string" ? ` ICU_RULES ${quoteSqlText(icuRules)}` : "");
}

/** What `CREATE DATABASE name TEMPLATE template0` has to go on with. */
export function creationClauses(properties: DatabaseProperties): string {
  const { owner, encoding, collate, ctype, localeProvider, tablespace } = properties;
  return `OWNER ${quoteSqlName(owner)} ENCODING ${quoteSqlText(encoding)} ` +
    `LC_COLLATE ${quoteSqlText(collate)} LC_CTYPE ${quoteSqlText(ctype)}${localeProvider}` +
    // The template's own, which a role may use without a right to it.
    (tablespace === undefined || tablespace === "pg_default"
      ? ""
      : ` TABLESPACE ${quoteSqlName(tablespace)}`);
}

/** Statements that give a database all that it cannot be created with. */
export function propertyStatements(name: string, properties: DatabaseProperties): string[] {
  const { owner, connectionLimit, isTemplate, comment, grants, settings, labels } = properties;
  const database = quoteSqlName(name);
  return [
    ...(connectionLimit === NO_LIMIT
      ? []
      : [`ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit}`]),
    ...(isTemplate ? [`ALTER DATABASE ${database} IS_TEMPLATE true`] : []),
    ...(comment === undefined
      ? []
      : [`COMMENT ON DATABASE ${database} IS ${quoteSqlText(comment)}`]),
    ...labels.map(({ provider, label }) =>
      `SECURITY LABEL FOR ${quoteSqlName(provider)} ON DATABASE ${database} IS ${
        quoteSqlText(label)
      }`
    ),
    ...(grants === undefined ? [] : [
      // A new database has the usual rights, of which the old one may have lost some.
      `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${quoteSqlName(owner)}`,
      ...grants.map(({ grantee, privilege, grantable }) =>
        `GRANT ${privilege} ON DATABASE ${database} TO ` +
        (grantee === undefined ? "PUBLIC" : quoteSqlName(grantee)) +
        (grantable ? " WITH GRANT OPTION" : "")
      ),
    ]),
    ...settings.map(({ role, name: setting, value }) =>
      (role === undefined
        ? `ALTER DATABASE ${database}`
        : `ALTER ROLE ${quoteSqlName(role)} IN DATABASE ${database}`) +
      ` SET ${settingName(setting)} TO ${settingValue(setting, value)}`
    ),
  ];
}

/** A name with a point in it is made of two. */
function settingName(name: string): string {
  return name.split(".").map(quoteSqlName).join(".");
}

function settingValue(name: string, value: string): string {
  if (!LIST_SETTINGS.includes(name.toLowerCase())) return quoteSqlText(value);
  const names = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]+))\s*(?:,|$)/g)].map((match) =>
    match[1]?.replaceAll('""', '"') ?? match[2]?.trim() ?? ""
  );
  return names.length === 0 ? quoteSqlText(value) : names.map(quoteSqlText).join(", ");
}
