/**
 * Restores into real servers: what a database has outside of its tables, and what is told before
 * anything is touched.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeploymentRefusedError } from "../../src/infrahub/deployment/mod.ts";
import {
  describe,
  dump,
  hostDeployment,
  plan,
  restore,
  URL_VARIABLE,
  withExported,
} from "./lab.ts";
import { freePorts, programsFolder, RealServer } from "./real_server.ts";

/** Two servers, the first with the deployment's database and the second without any of its roles. */
async function withServers(
  body: (first: RealServer, second: RealServer) => Promise<void>,
): Promise<void> {
  const [port = 0, otherPort = 0] = freePorts(2);
  await using first = await RealServer.start({ name: "first", port, isOnTcp: false });
  await using second = await RealServer.start({ name: "second", port: otherPort, isOnTcp: false });
  await body(first, second);
}

/** Does something with the server's description, as a role. */
function as<Value>(
  role: string,
  { socketFolder, port }: RealServer,
  body: (server: Awaited<ReturnType<typeof describe>>) => Promise<Value>,
  database = "prefect",
): Promise<Value> {
  const url = `postgresql+asyncpg://${role}@/${database}?host=${socketFolder}&port=${port}`;
  return withExported(
    { [URL_VARIABLE]: url },
    async () => await body(await describe(hostDeployment())),
  );
}

/** Why a plan is refused. */
async function refusal(
  role: string,
  server: RealServer,
  bytes: Uint8Array,
  force = false,
): Promise<string> {
  const { message } = await as<DeploymentRefusedError>(
    role,
    server,
    (description) => assertRejects(() => plan(description, bytes, force), DeploymentRefusedError),
  );
  return message;
}

/** All that a database has outside of its tables, and who may do what. */
const EVERYTHING = `SELECT jsonb_pretty(jsonb_build_object(
  'owner', pg_get_userbyid(datdba), 'encoding', encoding, 'collate', datcollate, 'ctype', datctype,
  'limit', datconnlimit, 'template', datistemplate, 'allows', datallowconn, 'acl',
  (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
  'comment', shobj_description(d.oid, 'pg_database'),
  'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace),
  'settings', (SELECT array_agg(setrole::regrole::text || ' ' || u ORDER BY setrole, n)
    FROM pg_db_role_setting s, unnest(setconfig) WITH ORDINALITY x(u, n)
    WHERE setdatabase = d.oid)))
  FROM pg_database d WHERE datname = 'prefect'`;

const PROPERTIES = [
  `ALTER DATABASE prefect SET search_path TO 'we "ird, schema', public, ''`,
  "ALTER DATABASE prefect SET statement_timeout TO '7min'",
  "ALTER DATABASE prefect SET default_transaction_read_only TO on",
  `ALTER DATABASE prefect SET "app.na_me" TO 'it''s \\ "so"'`,
  "ALTER ROLE prefect IN DATABASE prefect SET work_mem TO '5MB'",
  `ALTER ROLE "odd ""role" IN DATABASE prefect SET temp_tablespaces TO ''`,
  "REVOKE CONNECT ON DATABASE prefect FROM PUBLIC",
  `GRANT CONNECT, TEMPORARY ON DATABASE prefect TO "odd ""role" WITH GRANT OPTION`,
  "REVOKE CREATE ON DATABASE prefect FROM prefect",
  "ALTER DATABASE prefect CONNECTION LIMIT 3",
  `COMMENT ON DATABASE prefect IS 'it''s \\ ä comment'`,
  "ALTER DATABASE prefect IS_TEMPLATE true",
];

Deno.test("a restored database has what the old one had outside of its tables", async (t) => {
  await withServers(async (server) => {
    await server.sql(`CREATE ROLE "odd ""role" LOGIN`);
    await server.sql(`CREATE TABLESPACE apart LOCATION '${server.tablespaceFolder}'`);
    await server.sql("GRANT CREATE ON TABLESPACE apart TO prefect");
    await server.sql("ALTER DATABASE prefect SET TABLESPACE apart");
    for (const statement of PROPERTIES) await server.sql(statement);
    const before = await server.sql(EVERYTHING);
    assertStringIncludes(before, "default_transaction_read_only=on");
    const bytes = await as("postgres", server, dump);
    const change = "UPDATE marker SET name = 'changed'";
    await server.sql(`BEGIN; SET TRANSACTION READ WRITE; ${change}; COMMIT`, "prefect");
    await t.step("by a superuser", async () => {
      await as("postgres", server, (description) => restore(description, bytes));
      assertEquals(await server.sql(EVERYTHING), before);
      assertEquals(await server.marker(), "on-first");
    });
    const oids = () => server.sql("SELECT oid, datname FROM pg_database ORDER BY 1");
    await t.step("a plan changes nothing", async () => {
      const databases = await oids();
      await as("postgres", server, (description) => plan(description, bytes));
      assertEquals([await server.sql(EVERYTHING), await oids()], [before, databases]);
    });
    await t.step("a role that may not do all of it is refused before", async () => {
      const databases = await oids();
      const message = await refusal("prefect", server, bytes);
      assertStringIncludes(
        message,
        "role prefect may not give a new database what database prefect has outside of its tables",
      );
      assertEquals([await server.sql(EVERYTHING), await oids()], [before, databases]);
    });
    await t.step("by the database's owner, who may do the rest", async () => {
      await server.sql(`ALTER ROLE "odd ""role" IN DATABASE prefect RESET ALL`);
      await server.sql(`ALTER DATABASE prefect RESET "app.na_me"`);
      const left = await server.sql(EVERYTHING);
      await as("prefect", server, (description) => restore(description, bytes));
      assertEquals(await server.sql(EVERYTHING), left);
      assertEquals(
        await server.sql("SELECT datname FROM pg_database ORDER BY 1"),
        [
          "postgres",
          "prefect",
          "template0",
          "template1",
        ].join("\n"),
      );
    });
  });
});

Deno.test("without a database to replace, the new one is what the dump says", async (t) => {
  await withServers(async (first, second) => {
    await first.sql("ALTER DATABASE prefect SET statement_timeout TO '7min'");
    await first.sql("COMMENT ON DATABASE prefect IS 'from the dump'");
    await first.sql("CREATE ROLE reader; GRANT CONNECT ON DATABASE prefect TO reader");
    const before = await first.sql(EVERYTHING);
    const bytes = await as("postgres", first, dump);
    await second.sql("DROP DATABASE prefect");
    await t.step("roles of its grants are missed as well", async () => {
      const message = await refusal("postgres", second, bytes);
      assertStringIncludes(message, "roles that the server does not have: reader");
    });
    await t.step("restored", async () => {
      await second.sql("CREATE ROLE reader");
      await as("postgres", second, (description) => restore(description, bytes));
      assertEquals(await second.sql(EVERYTHING), before);
      assertEquals(await second.marker(), "on-first");
    });
  });
});

Deno.test("a plan tells what would fail, and changes nothing", async (t) => {
  await withServers(async (first, second) => {
    const statements = [
      "CREATE ROLE owner; CREATE ROLE reader",
      "CREATE TABLE owned (a int); ALTER TABLE owned OWNER TO owner",
      "GRANT SELECT ON owned TO reader",
      "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO reader",
      "CREATE ROLE watcher; CREATE POLICY p ON owned TO watcher USING (a > 0)",
    ];
    for (const statement of statements) await first.sql(statement, "prefect");
    const bytes = await as("postgres", first, dump);
    const databases = () => second.sql("SELECT oid, datname FROM pg_database ORDER BY 1");
    const before = await databases();
    const refuses = async (role: string, content: Uint8Array, problem: string, force = false) => {
      assertStringIncludes(await refusal(role, second, content, force), problem);
      assertEquals(await databases(), before);
    };
    await t.step("roles", async () => {
      await refuses(
        "postgres",
        bytes,
        "the dump needs roles that the server does not have: owner, reader, watcher",
      );
      await second.sql("CREATE ROLE owner; CREATE ROLE reader; CREATE ROLE watcher");
      await as("postgres", second, (description) => plan(description, bytes));
      await refuses("prefect", bytes, "role prefect may not give objects to their owners: owner");
    });
    await t.step("formats", async () => {
      const newer = bytes.slice();
      newer[6] = 17;
      await refuses("postgres", newer, "the dump is of format 1.17");
    });
    await t.step("versions", async () => {
      const version = /\d+\.\d+ \(/.exec(new TextDecoder("latin1").decode(bytes))!;
      const newer = bytes.slice();
      newer.set(new TextEncoder().encode("99"), version.index);
      await refuses("postgres", newer, "use --force to try it all the same");
      await as("postgres", second, (description) => plan(description, newer, true));
    });
    await t.step("rights", async () => {
      await second.sql("CREATE ROLE weak LOGIN");
      await refuses("weak", bytes, "role weak may not create databases");
      await second.sql("ALTER ROLE weak CREATEDB");
      await refuses("weak", bytes, "role weak does not own database prefect");
    });
    await t.step("a prepared transaction", async () => {
      await second.sql(
        `BEGIN; INSERT INTO marker VALUES ('x'); PREPARE TRANSACTION 'pt'`,
        "prefect",
      );
      await refuses("postgres", bytes, "database prefect is in use by prepared transaction pt");
      await second.sql("ROLLBACK PREPARED 'pt'", "prefect");
    });
    await t.step("a replication slot", async () => {
      await second.sql(
        "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
        "prefect",
      );
      await refuses("postgres", bytes, "database prefect is in use by replication slot s");
      await second.sql("SELECT pg_drop_replication_slot('s')");
    });
    await t.step("a subscription", async () => {
      await second.sql(
        "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)",
        "prefect",
      );
      await refuses("postgres", bytes, "database prefect is in use by subscription sub");
      await second.sql("ALTER SUBSCRIPTION sub SET (slot_name = NONE)", "prefect");
      await second.sql("DROP SUBSCRIPTION sub", "prefect");
    });
    await t.step("sessions that cannot be ended", async () => {
      await second.sql("GRANT owner, reader, watcher TO prefect");
      const { lines } = await withSession(
        second,
        () => as("prefect", second, (description) => plan(description, bytes)),
      );
      assert(
        lines.some((line) => /Sessions of postgres .* cannot be ended by role prefect/.test(line)),
        lines.join("\n"),
      );
    });
  });
});

/** Has the superuser connected to the database for as long as `body` runs. */
async function withSession<Value>(server: RealServer, body: () => Promise<Value>): Promise<Value> {
  const session = new Deno.Command(`${programsFolder()}/psql`, {
    args: [...server.arguments, "-d", "prefect"],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'prefect'";
  while (await server.sql(others) === "0") await new Promise((done) => setTimeout(done, 50));
  try {
    return await body();
  } finally {
    await session.stdin.close();
    await session.status;
  }
}

Deno.test("a database is swapped under clients that connect again and again, and stays open", async () => {
  await withServers(async (server) => {
    const bytes = await as("postgres", server, dump);
    await server.sql("UPDATE marker SET name = 'changed'", "prefect");
    let isOver = false;
    const client = (async () => {
      while (!isOver) {
        await server.sql("SELECT pg_sleep(0.01)", "prefect").catch(() => {
          // Its connection was ended for the swap, or came in the middle of it.
        });
        const closed = await server.sql(
          "SELECT count(*) FROM pg_database WHERE NOT datallowconn AND datname <> 'template0'",
        );
        assertEquals(closed, "0");
      }
    })();
    await as("prefect", server, (description) => restore(description, bytes));
    isOver = true;
    await client;
    assertEquals(await server.marker(), "on-first");
  });
});
