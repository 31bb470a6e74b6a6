import { assertEquals } from "@std/assert";
import {
  creationClauses,
  propertyStatements,
  readDatabaseProperties,
} from "../../../../src/infrahub/postgres/database_properties.ts";
import { describedClient } from "../../../../src/infrahub/postgres/client.ts";
import { postgresServer } from "./_server.ts";
import { fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const BARE = { owner: 'o"w', encoding: "UTF8", collate: "C", ctype: "C" };

async function read(found: Record<string, unknown>) {
  const environment = new FakeEnvironment().on("task-manager-db", "psql", JSON.stringify(found));
  const { deployment } = fakeDeployment(environment);
  const client = describedClient(deployment, postgresServer());
  const properties = await readDatabaseProperties(deployment, client, "prefect");
  if (properties === undefined) throw new Error("no database");
  return properties;
}

Deno.test("a plain database is given nothing", async () => {
  const properties = await read(BARE);
  assertEquals(propertyStatements("new", properties), []);
  assertEquals(
    creationClauses(properties),
    `OWNER "o""w" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
});

Deno.test("a database is created and given all that the old one has", async () => {
  const properties = await read({
    ...BARE,
    provider: "i",
    locale: "de-DE",
    icuRules: "&a < b",
    tablespace: "apart",
    connectionLimit: 0,
    isTemplate: true,
    comment: "it's",
    grants: [
      { grantee: null, privilege: "CONNECT", grantable: false },
      { grantee: "r", privilege: "CREATE", grantable: true },
    ],
    settings: [
      { role: null, setting: 'search_path="$user", "a ""b", public' },
      { role: null, setting: 'search_path=""' },
      { role: "r", setting: "app.name=a=b, c" },
    ],
    labels: [{ provider: "p", label: "l" }],
  });
  assertEquals(
    creationClauses(properties),
    `OWNER "o""w" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ` +
      `ICU_LOCALE 'de-DE' ICU_RULES '&a < b' TABLESPACE "apart"`,
  );
  assertEquals(propertyStatements("n", properties), [
    'ALTER DATABASE "n" CONNECTION LIMIT 0',
    'ALTER DATABASE "n" IS_TEMPLATE true',
    `COMMENT ON DATABASE "n" IS 'it''s'`,
    `SECURITY LABEL FOR "p" ON DATABASE "n" IS 'l'`,
    'REVOKE ALL ON DATABASE "n" FROM PUBLIC, "o""w"',
    'GRANT CONNECT ON DATABASE "n" TO PUBLIC',
    'GRANT CREATE ON DATABASE "n" TO "r" WITH GRANT OPTION',
    `ALTER DATABASE "n" SET "search_path" TO '$user', 'a "b', 'public'`,
    `ALTER DATABASE "n" SET "search_path" TO ''`,
    `ALTER ROLE "r" IN DATABASE "n" SET "app"."name" TO 'a=b, c'`,
  ]);
});
