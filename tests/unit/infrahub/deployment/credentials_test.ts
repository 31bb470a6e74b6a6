import { assertEquals } from "@std/assert";
import { findCredentials } from "../../../../src/infrahub/mod.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { serverArguments } from "../../../../src/infrahub/postgres/sql.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

async function find(
  own: Record<string, string>,
  server: string | Error = "",
  taskManager: string | Error = "",
) {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "env", server)
    .on("task-manager", "env", taskManager);
  const { deployment, lines } = fakeDeployment(environment);
  const { neo4j, postgres } = await findCredentials(deployment, (name) => own[name]);
  const flat = (found: typeof neo4j) =>
    `${found.database}/${found.username}/${found.password.reveal()}`;
  return { neo4j: flat(neo4j), postgres: flat(postgres), lines, environment };
}

Deno.test("findCredentials() follows the order of precedence", async (t) => {
  const down = failure(["env"], 1, "not running");
  const rows: {
    name: string;
    own?: Record<string, string>;
    server?: string | Error;
    taskManager?: string | Error;
    neo4j?: string;
    postgres?: string;
  }[] = [
    { name: "nothing", neo4j: "neo4j/neo4j/admin", postgres: "prefect/postgres/prefect" },
    {
      name: "the server fills the gaps of the own environment",
      own: { INFRAHUB_DB_USERNAME: "me", INFRAHUB_DB_PASSWORD: "" },
      server: "A=1\nINFRAHUB_DB_DATABASE=graph\nINFRAHUB_DB_USERNAME=you\nINFRAHUB_DB_PASSWORD=a=b",
      neo4j: "graph/me/a=b",
    },
    {
      name: "own URL, server's name first",
      own: {
        PREFECT_API_DATABASE_CONNECTION_URL: "postgresql://a:a@h/a",
        PREFECT_SERVER_DATABASE_CONNECTION_URL: "postgresql://b:b@h/b",
      },
      taskManager: "PREFECT_API_DATABASE_CONNECTION_URL=postgresql://c:c@h/c",
      postgres: "b/b/b",
    },
    {
      name: "the task manager's URL, its order of lines does not count",
      taskManager: "PREFECT_API_DATABASE_CONNECTION_URL=postgresql://a:a@h/a\n" +
        "PREFECT_SERVER_DATABASE_CONNECTION_URL=postgresql+asyncpg://b:b@h/b",
      postgres: "b/b/b",
    },
    {
      name: "the task manager's URL overrides an incomplete own one",
      own: { PREFECT_SERVER_DATABASE_CONNECTION_URL: "postgresql://me@h/d" },
      taskManager: "PREFECT_API_DATABASE_CONNECTION_URL=postgresql://you:p@h",
      postgres: "d/you/p",
    },
    {
      name: "PG variables fill what a URL leaves out",
      own: {
        PREFECT_SERVER_DATABASE_CONNECTION_URL: "postgresql://me@h/d",
        PGPASSWORD: "libpq",
        PGUSER: "other",
      },
      postgres: "d/me/libpq",
    },
    {
      name: "PG variables alone say nothing",
      own: { PGPASSWORD: "libpq" },
      postgres: "prefect/postgres/prefect",
    },
    {
      name: "nobody can be asked",
      server: down,
      taskManager: down,
      neo4j: "neo4j/neo4j/admin",
      postgres: "prefect/postgres/prefect",
    },
  ];
  for (const { name, own = {}, server, taskManager, neo4j, postgres } of rows) {
    await t.step(name, async () => {
      const found = await find(own, server, taskManager);
      if (neo4j !== undefined) assertEquals(found.neo4j, neo4j);
      if (postgres !== undefined) assertEquals(found.postgres, postgres);
    });
  }
});

Deno.test("findCredentials() asks nobody when all is known", async () => {
  const { environment } = await find({
    INFRAHUB_DB_DATABASE: "a",
    INFRAHUB_DB_USERNAME: "b",
    INFRAHUB_DB_PASSWORD: "c",
    PREFECT_API_DATABASE_CONNECTION_URL: "postgres://u:p@h/d",
  });
  assertEquals(environment.calls, []);
});

Deno.test("findCredentials() warns, and shows no secret", async () => {
  const down = failure(["env"], 1, "gone");
  const { lines } = await find(
    { PREFECT_API_DATABASE_CONNECTION_URL: "postgres://u:hush%zz@h/d" },
    down,
    down,
  );
  assertEquals(lines, [
    'warn Could not fetch Neo4j credentials from container: command "env" exited with code 1; ' +
    "stderr: gone",
    "warn Could not parse PREFECT_API_DATABASE_CONNECTION_URL: invalid percent-encoding: " +
    "URI malformed",
    'warn Could not fetch PostgreSQL credentials from container: command "env" exited with code 1; ' +
    "stderr: gone",
  ]);
});

Deno.test("Secret prints as stars everywhere", () => {
  const secret = new Secret("hush");
  const prints = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    Deno.inspect({ secret }),
    Deno.inspect([secret], { showHidden: true }),
    secret + "",
  ];
  for (const print of prints) assertEquals(print.includes("hush"), false);
  assertEquals(prints[2], '{"secret":"***"}');
  assertEquals(secret.reveal(), "hush");
});

Deno.test("findCredentials() takes server and port from the URL where commands run on the host", async () => {
  const url = "postgresql+asyncpg://u:p@db.example:5433/d";
  for (
    const [kind, host, port] of [
      ["host", "db.example", "5433"],
      ["docker", undefined, undefined],
    ] as const
  ) {
    const environment = new FakeEnvironment(kind).on("infrahub-server", "env", "");
    const { deployment } = fakeDeployment(environment);
    const { postgres } = await findCredentials(
      deployment,
      (name) => name === "PREFECT_API_DATABASE_CONNECTION_URL" ? url : undefined,
    );
    assertEquals([postgres.host, postgres.port], [host, port], kind);
    assertEquals(
      serverArguments(postgres),
      kind === "host" ? ["-h", "db.example", "-p", "5433"] : ["-h", "localhost"],
    );
  }
});
