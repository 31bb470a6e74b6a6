import { assertEquals, assertRejects } from "@std/assert";
import { InvalidInputError } from "../../../../src/infrahub/mod.ts";
import {
  findPostgresServer,
  formatServer,
  type PostgresServer,
} from "../../../../src/infrahub/postgres/mod.ts";
import { withTempDirectory } from "../_support.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const API = "PREFECT_API_DATABASE_CONNECTION_URL";
const SERVER = "PREFECT_SERVER_DATABASE_CONNECTION_URL";
const TLS = "PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_";

type Variables = Readonly<Record<string, string>>;

async function find(
  kind: "docker" | "host",
  own: Variables,
  taskManager: Variables | Error = {},
) {
  const environment = new FakeEnvironment(kind).on(
    "task-manager",
    "env",
    taskManager instanceof Error
      ? taskManager
      : Object.entries(taskManager).map(([name, value]) => `${name}=${value}`).join("\n"),
  );
  const { deployment, lines } = fakeDeployment(environment);
  return { server: await findPostgresServer(deployment, (name) => own[name]), lines, environment };
}

/** Where, as whom, with which password, which database, and how. */
function flat({ endpoints, username, password, database, parameters }: PostgresServer): string {
  const at = endpoints.map(({ host, port }) => `${host}|${port}`).join(" ");
  const others = Object.entries(parameters).map(([name, value]) => ` ${name}=${value}`).join("");
  return `${at} ${username ?? "-"} ${password?.reveal() ?? "-"} ${database}${others}`;
}

Deno.test("findPostgresServer() follows the order of precedence", async (t) => {
  const rows: {
    name: string;
    kind?: "host";
    own?: Variables;
    taskManager?: Variables | Error;
    want: string;
  }[] = [
    { name: "nothing, in containers", want: "localhost| postgres prefect prefect" },
    {
      name: "nobody can be asked",
      taskManager: failure(["env"], 1, "down"),
      want: "localhost| postgres prefect prefect",
    },
    {
      name: "own URL, the server's name first",
      own: { [API]: "postgresql://a:a@h/a", [SERVER]: "postgresql://b:b@h/b" },
      taskManager: { [API]: "postgresql://c:c@h/c" },
      want: "h| b b b",
    },
    {
      name: "the task manager's URL, its order of lines does not count",
      taskManager: { [API]: "postgresql://a:a@h/a", [SERVER]: "postgresql+asyncpg://b:b@h/b" },
      want: "h| b b b",
    },
    {
      name: "the task manager's URL comes before an incomplete own one",
      own: { [SERVER]: "postgresql://me@x/d" },
      taskManager: { [API]: "postgresql://you:p@h" },
      want: "h| you p d",
    },
    {
      name: "libpq's variables fill what a URL leaves out",
      own: { [SERVER]: "postgresql://me@h/d", PGPASSWORD: "libpq", PGUSER: "other" },
      want: "h| me libpq d",
    },
    {
      name: "those of the place where the URL is",
      own: { PGUSER: "mine", PGDATABASE: "mine" },
      taskManager: { [API]: "postgresql+asyncpg://h", PGUSER: "u", PGPASSWORD: "p" },
      want: "h| u p u",
    },
    {
      name: "an address of the task manager's own",
      taskManager: { [API]: "postgresql+asyncpg://u:p@/d", PGHOST: "h", PGPORT: "7" },
      want: "h|7 u p d",
    },
    {
      name: "an address of the operator's shell says nothing in containers",
      own: { [API]: "postgresql+asyncpg://u:p@/d", PGHOST: "h", PGPORT: "7" },
      want: "| u p d",
    },
    {
      name: "the operator knows a password that the task manager reads from a file",
      own: { PGPASSWORD: "known" },
      taskManager: { [API]: "postgresql+asyncpg://u@h/d" },
      want: "h| u known d",
    },
    {
      name: "they alone say nothing in containers",
      own: { PGHOST: "elsewhere", PGUSER: "other" },
      want: "localhost| postgres prefect prefect",
    },
    {
      name: "they alone describe a server on a host",
      kind: "host",
      own: { PGHOST: "h", PGPORT: "7", PGUSER: "u", PGDATABASE: "d", PGSSLMODE: "require" },
      want: "h|7 u - d sslmode=require",
    },
    {
      name: "a URL is not overridden by them",
      kind: "host",
      own: {
        [API]: "postgresql+asyncpg://u:p@h:5432/d?ssl=require",
        PGHOST: "x",
        PGHOSTADDR: "9.9.9.9",
        PGPORT: "9",
        PGUSER: "x",
        PGPASSWORD: "x",
        PGDATABASE: "x",
        PGSERVICE: "x",
        PGSSLMODE: "disable",
        PGSSLROOTCERT: "/ca",
      },
      want: "h|5432 u p d sslmode=require sslrootcert=/ca",
    },
    {
      name: "a database of the role's name",
      kind: "host",
      own: { [API]: "postgresql+asyncpg://u@h" },
      want: "h| u - u",
    },
    {
      name: "Prefect's single settings",
      kind: "host",
      own: {
        PREFECT_API_DATABASE_DRIVER: "postgresql+asyncpg",
        PREFECT_API_DATABASE_HOST: "h",
        PREFECT_SERVER_DATABASE_HOST: "first",
        PREFECT_API_DATABASE_PORT: "7",
        PREFECT_API_DATABASE_USER: "u",
        PREFECT_API_DATABASE_NAME: "d",
        PREFECT_API_DATABASE_PASSWORD: "p/?@:#%",
      },
      want: "first|7 u p/?@:#% d",
    },
    {
      name: "the place for a password in a URL",
      kind: "host",
      own: {
        [API]: "postgresql+asyncpg://u:${PREFECT_API_DATABASE_PASSWORD}@h/d",
        PREFECT_SERVER_DATABASE_PASSWORD: "$&x",
      },
      want: "h| u $&x d",
    },
    {
      name: "Prefect's certificates",
      kind: "host",
      own: {
        [API]: "postgresql+asyncpg://u:p@h/d?ssl=prefer",
        [`${TLS}ENABLED`]: "True",
        [`${TLS}CA_FILE`]: "/ca",
        [`${TLS}CERT_FILE`]: "/c",
        [`${TLS}KEY_FILE`]: "/k",
        [`${TLS}CHECK_HOSTNAME`]: "false",
      },
      want: "h| u p d sslmode=verify-ca sslrootcert=/ca sslcert=/c sslkey=/k",
    },
  ];
  for (const { name, kind = "docker", own = {}, taskManager, want } of rows) {
    await t.step(name, async () => {
      assertEquals(flat((await find(kind, own, taskManager)).server), want);
    });
  }
});

Deno.test("findPostgresServer() asks nobody when all is known", async () => {
  const { environment } = await find("docker", { [API]: "postgres://u:p@h/d" });
  assertEquals(environment.calls, []);
});

Deno.test("findPostgresServer() refuses what it cannot honour, and names it", async (t) => {
  const rows: [
    name: string,
    own: Variables,
    problem: string,
    kind?: "docker" | "host",
    taskManager?: Variables,
  ][] = [
    [
      "nothing",
      {},
      "no PostgreSQL server is named: set PREFECT_API_DATABASE_CONNECTION_URL",
    ],
    [
      "another database system",
      { [API]: "sqlite+aiosqlite:////x.db" },
      `${API} names another database system (sqlite+aiosqlite), not PostgreSQL`,
    ],
    [
      "in a container",
      {},
      `${API} of task-manager names another database system (sqlite+aiosqlite)`,
      "docker",
      { [API]: "sqlite+aiosqlite:////x.db" },
    ],
    ["unreadable", { [API]: "postgresql+asyncpg://u:hush@x@h/d" }, `${API} cannot be read as`],
    [
      "another driver",
      { PREFECT_API_DATABASE_DRIVER: "sqlite+aiosqlite", PREFECT_API_DATABASE_NAME: "hush" },
      "PREFECT_API_DATABASE_DRIVER names another database system (sqlite+aiosqlite)",
    ],
    [
      "settings without a driver",
      { PREFECT_API_DATABASE_HOST: "h", PREFECT_API_DATABASE_PASSWORD: "hush" },
      "PREFECT_API_DATABASE_HOST counts for Prefect only together with " +
      "PREFECT_API_DATABASE_DRIVER=postgresql+asyncpg",
    ],
    [
      "settings that lack some",
      { PREFECT_API_DATABASE_DRIVER: "postgresql+asyncpg", PREFECT_API_DATABASE_HOST: "h" },
      "PREFECT_API_DATABASE_DRIVER needs PREFECT_API_DATABASE_USER, PREFECT_API_DATABASE_NAME",
    ],
    [
      "a place for a password that is not set",
      { [API]: "postgresql+asyncpg://u:${PREFECT_API_DATABASE_PASSWORD}@h/d" },
      `${API} has a place for PREFECT_API_DATABASE_PASSWORD, which is not set`,
    ],
    [
      "PGHOST beside a URL without a host",
      { [API]: "postgresql+asyncpg://u:hush@/d", PGHOST: "h" },
      `${API} names no host, and PGHOST must not choose the server`,
    ],
    [
      "PGPORT beside a URL without a port",
      { [API]: "postgresql+asyncpg://u:hush@h/d", PGPORT: "7" },
      `${API} names no port, and PGPORT must not choose the server`,
    ],
    [
      "no names at all",
      { [API]: "postgresql+asyncpg://h" },
      `${API} names neither a database nor a user`,
    ],
    [
      "a service in a container",
      {},
      `${API} of task-manager names the service s, whose file cannot be read from here`,
      "docker",
      { [API]: "postgresql+asyncpg://u:hush@/d?service=s" },
    ],
    [
      "a service that is nowhere",
      { PGSERVICE: "s", PGSERVICEFILE: "/nowhere" },
      "PGSERVICE, PGSERVICEFILE: the service s is in no service file (looked at /nowhere)",
    ],
    [
      "names that nobody can check",
      {
        [API]: "postgresql+asyncpg://u:hush@h/d",
        [`${TLS}ENABLED`]: "1",
        [`${TLS}CHECK_HOSTNAME`]: "0",
      },
      `${TLS}CHECK_HOSTNAME cannot be honoured without ${TLS}CA_FILE`,
    ],
  ];
  for (const [name, own, problem, kind = "host", taskManager] of rows) {
    await t.step(name, async () => {
      const { message } = await assertRejects(
        () => find(kind, own, taskManager),
        InvalidInputError,
      );
      assertEquals(message.slice(0, problem.length), problem);
      assertEquals(message.includes("hush"), false);
    });
  }
});

Deno.test("findPostgresServer() reads libpq's service file, where the URL's own words come first", async () => {
  await withTempDirectory(async (directory) => {
    const file = `${directory}/services`;
    await Deno.writeTextFile(
      file,
      "# comment\n[other]\nhost=x\n\n[s]\nhost=db\nport=7\nuser=u\npassword=p/?@\nsslmode=require\n" +
        "dbname=first\ndbname=second\n[t]\nservice=s\n",
    );
    const url = `postgresql:///mine?service=s`;
    const { server } = await find("host", { [API]: url, PGSERVICEFILE: file });
    assertEquals(flat(server), "db|7 u p/?@ mine sslmode=require");
    const alone = await find("host", { PGSERVICE: "s", PGSERVICEFILE: file });
    assertEquals(flat(alone.server), "db|7 u p/?@ first sslmode=require");
    await assertRejects(
      () => find("host", { PGSERVICE: "t", PGSERVICEFILE: file }),
      InvalidInputError,
      `line 14 of the service file ${file} cannot be honoured`,
    );
  });
});

Deno.test("formatServer() tells all but the password", async () => {
  const rows: [url: string, want: string][] = [
    [
      "postgresql+asyncpg://u:hush@h/d?ssl=verify-full&sslrootcert=/ca",
      "database d at h:5432 as u with sslmode=verify-full sslrootcert=/ca",
    ],
    ["postgresql+asyncpg://u:hush@[::1]:7/d", "database d at [::1]:7 as u"],
    [
      "postgresql+asyncpg://u:hush@/d?host=/run/pg&port=7",
      "database d at socket /run/pg, port 7 as u",
    ],
    ["postgresql:///d", "database d at the local socket"],
    ["postgresql://h1:1,h2:2/d", "database d at h1:1 or h2:2"],
  ];
  for (const [url, want] of rows) {
    const { server } = await find("host", { [API]: url });
    assertEquals(formatServer(server), `${want} (${API})`);
  }
});
