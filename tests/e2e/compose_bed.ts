/**
 * The bed with nothing but real databases: Docker Compose, PostgreSQL, Neo4j Community.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Data, Database, Instant, Operation, Target, TestBed } from "./bed.ts";
import { type Container, Deployment, waitUntil } from "./deployment.ts";
import { type Fault, FAULTS, withProgram } from "./faults.ts";
import {
  cypher,
  neo4jReady,
  type Neo4jServer,
  readAllNodes,
  seedNeo4j,
  speaksBolt,
} from "./neo4j.ts";
import { listProcesses, type Process } from "./processes.ts";
import { postgresReady, type PostgresServer, readAllRows, seedPostgres, sql } from "./postgres.ts";

const NODES = 300;
const ROWS = 500;
/** A command that nobody waits for any more may take its time on a busy machine. */
const GONE_TIMEOUT_MS = 60_000;

/** The program that dumps or restores a database, and the arguments by which it does. */
export type SpoiltPrograms = Readonly<
  Record<Database, Record<Operation, { service: string; program: string; when: string }>>
>;

/** The programs that are spoilt. */
export const COMMUNITY_PROGRAMS: SpoiltPrograms = {
  neo4j: {
    dump: { service: "database", program: "neo4j-admin", when: "*database*dump*" },
    restore: { service: "database", program: "neo4j-admin", when: "*database*load*" },
  },
  postgres: {
    dump: { service: "task-manager-db", program: "pg_dump", when: "*-Fc*" },
    restore: { service: "task-manager-db", program: "pg_restore", when: "*" },
  },
};

/** Moments of a `create` of Neo4j Community, in their order. */
export const COMMUNITY_CREATE_INSTANTS: readonly Instant[] = [
  { name: "credentials are looked up", event: /^started: .* env $/ },
  { name: "the edition is asked for", event: /^started: .*cypher-shell/ },
  { name: "services begin to stop", event: /Stopping Infrahub application services/ },
  { name: "half of the services are down", event: /Stopping task-manager\.\.\./ },
  { name: "Neo4j is asked to stop", event: /Waiting for Neo4j process to stop/ },
  {
    name: "Neo4j is being dumped",
    event: /^started: .*neo4j-admin database dump/,
    stall: { database: "neo4j", operation: "dump" },
  },
  { name: "Neo4j is being brought back", event: /Waiting for Neo4j to answer again/ },
  { name: "Neo4j has been dumped", event: /Neo4j dump completed/ },
  { name: "PostgreSQL's turn comes", event: /Backing up PostgreSQL database/ },
  {
    name: "PostgreSQL is being dumped",
    event: /^started: .*pg_dump/,
    stall: { database: "postgres", operation: "dump" },
  },
  { name: "services begin to start", event: /Starting Infrahub application services/ },
];

/** Moments of a `restore` of Neo4j Community, in their order. */
export const COMMUNITY_RESTORE_INSTANTS: readonly Instant[] = [
  { name: "the backup has been found", event: /Backup metadata loaded/ },
  { name: "services begin to stop", event: /Stopping Infrahub application services/ },
  { name: "half of the services are down", event: /Stopping task-manager\.\.\./ },
  { name: "PostgreSQL's turn comes", event: /Restoring PostgreSQL database/ },
  {
    name: "PostgreSQL is being restored",
    event: /^started: .*pg_restore/,
    stall: { database: "postgres", operation: "restore" },
  },
  { name: "PostgreSQL has been restored", event: /PostgreSQL database restored/ },
  { name: "the task manager is restarted", event: /Restarting task manager/ },
  { name: "Neo4j's turn comes", event: /Restoring Neo4j database/ },
  {
    name: "Neo4j is being restored",
    event: /^started: .*neo4j-admin database load/,
    stall: { database: "neo4j", operation: "restore" },
  },
  { name: "Neo4j is asked to stop", event: /Waiting for Neo4j process to stop/ },
  { name: "Neo4j is being brought back", event: /Waiting for Neo4j to answer again/ },
];

/** Fills both databases; see {@linkcode TestBed.seed}. */
export async function seedData(
  servers: Neo4jServer & PostgresServer,
  name: string,
): Promise<void> {
  await neo4jReady(servers);
  await seedNeo4j(servers, NODES, name);
  await seedPostgres(servers, ROWS, name);
}

/** Creates, changes and deletes; see {@linkcode TestBed.change}. */
export async function changeData(
  servers: Neo4jServer & PostgresServer,
  name: string,
): Promise<void> {
  await neo4jReady(servers);
  await cypher(servers, "CREATE (:AttributeValue {value: $name, number: 42})", { name });
  await cypher(
    servers,
    "MATCH (n:AttributeValue) WITH n ORDER BY id(n) LIMIT 5 SET n.value = $name",
    { name },
  );
  await cypher(
    servers,
    "MATCH (n:AttributeValue) WITH n ORDER BY id(n) DESC SKIP 1 LIMIT 5 DETACH DELETE n",
  );
  await sql(
    servers,
    `CREATE TABLE "${name}" (id int PRIMARY KEY, note text);
     INSERT INTO "${name}" SELECT g, 'note ' || g FROM generate_series(1, 50) g;
     UPDATE flow_run SET note = 'changed' WHERE id % 100 = 0;
     DELETE FROM task_run WHERE id = (SELECT min(id) FROM task_run);`,
  );
}

/** What is compared to tell whether a deployment is as it was. */
interface Shape {
  /** Containers with their state. */
  readonly containers: readonly string[];
  /** Programs that run, per container, with their number. */
  readonly programs: readonly string[];
  /** Files in the folder for temporary ones, per container. */
  readonly files: readonly string[];
  readonly databases: readonly string[];
}

/** Docker Compose with real databases. */
export class ComposeBed implements TestBed {
  readonly name: string = "Docker Compose, Neo4j Community";
  readonly neo4jEdition: TestBed["neo4jEdition"] = "community";
  readonly clients: readonly string[] = ["docker"];
  readonly instants: TestBed["instants"] = {
    create: COMMUNITY_CREATE_INSTANTS,
    restore: COMMUNITY_RESTORE_INSTANTS,
  };
  readonly deployment: Deployment;
  protected readonly programs: SpoiltPrograms = COMMUNITY_PROGRAMS;
  #before: Shape | undefined;

  protected constructor(deployment: Deployment) {
    this.deployment = deployment;
  }

  /** Starts a deployment of its own. */
  static start(): Promise<ComposeBed> {
    return ComposeBed.launch((deployment) => new ComposeBed(deployment));
  }

  /** Starts a deployment for a bed of another kind, with further Compose files. */
  protected static async launch<Bed extends ComposeBed>(
    make: (deployment: Deployment) => Bed | Promise<Bed>,
    overrides: readonly string[] = [],
  ): Promise<Bed> {
    const deployment = await Deployment.start({ overrides });
    try {
      const bed = await make(deployment);
      await neo4jReady(deployment);
      await postgresReady(deployment);
      bed.#before = await bed.#shape();
      return bed;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  get toolArguments(): readonly string[] {
    return ["--project", this.deployment.project];
  }

  get toolEnvironment(): Readonly<Record<string, string>> {
    return this.deployment.environment;
  }

  seed(name: string): Promise<void> {
    return seedData(this.deployment, name);
  }

  change(name: string): Promise<void> {
    return changeData(this.deployment, name);
  }

  async readAll(): Promise<Data> {
    await neo4jReady(this.deployment);
    return { neo4j: await readAllNodes(this.deployment), postgres: await this.readPostgres() };
  }

  async readPostgres(): Promise<readonly string[]> {
    await postgresReady(this.deployment);
    return await readAllRows(this.deployment);
  }

  withFault<T>(
    { database, operation }: Target,
    fault: Fault,
    body: () => Promise<T>,
  ): Promise<T> {
    const program = this.programs[database][operation];
    return withProgram(this.deployment, program, FAULTS[operation][fault], body);
  }

  async assertBackToNormal(lost: readonly Database[] = []): Promise<void> {
    if (!lost.includes("neo4j")) {
      assert(await speaksBolt(this.deployment), "Neo4j does not answer");
      await neo4jReady(this.deployment);
    }
    const { containers } = await this.#shape();
    assertEquals(containers, this.#before?.containers);
    await this.#waitUntilGone();
    assertEquals(await this.#shape(), this.#before);
  }

  /**
   * What a run has ended must be gone soon after it: clients, programs and their files, sessions. A
   * short command of which only the client was ended comes to its own end.
   */
  async #waitUntilGone(): Promise<void> {
    const sessions = "SELECT application_name || ': ' || query FROM pg_stat_activity " +
      "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let left: string[] = [];
    await waitUntil(
      () => `The end of ${left.join(" and ")}`,
      async () => {
        const { programs, files } = await this.#shape();
        left = [
          ...clientsOf(this.deployment.project, await listProcesses()),
          ...programs.filter((line) => !this.#before?.programs.includes(line)),
          ...files.filter((line) => !this.#before?.files.includes(line)),
          ...await sql(this.deployment, sessions, "postgres"),
        ];
        return left.length === 0;
      },
      GONE_TIMEOUT_MS,
    );
  }

  async #shape(): Promise<Shape> {
    const containers = await this.deployment.containers();
    const processes = await listProcesses();
    return {
      containers: containers.map(({ name, state }) => `${name}: ${state}`).toSorted(),
      programs: programsIn(containers, processes),
      files: await temporaryFilesOf(containers, processes),
      databases: await sql(
        this.deployment,
        "SELECT datname FROM pg_database ORDER BY 1",
        "postgres",
      ),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deployment[Symbol.asyncDispose]();
  }
}

/** Command lines of a Compose project's clients that run on this machine. */
function clientsOf(project: string, processes: readonly Process[]): string[] {
  return processes.filter(({ argv }) => argv.includes(project) && argv.includes("compose"))
    .map(({ argv }) => argv.join(" "));
}

/** What looks at the services of `compose.yaml` all the time, by a part of its command line. */
const HEALTH_CHECKS = ["exec 3<>/dev/tcp/127.0.0.1/7474", "127.0.0.1"];

/**
 * `CONTAINER: NUMBER PROGRAM`, with `(held)` for processes that a signal has stopped. PostgreSQL has
 * a varying number of processes.
 */
function programsIn(containers: readonly Container[], processes: readonly Process[]): string[] {
  const names = new Map(containers.map(({ id, name }) => [id, name]));
  const counts = new Map<string, number>();
  for (const { container, program, state, argv } of processes) {
    const name = names.get(container ?? "");
    // A command on its way into a container is "runc" first, and a "Z" has ended already.
    if (name === undefined || program.startsWith("runc") || state === "Z") continue;
    if (argv.some((argument) => HEALTH_CHECKS.includes(argument))) continue;
    const key = `${name}\0${program}${state === "T" ? " (held)" : ""}`;
    counts.set(key, program === "postgres" ? 1 : (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => key.replace("\0", `: ${count} `)).toSorted();
}

/** What lies in the containers' folders for temporary files, without what Java has there. */
async function temporaryFilesOf(
  containers: readonly Container[],
  processes: readonly Process[],
): Promise<string[]> {
  const found: string[] = [];
  for (const { id, name } of containers) {
    const init = processes.find((one) => one.container === id && one.isInit);
    if (init === undefined) continue;
    for await (const entry of Deno.readDir(`/proc/${init.pid}/root/tmp`)) {
      if (!entry.name.startsWith("hsperfdata_")) found.push(`${name}: /tmp/${entry.name}`);
    }
  }
  return found.toSorted();
}
