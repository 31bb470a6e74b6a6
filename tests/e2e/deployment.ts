/**
 * A throw-away Infrahub deployment under Docker Compose, as the tests see it: started from
 * `compose.yaml` under a project name of its own, asked with plain `docker compose`, removed with
 * its volumes at the end.
 *
 * @module
 */

import { bringDown, bringUp, engineEnvironment } from "../../scripts/e2e/stack.ts";

const COMPOSE_FILE = new URL("./compose.yaml", import.meta.url).pathname;
const READY_TIMEOUT_MS = 180_000;
const POLL_MS = 200;

/** The services of the deployment, all of them. */
export const SERVICES = [
  "database",
  "task-manager-db",
  "task-manager",
  "task-manager-background-svc",
  "infrahub-server",
  "task-worker",
  "cache",
  "message-queue",
] as const;

/** What a command wrote, and its exit code. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Settings of one command. */
export interface CommandOptions {
  /** Bytes for its standard input; empty when left out. */
  readonly stdin?: Uint8Array | ReadableStream<Uint8Array>;
  /** Return instead of throwing when it exits non-zero. @default false */
  readonly mayFail?: boolean;
  readonly signal?: AbortSignal;
  /** Variables of the command's own process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Settings of a command in a container. */
export interface ExecOptions extends Omit<CommandOptions, "env"> {
  /** The user; the container's own when left out. */
  readonly user?: string;
  /** Variables in the container, by `-e`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A command exited non-zero where it must not. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** What the command wrote. */
  readonly result: CommandResult;

  constructor(args: readonly string[], result: CommandResult) {
    const output = new TextDecoder().decode(result.stdout.subarray(0, 4000)) + result.stderr;
    super(`"docker ${args.join(" ")}" exited ${result.code}:\n${output.trim()}`);
    this.result = result;
  }
}

/** The text that a command wrote to stdout. */
export function text(result: CommandResult): string {
  return new TextDecoder().decode(result.stdout);
}

/** Polls until `condition` holds. @throws {Error} when it does not in time; with its last words. */
export async function waitUntil(
  what: string | (() => string),
  condition: () => Promise<boolean>,
  timeoutMs = READY_TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!await condition()) {
    if (performance.now() > deadline) {
      const name = typeof what === "string" ? what : what();
      throw new Error(`${name} did not come within ${timeoutMs / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** One container of a deployment. */
export interface Container {
  readonly id: string;
  readonly name: string;
  /** Such as `running` or `exited`. */
  readonly state: string;
  readonly service: string;
}

/** The passwords of a deployment's databases. */
export interface Passwords {
  readonly neo4j: string;
  readonly postgres: string;
}

/** Nobody else has them, so that they can be looked for; with what a shell or a URL may stumble over. */
function newPasswords(): Passwords {
  const secret = (): string => crypto.randomUUID().replaceAll("-", "");
  return { neo4j: `n$'"${secret()}`, postgres: `p/@%'${secret()}` };
}

/** A running deployment. */
export class Deployment implements AsyncDisposable {
  /** The Compose project. */
  readonly project: string;
  /** Variables under which `docker` finds the engine; for the tool's own process too. */
  readonly environment: Readonly<Record<string, string>>;
  readonly passwords: Passwords = newPasswords();
  readonly #engineUse: string;
  /** Ids of the services' first containers; they are kept over stops and starts. */
  readonly #containers = new Map<string, string>();

  private constructor(project: string, environment: Record<string, string>, engineUse: string) {
    this.project = project;
    this.environment = environment;
    this.#engineUse = engineUse;
  }

  /**
   * Starts a deployment and waits until both databases answer. Installs and starts the engine when
   * none runs; it ends with the last one that uses it.
   *
   * @param options.overrides further Compose files, by their paths
   */
  static async start(
    options: { readonly project?: string; readonly overrides?: readonly string[] } = {},
  ): Promise<Deployment> {
    const use = await bringUp();
    const project = options.project ?? `infrahub-test-${crypto.randomUUID().slice(0, 8)}`;
    const deployment = new Deployment(project, await engineEnvironment(), use);
    try {
      await deployment.#up(options.overrides ?? []);
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
    return deployment;
  }

  async #up(overrides: readonly string[]): Promise<void> {
    const { neo4j, postgres } = this.passwords;
    const files = [COMPOSE_FILE, ...overrides].flatMap((file) => ["-f", file]);
    const up = ["compose", ...files, "-p", this.project, "up", "-d", "--wait"];
    const env = {
      NEO4J_SECRET: neo4j,
      POSTGRES_SECRET: postgres,
      POSTGRES_URL_SECRET: encodeURIComponent(postgres),
    };
    await this.docker(up, { env });
  }

  /** Runs `docker ARGS…`. @throws {CommandError} when it exits non-zero, unless it may. */
  async docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const child = new Deno.Command("docker", {
      args: [...args],
      env: { ...this.environment, ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }).spawn();
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).bytes(),
      new Response(child.stderr).text(),
      child.status,
      options.stdin === undefined ? undefined : feed(child.stdin, options.stdin),
    ]);
    const result = { code: status.code, stdout, stderr };
    if (result.code !== 0 && options.mayFail !== true) throw new CommandError(args, result);
    return result;
  }

  /** Runs `docker compose -p PROJECT ARGS…`, without the file, as the tool does. */
  compose(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.docker(["compose", "-p", this.project, ...args], options);
  }

  /** Runs a command in the first container of a service. */
  async exec(
    service: string,
    command: readonly string[],
    options: ExecOptions = {},
  ): Promise<CommandResult> {
    const { user, env, ...rest } = options;
    const flags = rest.stdin === undefined ? [] : ["-i"];
    if (user !== undefined) flags.push("-u", user);
    for (const [name, value] of Object.entries(env ?? {})) flags.push("-e", `${name}=${value}`);
    // Not by Compose, which takes longer to find the same container.
    return await this.docker(["exec", ...flags, await this.container(service), ...command], rest);
  }

  /** The id of a service's first container, running or not. */
  async container(service: string): Promise<string> {
    const known = this.#containers.get(service);
    if (known !== undefined) return known;
    const [id] = text(await this.compose(["ps", "-a", "-q", service])).trim().split("\n");
    if (!id) throw new Error(`Service "${service}" of ${this.project} has no container`);
    this.#containers.set(service, id);
    return id;
  }

  /** All containers. */
  async containers(): Promise<Container[]> {
    const project = `label=com.docker.compose.project=${this.project}`;
    const format = '{{.ID}} {{.Names}} {{.State}} {{.Label "com.docker.compose.service"}}';
    const list = ["ps", "-a", "--no-trunc", "--filter", project, "--format", format];
    return text(await this.docker(list)).trim().split("\n").filter(Boolean).map((line) => {
      const [id = "", name = "", state = "", service = ""] = line.split(" ");
      return { id, name, state, service };
    });
  }

  /** The address of a service's first container; undefined while it does not run. */
  async address(service: string): Promise<string | undefined> {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const id = await this.container(service);
    return text(await this.docker(["inspect", "-f", format, id])).trim() || undefined;
  }

  /** The services of which a container runs. */
  async running(): Promise<string[]> {
    const answer = await this.compose(["ps", "--services", "--status", "running"]);
    return text(answer).trim().split("\n").filter(Boolean).toSorted();
  }

  /** Removes containers, networks and volumes, and the engine if nobody else uses it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose(["down", "-v", "--timeout", "1", "--remove-orphans"]);
    await bringDown(this.#engineUse);
  }
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  input: Uint8Array | ReadableStream<Uint8Array>,
): Promise<void> {
  const source = input instanceof Uint8Array ? ReadableStream.from([input]) : input;
  try {
    await source.pipeTo(stdin);
  } catch (error) {
    // The command ended without reading everything: its exit code tells what there is to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
