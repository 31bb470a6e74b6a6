/**
 * A deployment of which the state is in a folder, so that it outlives the process that changes it: the
 * services and the databases of PostgreSQL in a file, those of Neo4j as directories, on which the
 * program's own scripts work. It kills its process at a moment.
 *
 * @module
 */

import type {
  CommandInput,
  RunOptions,
  ServiceName,
  StreamOptions,
} from "../../src/environment/mod.ts";
import { ScriptedDeployment } from "../unit/cli/_deployment.ts";
import { failure } from "../unit/infrahub/fake_environment.ts";

/** A moment: a command, by a part of it, and whether it had its effect. */
export interface Moment {
  readonly command: string;
  readonly isAfter: boolean;
}

interface State {
  readonly services: Record<string, "running" | "stopped" | "absent">;
  /** What is in the databases of PostgreSQL, by their names. */
  readonly postgres: Record<string, string>;
}

const PARTS = ["data/databases", "transactions"] as const;

/** See above. */
export class KilledDeployment extends ScriptedDeployment {
  readonly #root: string;
  readonly #moment: Moment | undefined;

  constructor(root: string, moment?: Moment) {
    super({
      prepare: (deployment) =>
        deployment.on(
          "database",
          "SHOW SETTINGS",
          `"server.directories.data", "${root}/data"\n` +
            `"server.directories.transaction.logs.root", "${root}/transactions"`,
        ),
    });
    this.#root = root;
    this.#moment = moment;
    for (const [service, status] of Object.entries(this.#read().services)) {
      this.statuses.set(service, status);
    }
  }

  /** Makes the folder, with the old data in both databases. */
  static make(root: string): void {
    for (const part of PARTS) {
      Deno.mkdirSync(`${root}/${part}/neo4j`, { recursive: true });
      Deno.writeTextFileSync(`${root}/${part}/neo4j/content`, "old");
    }
    const state: State = { services: {}, postgres: { prefect: "old" } };
    Deno.writeTextFileSync(`${root}/state.json`, JSON.stringify(state));
  }

  /** All databases that are there, and what is in them. */
  databases(): string[] {
    return [
      ...Object.entries(this.#read().postgres).map(([name, content]) => `${name}: ${content}`),
      ...PARTS.flatMap((part) =>
        [...Deno.readDirSync(`${this.#root}/${part}`)].map(({ name }) =>
          `${part}/${name}: ${Deno.readTextFileSync(`${this.#root}/${part}/${name}/content`)}`
        )
      ),
    ];
  }

  override async run(
    service: ServiceName,
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<string> {
    const command = argv.join(" ");
    return await this.#at(command, async () => {
      const output = await super.run(service, argv, options);
      if (argv[0] === "psql") return this.#sql(argv.at(-1) ?? "") ?? output;
      // Those of the program itself; nobody holds anything here.
      if (/^infrahub-(exchange|put-back)$/.test(argv[3] ?? "")) {
        return await execute([...argv.slice(0, -1), ""]);
      }
      if (argv[3] === "infrahub-look" || command.startsWith(`rm -rf ${this.#root}/`)) {
        return await execute(argv);
      }
      return output;
    });
  }

  override async streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    const input = await super.streamIn(service, argv, options);
    return {
      ...input,
      close: () =>
        this.#at(argv.join(" "), async () => {
          const output = await input.close();
          if (argv[0] === "pg_restore") {
            this.#change(({ postgres }) => void (postgres[argv.at(-1) ?? ""] = "new"));
          } else if (argv[0] === "neo4j-admin") {
            for (const part of PARTS) {
              Deno.mkdirSync(`${this.#root}/${part}/${argv.at(-1)}`);
              Deno.writeTextFileSync(`${this.#root}/${part}/${argv.at(-1)}/content`, "new");
            }
          }
          return output;
        }),
    };
  }

  override async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#at(`start ${services.join(" ")}`, async () => {
      await super.start(services, signal);
      this.#keep(services, "running");
    });
  }

  override async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#at(`stop ${services.join(" ")}`, async () => {
      await super.stop(services, signal);
      this.#keep(services, "stopped");
    });
  }

  async #at<Value>(command: string, effect: () => Promise<Value>): Promise<Value> {
    const isIt = this.#moment !== undefined && command.includes(this.#moment.command);
    if (isIt && this.#moment?.isAfter === false) await die();
    const value = await effect();
    if (isIt) await die();
    return value;
  }

  /** The few statements that the swap of two databases is made of; undefined for any other. */
  #sql(sql: string): string | undefined {
    const names = Object.keys(this.#read().postgres);
    const listed = /^SELECT datname FROM pg_database WHERE datname IN \((.*)\)$/.exec(sql)?.[1];
    if (listed !== undefined) {
      return names.filter((name) => listed.includes(`'${name}'`)).join("\n");
    }
    const created = /^CREATE DATABASE "([^"]+)"/.exec(sql)?.[1];
    const dropped = /^DROP DATABASE IF EXISTS "([^"]+)"/.exec(sql)?.[1];
    const renamed = [...sql.matchAll(/ALTER DATABASE "([^"]+)" RENAME TO "([^"]+)"/g)];
    if (created === undefined && dropped === undefined && renamed.length === 0) return undefined;
    this.#change(({ postgres }) => {
      if (created !== undefined) postgres[created] = "";
      if (dropped !== undefined) delete postgres[dropped];
      for (const [, from = "", to = ""] of renamed) {
        const content = postgres[from];
        if (content === undefined || postgres[to] !== undefined) {
          throw failure(["psql"], 1, `cannot rename ${from} to ${to}`);
        }
        postgres[to] = content;
        delete postgres[from];
      }
    });
    return "";
  }

  #keep(services: readonly ServiceName[], status: "running" | "stopped"): void {
    this.#change((state) => {
      for (const service of services) state.services[service] = status;
    });
  }

  #read(): State {
    return JSON.parse(Deno.readTextFileSync(`${this.#root}/state.json`));
  }

  #change(change: (state: State) => void): void {
    const state = this.#read();
    change(state);
    Deno.writeTextFileSync(`${this.#root}/state.json`, JSON.stringify(state));
  }
}

async function execute([program = "", ...args]: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw failure([program, ...args], code, decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd();
}

async function die(): Promise<never> {
  Deno.kill(Deno.pid, "SIGKILL");
  return await new Promise<never>(() => {});
}
