import type { PostgresServer } from "../../../../src/infrahub/postgres/mod.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";

/** A description of the server beside which programs run in containers, or of another one. */
export function postgresServer(differences: Partial<PostgresServer> = {}): PostgresServer {
  return {
    endpoints: [{ host: "task-manager-db", port: "" }],
    database: "prefect",
    username: "prefect",
    password: new Secret("hush"),
    parameters: {},
    origin: "a test",
    isOfTaskManager: true,
    ...differences,
  };
}
