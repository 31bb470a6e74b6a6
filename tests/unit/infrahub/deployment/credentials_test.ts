import { assertEquals } from "@std/assert";
import { findNeo4jCredentials } from "../../../../src/infrahub/deployment/mod.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

async function find(own: Record<string, string>, server: string | Error = "") {
  const environment = new FakeEnvironment().on("infrahub-server", "env", server);
  const { deployment, lines } = fakeDeployment(environment);
  const found = await findNeo4jCredentials(deployment, (name) => own[name]);
  const flat = `${found.database}/${found.username}/${found.password.reveal()}`;
  return { flat, lines, environment };
}

Deno.test("findNeo4jCredentials() follows the order of precedence", async (t) => {
  const rows: [name: string, own: Record<string, string>, server: string | Error, want: string][] =
    [
      ["nothing", {}, "", "neo4j/neo4j/admin"],
      [
        "the server fills the gaps of the own environment",
        { INFRAHUB_DB_USERNAME: "me", INFRAHUB_DB_PASSWORD: "" },
        "A=1\nINFRAHUB_DB_DATABASE=graph\nINFRAHUB_DB_USERNAME=you\nINFRAHUB_DB_PASSWORD=a=b",
        "graph/me/a=b",
      ],
      ["nobody can be asked", {}, failure(["env"], 1, "not running"), "neo4j/neo4j/admin"],
    ];
  for (const [name, own, server, want] of rows) {
    await t.step(name, async () => assertEquals((await find(own, server)).flat, want));
  }
});

Deno.test("findNeo4jCredentials() asks Neo4j's container while the server is down", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "env", failure(["env"], 1, "not running"))
    .on("database", "printenv NEO4J_AUTH", "neo4j/first/pass");
  const { password } = await findNeo4jCredentials(
    fakeDeployment(environment).deployment,
    () => undefined,
  );
  assertEquals(password.reveal(), "first/pass");
});

Deno.test("findNeo4jCredentials() asks nobody when all is known, and warns when nobody answers", async () => {
  const { environment } = await find({
    INFRAHUB_DB_DATABASE: "a",
    INFRAHUB_DB_USERNAME: "b",
    INFRAHUB_DB_PASSWORD: "c",
  });
  assertEquals(environment.calls, []);
  assertEquals((await find({}, failure(["env"], 1, "gone"))).lines, [
    'warn Could not fetch Neo4j credentials from container: command "env" exited with code 1; ' +
    "stderr: gone",
  ]);
});

Deno.test("findNeo4jCredentials() finds the server of a host where Infrahub's variables say", async (t) => {
  const rows: readonly [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ INFRAHUB_DB_ADDRESS: "db" }, "bolt://db:7687"],
    [{ INFRAHUB_DB_ADDRESS: "db", INFRAHUB_DB_PORT: "7" }, "bolt://db:7"],
    [{ INFRAHUB_DB_ADDRESS: "a:1, b:2", INFRAHUB_DB_PROTOCOL: "neo4j" }, "neo4j://a:1"],
    [{ INFRAHUB_DB_ADDRESS: "db", INFRAHUB_DB_TLS_ENABLED: "true" }, "bolt+s://db:7687"],
    [
      {
        INFRAHUB_DB_ADDRESS: "db",
        INFRAHUB_DB_TLS_ENABLED: "true",
        INFRAHUB_DB_TLS_INSECURE: "True",
      },
      "bolt+ssc://db:7687",
    ],
    [{ INFRAHUB_DB_ADDRESS: "db", NEO4J_URI: "bolt://own" }, undefined],
    [{ INFRAHUB_DB_ADDRESS: "db", NEO4J_ADDRESS: "bolt://own" }, undefined],
  ];
  for (const [variables, uri] of rows) {
    await t.step(JSON.stringify(variables), async () => {
      const text = Object.entries(variables).map(([name, value]) => `${name}=${value}`).join("\n");
      for (const kind of ["host", "docker"] as const) {
        const environment = new FakeEnvironment(kind).on("infrahub-server", /^env$/, text);
        const found = await findNeo4jCredentials(fakeDeployment(environment).deployment, () => "");
        // In a container the programs run beside the server.
        assertEquals(found.uri, kind === "host" ? uri : undefined);
      }
    });
  }
});
