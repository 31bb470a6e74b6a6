import { type CliContext, InterruptedError, run } from "../../../src/cli/mod.ts";
import type {
  CommandInput,
  CommandStream,
  RunOptions as CommandOptions,
  ServiceName,
  StreamOptions,
} from "../../../src/environment/mod.ts";
import {
  DATABASE,
  STOP_ORDER,
  TASK_MANAGER_DATABASE,
} from "../../../src/infrahub/deployment/service_names.ts";
import { failure, FakeEnvironment } from "../infrahub/fake_environment.ts";
import { recordingContext } from "./_support.ts";

const FIXTURES = new URL("../../fixtures/dumps/", import.meta.url);
const fixture = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));

/** Whole dumps, as the real programs write them. */
export const DUMPS = {
  community: concat(new TextEncoder().encode("DZV1"), fixture("stream.zst")),
  enterprise: fixture("enterprise_backup.tar"),
  postgres: fixture("postgres_16.dump"),
} as const;

/** What a dump command does. */
export type DumpBehaviour = Uint8Array | "fails" | "fails late" | "stalls";

/** How a deployment differs from one in which everything works. */
export interface Scenario {
  /** @default {"community"} */
  readonly edition?: "community" | "enterprise";
  /** Its Compose project. @default {"fake"} */
  readonly target?: string;
  /** What the dump commands do; sound dumps by default. */
  readonly neo4j?: DumpBehaviour;
  readonly postgres?: DumpBehaviour;
  /** More rules, which come before the usual ones. */
  readonly prepare?: (deployment: ScriptedDeployment) => void;
  /** Told before each command, start and stop, with its number from 1 on; may abort the run, or throw. */
  readonly onCall?: (number: number) => void;
  /** Told before each command that streams; may abort the run. */
  readonly onStream?: (argv: readonly string[]) => void;
}

/** A deployment whose commands answer as real ones would, and that keeps track of its services. */
export class ScriptedDeployment extends FakeEnvironment {
  /** What was written into commands that succeeded, by their first two words. */
  readonly received = new Map<string, Uint8Array>();
  readonly #scenario: Scenario;
  #callCount = 0;
  #isExchanged = false;

  constructor(scenario: Scenario = {}) {
    super("docker", scenario.target);
    this.#scenario = scenario;
    const { edition = "community" } = scenario;
    scenario.prepare?.(this);
    this
      .on(DATABASE, "YIELD name, versions", 'name, versions\n"Neo4j Kernel", ["5.26.12"]')
      .on(DATABASE, "graph_version", "graph_version\n79")
      .on(DATABASE, "dbms.components", `name, edition\n"Neo4j Kernel", "${edition}"`)
      .on(DATABASE, "cat /var", "7")
      .on(DATABASE, "shift\n  echo", "S 1 present", "T 1 absent")
      .on(DATABASE, "infrahub-watchdog", "")
      .on(DATABASE, '>"$1/stopping"', "")
      .on(DATABASE, "kill -CONT", "")
      .on(DATABASE, "infrahub-exchange", () => this.#exchange(true))
      .on(DATABASE, "infrahub-put-back", () => this.#exchange(false))
      .on(
        DATABASE,
        "infrahub-look",
        () => this.#isExchanged ? "-\nformer\n-\nformer" : "stage\n-\nstage\n-",
      )
      .on(
        DATABASE,
        "SHOW SETTINGS",
        '"server.directories.data", "/d"\n"server.directories.transaction.logs.root", "/t"',
      )
      .on(DATABASE, /^(mkdir|rm|chown|tar|neo4j-admin) /, "")
      .on(DATABASE, /^ls -A/, "infrahubops\n")
      .on(DATABASE, /^whoami/, "root")
      .on(DATABASE, /^du /, "64\t/x")
      .on(DATABASE, /^df /, "Filesystem\n/dev/x 9000000 1 8000000 1% /")
      .on(DATABASE, "currentStatus", 'currentStatus\n"online"')
      .on(DATABASE, "SHOW SERVERS", "serverCount\n1")
      .on(DATABASE, "new_uuid", (call) => `id\n${/new_uuid => '([^']+)/.exec(call.command)?.[1]}`)
      .on(DATABASE, "cypher-shell", "1\n1")
      .on(TASK_MANAGER_DATABASE, "whoami", "postgres")
      .on(TASK_MANAGER_DATABASE, "rolcreatedb", "prefect|f|t|t")
      .on(
        TASK_MANAGER_DATABASE,
        "json_build_object",
        JSON.stringify({ owner: "o", encoding: "UTF8", collate: "C", ctype: "C" }),
      )
      .on(TASK_MANAGER_DATABASE, "server_version_num", "160004\n160004")
      .on(TASK_MANAGER_DATABASE, /^(psql|pg_isready|pg_restore)/, "")
      .on("infrahub-server", /^env$/, "INFRAHUB_DB_PASSWORD=hush-neo4j")
      .on("infrahub-server", "GRAPH_VERSION", "79")
      .on("infrahub-server", /^python/, "1.2.0")
      .on("infrahub-server", /^infrahub upgrade$/, "done")
      .on(
        "task-manager",
        /^env$/,
        "PREFECT_API_DATABASE_CONNECTION_URL=postgresql://p:hush-pg@task-manager-db/prefect",
      )
      .on("task-manager", /^sh/, "")
      .on("task-worker", /^printenv/, "http://x")
      .on("task-worker", /^infrahubctl/, "[]")
      .on("cache", "EVAL", "0 0")
      .on("cache", /^redis-cli INFO/, "# Keyspace\r\ndb0:keys=131,expires=9", "# Keyspace")
      .on("cache", /^redis-cli (FLUSHALL|SAVE)$/, "OK")
      .on("message-queue", /^find/, "");
    for (const service of [DATABASE, TASK_MANAGER_DATABASE, ...STOP_ORDER]) {
      this.statuses.set(service, "running");
    }
  }

  /** Services that do not run. */
  get down(): string[] {
    return [...this.statuses].filter(([, status]) => status !== "running").map(([name]) => name);
  }

  /** What was started, stopped, wiped, dumped, loaded or resumed, in words. */
  get story(): string[] {
    return this.log.flatMap((line) =>
      /^(start|stop) /.test(line)
        ? [line]
        : line.includes("kill -CONT")
        ? ["resume Neo4j"]
        : line.includes('>"$1/stopping"')
        ? ["hold Neo4j"]
        : line.includes("infrahub-exchange")
        ? ["exchange the Neo4j databases"]
        : line.includes("FLUSHALL")
        ? ["empty the cache"]
        : line.includes("infrahub-put-back")
        ? ["exchange the Neo4j databases back"]
        : /: (aborted )?(pg_dump|pg_restore|neo4j-admin|find|tar -|tar xf)/.test(line)
        ? [line.replace(/infrahubops-[0-9a-f-]{36}/g, "WORK").split(" ").slice(0, 4).join(" ")]
        : []
    );
  }

  /** How many commands, starts and stops there were. */
  get callCount(): number {
    return this.#callCount;
  }

  override async run(
    service: ServiceName,
    argv: readonly string[],
    options?: CommandOptions,
  ): Promise<string> {
    this.#count();
    return await super.run(service, argv, options);
  }

  override async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    this.#count();
    await super.start(services, signal);
    for (const service of services) this.statuses.set(service, "running");
  }

  override async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    this.#count();
    await super.stop(services, signal);
    for (const service of services) this.statuses.set(service, "stopped");
  }

  override async streamOut(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream> {
    this.#count();
    options.signal?.throwIfAborted();
    this.#note("out", service, argv, options);
    const { edition = "community", neo4j, postgres } = this.#scenario;
    const behaviour = argv[0] === "pg_dump" ? postgres ?? DUMPS.postgres : neo4j ?? DUMPS[edition];
    const { signal } = options;
    const finished = Promise.withResolvers<void>();
    finished.promise.catch(() => {}); // The reader of the stream may be the only one to look.
    const fail = (error: unknown, controller: ReadableStreamDefaultController<Uint8Array>) => {
      finished.reject(error);
      controller.error(error);
    };
    const bytes = typeof behaviour === "string" ? DUMPS.postgres.subarray(0, 100) : behaviour;
    const stdout = new ReadableStream<Uint8Array>({
      start(controller) {
        signal?.addEventListener("abort", () => fail(signal.reason, controller), { once: true });
      },
      pull: async (controller) => {
        this.#scenario.onStream?.(argv);
        if (signal?.aborted) return;
        if (behaviour === "fails") return fail(failure(argv, 1, "no such database"), controller);
        if (bytes.length > 0) controller.enqueue(bytes.slice());
        if (behaviour === "stalls") return await new Promise<void>(() => {});
        if (behaviour === "fails late") return fail(failure(argv, 1, "cut off"), controller);
        finished.resolve();
        controller.close();
      },
    }, { highWaterMark: 0 });
    return await Promise.resolve({ stdout, finished: finished.promise });
  }

  override async streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    this.#count();
    const input = await super.streamIn(service, argv, options);
    const parts: Uint8Array[] = [];
    return {
      ...input,
      write: (bytes) => {
        this.#scenario.onStream?.(argv);
        options.signal?.throwIfAborted();
        parts.push(bytes.slice());
        return Promise.resolve();
      },
      close: async () => {
        const output = await input.close();
        // What Neo4j's watchdog gets is no data.
        if (argv[0] !== "sh") this.received.set(argv.slice(0, 2).join(" "), concat(...parts));
        return output;
      },
    };
  }

  #exchange(isExchanged: boolean): string {
    this.#isExchanged = isExchanged;
    return "";
  }

  #count(): void {
    this.#callCount++;
    this.#scenario.onCall?.(this.#callCount);
  }

  #note(
    kind: "out",
    service: ServiceName,
    argv: readonly string[],
    { user, env = {}, secrets = {} }: StreamOptions,
  ): void {
    this.calls.push({ kind, service, command: argv.join(" "), argv, user, env, secrets });
  }
}

/** A directory with a repository and archives, and runs of the program on deployments. */
export class Workbench implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Workbench> {
    return new Workbench(await Deno.makeTempDir({ prefix: "infrahub_deployment_" }));
  }

  get repository(): string {
    return `${this.root}/repository`;
  }

  /** Names of the archives, and of whatever else lies beside them. */
  async archives(): Promise<string[]> {
    try {
      const entries = await Array.fromAsync(Deno.readDir(`${this.root}/archives`));
      return entries.map(({ name }) => name).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** Backup groups in the repository, oldest first. */
  async groups(): Promise<{ backup_id: string; status: string; snapshots: Snapshot[] }[]> {
    const { out } = await this.run(["snapshots", "list", "--log-format", "json"]);
    return out === "" ? [] : JSON.parse(out).reverse();
  }

  /** Runs the program on a deployment. */
  async run(argv: readonly string[], options: RunOptions = {}) {
    const { deployment = new ScriptedDeployment(), backend = "plakar" } = options;
    const controller = options.controller ?? new AbortController();
    const context = recordingContext({
      INFRAHUB_BACKEND: backend,
      INFRAHUB_REPO: this.repository,
      INFRAHUB_BACKUP_DIR: `${this.root}/archives`,
      INFRAHUB_CACHE_DIR: `${this.root}/cache`,
      INFRAHUB_JOBS: "1",
      ...options.variables,
    }, {
      detectEnvironment: () => Promise.resolve(deployment),
      signal: controller.signal,
      ...(options.now === undefined ? {} : { now: () => options.now ?? new Date() }),
      ...options.context,
    });
    const code = await run(argv, context);
    return { code, out: context.out(), err: context.err(), deployment };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** A snapshot in a listing. */
interface Snapshot {
  readonly snapshot_id: string;
  readonly component: string;
}

/** How a run differs from an ordinary one. */
interface RunOptions {
  readonly deployment?: ScriptedDeployment;
  /** @default {"plakar"} */
  readonly backend?: "plakar" | "tarball";
  readonly variables?: Readonly<Record<string, string>>;
  readonly controller?: AbortController;
  readonly now?: Date;
  readonly context?: Partial<CliContext>;
}

/** What SIGTERM does. */
export function terminate(controller: AbortController): void {
  controller.abort(new InterruptedError("SIGTERM", 143));
}

/** All bytes in a row. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
