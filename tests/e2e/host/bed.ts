/**
 * A deployment without containers: a PostgreSQL server of Debian and a Neo4j Community server from
 * its jars run on this machine, each as its own unprivileged user, on loopback, below a temporary
 * folder. Both are real; `systemctl` is a stand-in, and so are the other services.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { bringUpHost, exclusively, run } from "../../../scripts/e2e/stack.ts";
import type { Data, Database, Instant, Target, TestBed } from "../bed.ts";
import { changeData, COMMUNITY_PROGRAMS, seedData } from "../compose_bed.ts";
import { type CommandResult, type ExecOptions, SERVICES, waitUntil } from "../deployment.ts";
import { type Fault, FAULTS, spoiltProgram } from "../faults.ts";
import { cypher, neo4jReady, type Neo4jServer, readAllNodes } from "../neo4j.ts";
import { postgresReady, type PostgresServer, readAllRows, sql } from "../postgres.ts";

const SOURCES = new URL(".", import.meta.url).pathname;
const IMAGE = new URL("../images/neo4j/", import.meta.url).pathname;
const POSTGRES_VERSIONS = "/usr/lib/postgresql";
const NEO4J_USER = "neo4j";
/** The server's user; the package brings it. */
const POSTGRES_USER = "postgres";
/** The role of the task manager: it may create databases, and nothing else. */
const ROLE = "prefect";
/** Marks what the tool starts. */
const MARK = "INFRAHUB_E2E_HOST";
const GONE_TIMEOUT_MS = 20_000;

const CREATE_INSTANTS: readonly Instant[] = [
  { name: "the edition is asked for", event: /^started: cypher-shell/ },
  { name: "services begin to stop", event: /Stopping Infrahub application services/ },
  { name: "Neo4j is being stopped", event: /^started: systemctl stop database/ },
  {
    name: "Neo4j is being dumped",
    event: /^started: neo4j-admin database dump/,
    stall: { database: "neo4j", operation: "dump" },
  },
  {
    name: "PostgreSQL is being dumped",
    event: /^started: pg_dump/,
    stall: { database: "postgres", operation: "dump" },
  },
  { name: "services begin to start", event: /Starting Infrahub application services/ },
];

const RESTORE_INSTANTS: readonly Instant[] = [
  { name: "services begin to stop", event: /Stopping Infrahub application services/ },
  {
    name: "PostgreSQL is being restored",
    event: /^started: pg_restore/,
    stall: { database: "postgres", operation: "restore" },
  },
  { name: "PostgreSQL has been restored", event: /PostgreSQL database restored/ },
  {
    name: "Neo4j is being restored",
    event: /^started: runuser .*neo4j-admin database load/,
    stall: { database: "neo4j", operation: "restore" },
  },
  { name: "Neo4j is being stopped", event: /^started: systemctl stop database/ },
  { name: "Neo4j is being started", event: /^started: systemctl start database/ },
];

/** Databases on this machine itself. */
export class HostBed implements TestBed, Neo4jServer, PostgresServer {
  readonly name = "host, real PostgreSQL and Neo4j Community, stand-in for systemctl";
  readonly neo4jEdition = "community";
  readonly clients = ["systemctl", "cypher-shell", "neo4j-admin", "runuser", ...POSTGRES_CLIENTS];
  readonly instants = { create: CREATE_INSTANTS, restore: RESTORE_INSTANTS };
  readonly passwords = {
    neo4j: `n$'"${crypto.randomUUID()}`,
    postgres: `p/@%'${crypto.randomUUID()}`,
  };
  /** Everything lies below it. */
  readonly folder: string;
  readonly #address = newLoopbackAddress();
  readonly #port = freePort();
  #postgresPrograms = "";
  #before: readonly string[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts both servers. Needs root. */
  static async start(): Promise<HostBed> {
    const jars = await bringUpHost();
    const folder = await Deno.makeTempDir({ prefix: "infrahub-backup-host-" });
    const bed = new HostBed(folder);
    try {
      await bed.#setUp(jars);
      bed.#before = await bed.#shape();
      return bed;
    } catch (error) {
      await bed[Symbol.asyncDispose]();
      throw error;
    }
  }

  get toolArguments(): readonly string[] {
    return ["--host", ...SERVICES.flatMap((service) => ["--host-unit", `${service}=${service}`])];
  }

  get toolEnvironment(): Readonly<Record<string, string>> {
    const password = encodeURIComponent(this.passwords.postgres);
    return {
      PATH: this.#path,
      NEO4J_HOME: `${this.folder}/neo4j`,
      NEO4J_URI: `bolt://${this.#address}:7687`,
      HOST_UNITS: `${this.folder}/units`,
      PREFECT_API_DATABASE_CONNECTION_URL:
        `postgresql+asyncpg://${ROLE}:${password}@localhost:${this.#port}/prefect`,
      INFRAHUB_DB_USERNAME: "neo4j",
      INFRAHUB_DB_DATABASE: "neo4j",
      INFRAHUB_DB_PASSWORD: this.passwords.neo4j,
      [MARK]: this.folder,
    };
  }

  /** The folder of PostgreSQL's socket, where the operating system says who somebody is. */
  get socketFolder(): string {
    return `${this.folder}/socket`;
  }

  get #path(): string {
    const folders = ["spoilt", "bin", "neo4j/bin"].map((name) => `${this.folder}/${name}`);
    return [...folders, this.#postgresPrograms, Deno.env.get("PATH") ?? ""].join(":");
  }

  /** Where the graph database listens; see {@linkcode Neo4jServer}. */
  address(): Promise<string | undefined> {
    return Promise.resolve(this.#address);
  }

  /** Runs a program of PostgreSQL as the task manager's role; see {@linkcode PostgresServer}. */
  async exec(
    _service: string,
    command: readonly string[],
    { stdin, mayFail = false }: ExecOptions = {},
  ): Promise<CommandResult> {
    const [program = "", ...args] = command;
    const child = new Deno.Command(program, {
      args: args.map((one, index) => args[index - 1] === "-U" ? ROLE : one),
      env: {
        PATH: this.#path,
        PGHOST: "localhost",
        PGPORT: `${this.#port}`,
        PGPASSWORD: this.passwords.postgres,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const source = stdin instanceof ReadableStream
      ? stdin
      : ReadableStream.from(stdin ? [stdin] : []);
    const [, { code, stdout, stderr }] = await Promise.all([
      source.pipeTo(child.stdin),
      child.output(),
    ]);
    const result = { code, stdout, stderr: new TextDecoder().decode(stderr) };
    if (code !== 0 && !mayFail) throw new Error(`${command.join(" ")}: ${result.stderr}`);
    return result;
  }

  /** Runs SQL as the server's own superuser. */
  async administer(statements: string): Promise<void> {
    await this.#as(POSTGRES_USER, [
      `${this.#postgresPrograms}/psql`,
      ...["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", this.socketFolder, "-p", `${this.#port}`],
      ...["-d", "postgres", "-c", statements],
    ]);
  }

  seed(name: string): Promise<void> {
    return seedData(this, name);
  }

  change(name: string): Promise<void> {
    return changeData(this, name);
  }

  async readAll(): Promise<Data> {
    await neo4jReady(this);
    return { neo4j: await readAllNodes(this), postgres: await this.readPostgres() };
  }

  async readPostgres(): Promise<readonly string[]> {
    await postgresReady(this);
    return await readAllRows(this);
  }

  async withFault<T>(
    { database, operation }: Target,
    fault: Fault,
    body: () => Promise<T>,
  ): Promise<T> {
    const { program, when } = COMMUNITY_PROGRAMS[database][operation];
    const folder = database === "neo4j" ? `${this.folder}/neo4j/bin` : this.#postgresPrograms;
    const script = spoiltProgram(`${folder}/${program}`, when, FAULTS[operation][fault]);
    const path = `${this.folder}/spoilt/${program}`;
    await Deno.writeTextFile(path, script, { mode: 0o755 });
    try {
      return await body();
    } finally {
      await Deno.remove(path);
    }
  }

  async assertBackToNormal(lost: readonly Database[] = []): Promise<void> {
    if (!lost.includes("neo4j")) await cypher(this, "RETURN 1");
    if (!lost.includes("postgres")) await sql(this, "SELECT 1");
    let left: string[] = [];
    await waitUntil(
      () => `The end of ${left.join(" and ")}`,
      async () => (left = await this.#marked()).length === 0,
      GONE_TIMEOUT_MS,
    );
    assertEquals(await this.#shape(), this.#before);
  }

  /** Command lines of what the tool has started and that still runs; units are not marked. */
  async #marked(): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      // A process may end while we look.
      const variables = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
      if (!variables.split("\0").includes(`${MARK}=${this.folder}`)) continue;
      found.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => name));
    }
    return found;
  }

  /**
   * Units with their state, and databases. Work directories are not looked for: a host that is dumped
   * by stopping a unit needs none, and the folder for temporary files is everybody's.
   */
  async #shape(): Promise<string[]> {
    const shape: string[] = [];
    for (const service of SERVICES) {
      const state = await this.#systemctl("is-active", service);
      shape.push(`${service}: ${state.trim()}`);
    }
    shape.push(...await sql(this, "SELECT datname FROM pg_database ORDER BY 1", "postgres"));
    return shape;
  }

  async #systemctl(verb: string, unit: string): Promise<string> {
    const { stdout } = await new Deno.Command(`${this.folder}/bin/systemctl`, {
      args: [verb, unit],
      env: { PATH: this.#path, HOST_UNITS: `${this.folder}/units` },
    }).output();
    return new TextDecoder().decode(stdout);
  }

  async #setUp(jars: string): Promise<void> {
    const { folder } = this;
    await Deno.chmod(folder, 0o755);
    for (const name of ["bin", "spoilt", "units/run", "neo4j/logs", "socket", "postgres"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true, mode: 0o755 });
    }
    await Deno.copyFile(`${SOURCES}bin/systemctl`, `${folder}/bin/systemctl`);
    await this.#setUpPostgres();
    await this.#setUpNeo4j(jars);
    for (const service of SERVICES) {
      const unit = `${folder}/units/${service}`;
      // Those with a database have their unit by now.
      if (service !== "database" && service !== "task-manager-db") {
        await Deno.writeTextFile(unit, "exec sleep infinity\n");
      }
      await this.#systemctl("start", service);
    }
    await waitUntil("PostgreSQL", async () => {
      const ready = [`${this.#postgresPrograms}/pg_isready`, "-q", "-h", this.socketFolder];
      const { code } = await this.exec("", [...ready, "-p", `${this.#port}`], { mayFail: true });
      return code === 0;
    });
    const password = this.passwords.postgres.replaceAll("'", "''");
    await this.administer(`CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${password}'`);
    await this.administer(`CREATE DATABASE prefect OWNER ${ROLE}`);
    await neo4jReady(this);
  }

  async #setUpPostgres(): Promise<void> {
    const versions = (await Array.fromAsync(Deno.readDir(POSTGRES_VERSIONS)))
      .map(({ name }) => name).toSorted((a, b) => Number(b) - Number(a));
    this.#postgresPrograms = `${POSTGRES_VERSIONS}/${versions[0]}/bin`;
    const data = `${this.folder}/postgres`;
    await run("chown", [POSTGRES_USER, data, this.socketFolder]);
    await Deno.chmod(data, 0o700);
    await this.#as(POSTGRES_USER, [
      `${this.#postgresPrograms}/initdb`,
      ...["-D", data, "-U", POSTGRES_USER, "--auth-local=peer", "--auth-host=scram-sha-256"],
      ...["--encoding=UTF8", "--no-locale"],
    ]);
    await Deno.writeTextFile(
      `${this.folder}/units/task-manager-db`,
      `exec ${asUser(POSTGRES_USER)} ${this.#postgresPrograms}/postgres -D '${data}' ` +
        `-p ${this.#port} -k '${this.socketFolder}' -c listen_addresses=localhost\n`,
    );
  }

  async #setUpNeo4j(jars: string): Promise<void> {
    const home = `${this.folder}/neo4j`;
    // Copied: the server's user cannot see into the cache folder of this one.
    await run("cp", ["-r", jars, `${home}/lib`]);
    await run("cp", ["-r", `${IMAGE}bin`, `${IMAGE}conf`, home]);
    for (const name of ["data", "run", "plugins", "import"]) await Deno.mkdir(`${home}/${name}`);
    const settings = (await Deno.readTextFile(`${home}/conf/neo4j.conf`)).split("\n")
      .filter((line) => !/SharedArchiveFile|default_listen_address|directories\.logs/.test(line));
    settings.push(
      `server.default_listen_address=${this.#address}`,
      `server.default_advertised_address=${this.#address}`,
      `server.directories.logs=${home}/logs`,
      "internal.server.bolt.thread_pool_shutdown_wait_time=200ms",
      "",
    );
    await Deno.writeTextFile(`${home}/conf/neo4j.conf`, settings.join("\n"));
    await exclusively(makeUser);
    await run("chown", ["-R", `${NEO4J_USER}:`, home]);
    await this.#as(NEO4J_USER, [
      "env",
      `NEO4J_HOME=${home}`,
      `${home}/bin/neo4j-admin`,
      ...["dbms", "set-initial-password", this.passwords.neo4j],
    ]);
    await Deno.writeTextFile(
      `${this.folder}/units/database`,
      `export NEO4J_HOME='${home}' PATH='${home}/bin':"$PATH"
command=$(${asUser(NEO4J_USER)} neo4j console --dry-run)
eval "exec ${asUser(NEO4J_USER)} $command"
`,
    );
  }

  async #as(user: string, command: readonly string[]): Promise<void> {
    await run("runuser", ["-u", user, "--", ...command], { cwd: this.folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of SERVICES) await this.#systemctl("stop", service);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Programs of PostgreSQL that the tool calls. */
const POSTGRES_CLIENTS: readonly string[] = ["pg_dump", "pg_restore", "psql"];

/**
 * Sees to it that the user exists whom Neo4j's own package would bring. Like a package, it stays:
 * other tests may be using it.
 */
async function makeUser(): Promise<void> {
  const { success } = await new Deno.Command("id", { args: [NEO4J_USER] }).output();
  if (success) return;
  const flags = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"];
  await run("useradd", [...flags, "--shell", "/usr/sbin/nologin", NEO4J_USER]);
}

/** A command's beginning that makes it another user's without a process between. */
function asUser(user: string): string {
  return `setpriv --reuid ${user} --regid ${user} --init-groups`;
}

/** An address of this machine alone that nobody else is likely to use: ports can be the usual ones. */
function newLoopbackAddress(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${64 + (a & 127)}.${b}.${1 + (c & 127)}`;
}

/** A port of `localhost` that is free now: PostgreSQL's programs are told to connect there. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
