/** What the header and table of contents of a PostgreSQL dump tell. */
export interface PostgresDumpContents {
  /** Minor version of the archive's format, whose major version is 1. */
  readonly formatMinor: number;
  /** The database that was dumped. */
  readonly database: string;
  /** Version of the server that it was dumped from: `15.18 (Debian …)`. */
  readonly serverVersion: string;
  /** Version of the `pg_dump` that made it. */
  readonly programVersion: string;
  /** Roles that own something. */
  readonly owners: readonly string[];
  /** Roles that are named by grants and policies of what is inside of the database. */
  readonly grantees: readonly string[];
  readonly extensions: readonly string[];
  readonly tablespaces: readonly string[];
  /** Kinds of objects: `TABLE`, `EVENT TRIGGER`, … */
  readonly kinds: readonly string[];
  /** What the dump says of the database itself. */
  readonly self: DumpedDatabase;
}

/** What a dump says of its database. */
export interface DumpedDatabase {
  readonly owner: string;
  /** Statement that creates it; empty when the dump has none. */
  readonly definition: string;
  /** Statements for its grants, settings, comment and labels, by its name in the dump. */
  readonly properties: readonly string[];
}

/** An entry of the table of contents, as far as it is of use. */
export interface DumpEntry {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  readonly tablespace: string;
  /** Empty where it was not kept. */
  readonly definition: string;
}

/** Kinds whose definitions name roles. */
const WITH_ROLES: ReadonlySet<string> = new Set([
  "ACL",
  "COLUMN ACL",
  "DEFAULT ACL",
  "POLICY",
  "USER MAPPING",
]);

/** Whether an entry's definition is looked at. */
export function isDefinitionOfUse(kind: string, name: string): boolean {
  return WITH_ROLES.has(kind) || kind.startsWith("DATABASE") || isOfDatabase(kind, name);
}

function isOfDatabase(kind: string, name: string): boolean {
  return kind === "DATABASE PROPERTIES" ||
    (["ACL", "COMMENT", "SECURITY LABEL"].includes(kind) && name.startsWith("DATABASE "));
}

/** Gathers the entries of a table of contents. */
export class ContentsCollector {
  readonly #owners = new Set<string>();
  readonly #grantees = new Set<string>();
  readonly #extensions = new Set<string>();
  readonly #tablespaces = new Set<string>();
  readonly #kinds = new Set<string>();
  readonly #properties: string[] = [];
  #owner = "";
  #definition = "";

  add({ name, kind, owner, tablespace, definition }: DumpEntry): void {
    this.#kinds.add(kind);
    if (kind === "DATABASE") {
      this.#owner = owner;
      this.#definition = definition;
      return;
    }
    if (isOfDatabase(kind, name)) {
      if (definition !== "") this.#properties.push(definition);
      return;
    }
    if (owner !== "") this.#owners.add(owner);
    if (tablespace !== "") this.#tablespaces.add(tablespace);
    if (kind === "EXTENSION") this.#extensions.add(name);
    if (WITH_ROLES.has(kind)) { for (const role of rolesIn(definition)) this.#grantees.add(role); }
  }

  /** What was gathered. */
  finish(
    header: Pick<
      PostgresDumpContents,
      "formatMinor" | "database" | "serverVersion" | "programVersion"
    >,
  ): PostgresDumpContents {
    return {
      ...header,
      owners: [...this.#owners],
      grantees: [...this.#grantees],
      extensions: [...this.#extensions],
      tablespaces: [...this.#tablespaces],
      kinds: [...this.#kinds],
      self: {
        owner: this.#owner,
        definition: this.#definition,
        properties: this.#properties,
      },
    };
  }
}

/**
 * Roles that statements of `pg_dump` name: after `TO`, `FROM`, `FOR ROLE`, `FOR USER`, `SESSION
 * AUTHORIZATION` and `ALTER ROLE`, of which there may be several with commas between them.
 */
export function rolesIn(statements: string): string[] {
  const roles: string[] = [];
  const tokens = [
    ...statements.matchAll(/"((?:[^"]|"")*)"|'(?:[^']|'')*'|([\p{L}_][\p{L}\p{N}_$]*)|(\S)/gu),
  ].map(([, quoted, word, other]) =>
    quoted !== undefined
      ? { name: quoted.replaceAll('""', '"'), text: "" }
      : word !== undefined
      ? { name: word, text: word }
      : { name: undefined, text: other ?? "" }
  );
  for (let at = 0; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    const before = tokens[at - 1]?.text ?? "";
    const isIntroduced = text === "TO" || text === "FROM" || text === "AUTHORIZATION" ||
      ((text === "ROLE" || text === "USER") && (before === "FOR" || before === "ALTER"));
    // An expression of a policy ends what can name roles in it.
    if (text === "USING" || text === "CHECK") {
      while (at + 1 < tokens.length && tokens[at + 1]!.text !== ";") at++;
      continue;
    }
    if (!isIntroduced) continue;
    do {
      const role = tokens[++at];
      if (role?.name === undefined) break;
      if (!["PUBLIC", "DEFAULT"].includes(role.text)) roles.push(role.name);
    } while (tokens[at + 1]?.text === "," && ++at > 0);
  }
  return roles;
}
