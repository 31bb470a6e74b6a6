/**
 * The programs that a deployment needs on the host where this program runs, by the kind of the
 * deployment. In containers the programs of the databases and of Infrahub are started there, by the
 * client; on a host they are all started here. `docs/threat-model.md` shows this table.
 *
 * What operators name themselves is not in it: the commands of `create from-commands`.
 */
export const PROGRAMS = {
  docker: ["docker"],
  kubernetes: ["kubectl"],
  host: [
    // Services, and other users.
    "systemctl",
    "id",
    "runuser",
    "sh",
    // Neo4j.
    "cypher-shell",
    "neo4j-admin",
    // PostgreSQL.
    "pg_dump",
    "pg_isready",
    "pg_restore",
    "psql",
    // Redis.
    "redis-cli",
    // Infrahub, and its task manager.
    "infrahub",
    "infrahubctl",
    "python",
    // Files.
    "cat",
    "chown",
    "df",
    "du",
    "env",
    "find",
    "ls",
    "mkdir",
    "printenv",
    "rm",
    "tar",
    "whoami",
  ],
} as const;
