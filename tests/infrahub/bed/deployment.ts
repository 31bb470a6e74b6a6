/**
 * A whole, real Infrahub on this machine, without containers: its server, worker and task manager,
 * Neo4j Community, PostgreSQL, Redis and RabbitMQ, each on an address of its own on loopback, below a
 * temporary folder. `systemctl` is a stand-in; nothing else is.
 *
 * @module
 */

import { run } from "../../../scripts/e2e/stack.ts";
import {
  installPrograms,
  type Neo4jVersion,
  type Programs,
} from "../../../scripts/infrahub/programs.ts";
import { waitUntil } from "../../e2e/deployment.ts";
import { Application } from "../application.ts";
import { ANSWER_TIMEOUT_MS, isTimeout, TaskManager } from "../task_manager.ts";
import {
  applicationVariables,
  databaseUrl,
  gunicornSettings,
  type Layout,
  newSecrets,
  POSTGRES_ROLE,
} from "./layout.ts";
import { type Service, SERVICES, unitScripts } from "./units.ts";

const HERE = new URL(".", import.meta.url).pathname;
const SYSTEMCTL = new URL("../../e2e/host/bin/systemctl", import.meta.url).pathname;
const NEO4J_IMAGE = new URL("../../e2e/images/neo4j/", import.meta.url).pathname;
const POSTGRES_VERSIONS = "/usr/lib/postgresql";
/** The first start of the server makes its schema: a minute, or many on a machine with much else to do. */
const START_TIMEOUT_MS = 900_000;
/** Of one unit, however it is asked: a worker may have much to end. */
const LOG_LINES = 40;

/** A running deployment. */
export class InfrahubDeployment implements AsyncDisposable {
  readonly neo4jVersion: Neo4jVersion;
  readonly application: Application;
  readonly taskManager: TaskManager;
  readonly #layout: Layout;
  readonly #keeper: Deno.ChildProcess;

  private constructor(layout: Layout, neo4jVersion: Neo4jVersion) {
    this.#layout = layout;
    this.neo4jVersion = neo4jVersion;
    this.application = new Application(`http://${layout.address}:8000`, layout.secrets.adminToken);
    this.taskManager = new TaskManager(`http://${layout.address}:4200/api`);
    // In a session of its own, so that what interrupts this run does not end it.
    this.#keeper = new Deno.Command("setsid", {
      args: ["sh", `${HERE}keeper.sh`, layout.folder],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Installs what is missing, and starts everything. Needs root. */
  static async start(neo4jVersion: Neo4jVersion): Promise<InfrahubDeployment> {
    const programs = await installPrograms(neo4jVersion);
    const layout: Layout = {
      folder: await Deno.makeTempDir({ prefix: "infrahub-backup-real-" }),
      python: programs.python,
      postgresPrograms: await newestPostgres(),
      address: newLoopbackAddress(),
      erlangPorts: { mapper: freePort(), distribution: freePort() },
      secrets: newSecrets(),
    };
    const deployment = new InfrahubDeployment(layout, neo4jVersion);
    try {
      await deployment.#setUp(programs);
      await deployment.startAll();
      return deployment;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The folder below which everything of the deployment lies. */
  get folder(): string {
    return this.#layout.folder;
  }

  /** Global arguments that make the tool work on this deployment. */
  get toolArguments(): readonly string[] {
    return ["--host", ...SERVICES.flatMap((service) => ["--host-unit", `${service}=${service}`])];
  }

  /** What an operator has in the environment: the variables of the services, and their programs. */
  get toolEnvironment(): Readonly<Record<string, string>> {
    return {
      ...applicationVariables(this.#layout),
      INFRAHUB_API_TOKEN: this.#layout.secrets.adminToken,
      PREFECT_API_DATABASE_CONNECTION_URL: databaseUrl(this.#layout),
      NEO4J_HOME: `${this.folder}/neo4j`,
      HOST_UNITS: `${this.folder}/units`,
      PATH: this.#path,
    };
  }

  get #path(): string {
    const { folder, python, postgresPrograms } = this.#layout;
    const own = [`${folder}/bin`, `${folder}/neo4j/bin`, `${python}/bin`, postgresPrograms];
    return [...own, Deno.env.get("PATH") ?? ""].join(":");
  }

  /** Runs a program as the operator would. @throws {StackError} when it exits non-zero */
  async run(program: string, args: readonly string[]): Promise<string> {
    return await run(program, args, { cwd: this.folder, env: { ...this.toolEnvironment } });
  }

  /** Whether a service's unit runs. */
  async isActive(service: Service): Promise<boolean> {
    return await this.#systemctl("is-active", service) === "active";
  }

  /** The services whose units run. */
  async active(): Promise<Service[]> {
    const active = await Promise.all(SERVICES.map((service) => this.isActive(service)));
    return SERVICES.filter((_, index) => active[index]);
  }

  /** The process of every unit, by the service: another one when it has been stopped meanwhile. */
  async processes(): Promise<Record<string, string>> {
    const found = SERVICES.map(async (service) => {
      const path = `${this.folder}/units/run/${service}`;
      return [service, (await Deno.readTextFile(path)).trim()] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  }

  /** Makes a service come up later from its next start on. @param seconds after it; 0 as before */
  async delay(service: Service, seconds: number): Promise<void> {
    const path = `${this.folder}/units/${service}`;
    const script = (await Deno.readTextFile(path)).replace(/^sleep \d+\n/, "");
    await Deno.writeTextFile(path, seconds > 0 ? `sleep ${seconds}\n${script}` : script);
  }

  /** Stops a service's unit, and waits for its end. */
  async stop(service: Service): Promise<void> {
    await this.#systemctl("stop", service);
  }

  /** Starts every service that does not run, each when those that it needs answer. */
  async startAll(): Promise<void> {
    const first = ["cache", "message-queue", "task-manager-db", "database"] as const;
    for (const service of first) await this.#systemctl("start", service);
    for (const service of first) await this.#ready(service);
    for (const service of SERVICES.slice(first.length)) {
      await this.#systemctl("start", service);
      await this.#ready(service);
    }
  }

  /** Waits until every service answers. @throws {Error} with the log's end of one that has ended */
  async ready(): Promise<void> {
    for (const service of SERVICES) await this.#ready(service);
  }

  /** The end of what a service has written since its start. */
  async log(service: Service): Promise<string> {
    const text = await Deno.readTextFile(`${this.folder}/units/run/${service}.log`).catch(() => "");
    return text.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
  }

  async #ready(service: Service): Promise<void> {
    await waitUntil(service, async () => {
      if (!await this.isActive(service)) {
        throw new Error(`${service} has ended:\n${await this.log(service)}`);
      }
      return await this.#answers(service);
    }, START_TIMEOUT_MS);
  }

  async #answers(service: Service): Promise<boolean> {
    const { address } = this.#layout;
    switch (service) {
      case "cache":
        return await listens(address, 6379);
      case "message-queue":
        return await listens(address, 5672);
      case "task-manager-db":
        return await succeeds(`${this.#layout.postgresPrograms}/pg_isready`, ["-q", "-h", address]);
      case "database":
        return await responds(`http://${address}:7474/db/neo4j/cluster/available`, [200, 401, 404]);
      case "task-manager":
        return await this.taskManager.answers();
      case "infrahub-server":
        return await this.application.answers();
      case "task-worker":
        return await this.taskManager.hasWorker();
    }
  }

  async #systemctl(verb: "start" | "stop" | "is-active", unit: Service): Promise<string> {
    const { stdout, stderr, success } = await new Deno.Command(`${this.folder}/bin/systemctl`, {
      args: [verb, unit],
      env: { PATH: this.#path, HOST_UNITS: `${this.folder}/units` },
    }).output();
    const decoder = new TextDecoder();
    if (!success && verb !== "is-active") throw new Error(decoder.decode(stderr));
    return decoder.decode(stdout).trim();
  }

  async #setUp(programs: Programs): Promise<void> {
    const { folder } = this.#layout;
    await Deno.chmod(folder, 0o755);
    const folders = ["bin", "units/run", "socket", "postgres", "redis", "rabbitmq", "python"];
    for (const name of [...folders, "prefect", "storage", "git", "neo4j"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true, mode: 0o755 });
    }
    await Deno.writeTextFile(`${folder}/epmd-port`, `${this.#layout.erlangPorts.mapper}`);
    await Deno.copyFile(SYSTEMCTL, `${folder}/bin/systemctl`);
    await Deno.copyFile(`${HERE}sitecustomize.py`, `${folder}/python/sitecustomize.py`);
    await run("chown", ["redis:redis", `${folder}/redis`]);
    await this.#setUpMessageQueue();
    await this.#setUpPostgres();
    await this.#setUpNeo4j(programs);
    const scripts = unitScripts(this.#layout, await gunicornSettings(programs.python));
    for (const service of SERVICES) {
      await Deno.writeTextFile(`${folder}/units/${service}`, scripts[service]);
    }
    await this.#makePostgresRole();
  }

  async #setUpMessageQueue(): Promise<void> {
    const { folder, address } = this.#layout;
    const settings = [
      "default_user = infrahub",
      "default_pass = infrahub",
      `listeners.tcp.1 = ${address}:5672`,
    ];
    await Deno.writeTextFile(`${folder}/rabbitmq/rabbitmq.conf`, `${settings.join("\n")}\n`);
    await Deno.writeTextFile(`${folder}/rabbitmq/enabled_plugins`, "[].\n");
    await run("chown", ["-R", "rabbitmq:rabbitmq", `${folder}/rabbitmq`]);
  }

  async #setUpPostgres(): Promise<void> {
    const { folder, postgresPrograms } = this.#layout;
    await run("chown", ["postgres:postgres", `${folder}/postgres`, `${folder}/socket`]);
    await Deno.chmod(`${folder}/postgres`, 0o700);
    await this.#as("postgres", [
      `${postgresPrograms}/initdb`,
      ...["-D", `${folder}/postgres`, "-U", "postgres", "--auth-local=peer"],
      ...["--auth-host=scram-sha-256", "--encoding=UTF8", "--no-locale"],
    ]);
  }

  /** Makes the role and the database of the task manager. */
  async #makePostgresRole(): Promise<void> {
    await this.#systemctl("start", "task-manager-db");
    await this.#ready("task-manager-db");
    const password = this.#layout.secrets.postgres.replaceAll("'", "''");
    await this.administer(`CREATE ROLE ${POSTGRES_ROLE} LOGIN CREATEDB PASSWORD '${password}'`);
    await this.administer(`CREATE DATABASE prefect OWNER ${POSTGRES_ROLE}`);
  }

  /** Runs SQL as PostgreSQL's own superuser. */
  async administer(statement: string): Promise<void> {
    const { folder, postgresPrograms } = this.#layout;
    await this.#as("postgres", [
      `${postgresPrograms}/psql`,
      ...["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", `${folder}/socket`],
      ...["-d", "postgres", "-c", statement],
    ]);
  }

  async #setUpNeo4j({ serverJars, shellJars, javaHome }: Programs): Promise<void> {
    const { folder, address, secrets } = this.#layout;
    const home = `${folder}/neo4j`;
    // Copied: the server's user cannot see into the cache folder of this one.
    await run("cp", ["-r", serverJars, `${home}/lib`]);
    await run("cp", ["-r", shellJars, `${home}/shell`]);
    await run("cp", ["-r", `${NEO4J_IMAGE}bin`, `${NEO4J_IMAGE}conf`, home]);
    await Deno.writeTextFile(
      `${home}/bin/cypher-shell`,
      `#!/bin/sh\nexec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\\n` +
        `  -cp '${home}/shell/*' org.neo4j.shell.Main "$@"\n`,
      { mode: 0o755 },
    );
    if (javaHome !== undefined) {
      await run("cp", ["-r", javaHome, `${home}/java`]);
      await Deno.symlink(`${home}/java/bin/java`, `${home}/bin/java`);
    }
    for (const name of ["data", "run", "plugins", "import", "logs"]) {
      await Deno.mkdir(`${home}/${name}`);
    }
    // Of the image's settings those that make a start quick, at the cost of what comes after it.
    const forImage =
      /SharedArchiveFile|TieredStopAtLevel|default_listen_address|directories\.logs|server\.memory/;
    const settings = (await Deno.readTextFile(`${home}/conf/neo4j.conf`)).split("\n")
      .filter((line) => !forImage.test(line));
    settings.push(
      `server.default_listen_address=${address}`,
      `server.default_advertised_address=${address}`,
      `server.directories.logs=${home}/logs`,
      "server.memory.heap.initial_size=512m",
      "server.memory.heap.max_size=2g",
      "server.memory.pagecache.size=512m",
      "internal.server.bolt.thread_pool_shutdown_wait_time=200ms",
      "",
    );
    await Deno.writeTextFile(`${home}/conf/neo4j.conf`, settings.join("\n"));
    await makeUser("neo4j");
    await run("chown", ["-R", "neo4j:", home]);
    await this.#as("neo4j", [
      ...["env", `NEO4J_HOME=${home}`, `PATH=${home}/bin:${Deno.env.get("PATH")}`],
      ...["neo4j-admin", "dbms", "set-initial-password", secrets.neo4j],
    ]);
  }

  async #as(user: string, command: readonly string[]): Promise<void> {
    await run("runuser", ["-u", user, "--", ...command], { cwd: this.folder });
  }

  /** Ends what has been started, and removes it all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keeper.stdin.close();
    await this.#keeper.status;
  }
}

async function newestPostgres(): Promise<string> {
  const versions = (await Array.fromAsync(Deno.readDir(POSTGRES_VERSIONS)))
    .map(({ name }) => Number(name)).filter(Number.isInteger);
  return `${POSTGRES_VERSIONS}/${Math.max(...versions)}/bin`;
}

/** Sees to it that a user exists whom a package would bring. Like a package, it stays. */
async function makeUser(name: string): Promise<void> {
  if (await succeeds("id", [name])) return;
  const flags = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"];
  await run("useradd", [...flags, "--shell", "/usr/sbin/nologin", name]);
}

/** An address of this machine alone that nobody else is likely to use: ports can be the usual ones. */
function newLoopbackAddress(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${64 + (a & 127)}.${b}.${1 + (c & 127)}`;
}

/** A port of 127.0.0.1 that is free now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, { args: [...args] }).output();
  return success;
}

async function listens(hostname: string, port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname, port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function responds(url: string, statuses: readonly number[]): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    await response.body?.cancel();
    return statuses.includes(response.status);
  } catch (error) {
    // fetch() has no class of its own for a connection that is refused.
    if (error instanceof TypeError || isTimeout(error)) return false;
    throw error;
  }
}
