import { captureCommand, CommandFailedError } from "./command/mod.ts";
import { distinctId } from "./distinct_id.ts";
import type {
  Environment,
  EnvironmentPlace,
  ServiceHealth,
  ServiceName,
  ServiceStatus,
} from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import { PROGRAMS } from "./programs.ts";
import { type ClientArgv, type RemoteCommand, RemoteExec } from "./remote/mod.ts";
import { items, members, text } from "./untyped.ts";
import { waitUntil } from "./wait_until.ts";

/** How a Docker Compose project is reached. */
export interface DockerComposeOptions {
  /** Name of the project; the compose file is not needed. */
  readonly project: string;
  /**
   * The client.
   *
   * @default {"docker"}
   */
  readonly program?: string;
  /**
   * Longest duration in milliseconds of starting or stopping services, each.
   *
   * @default {600000}
   */
  readonly controlTimeoutMs?: number;
}

/** A container of a project. */
export interface ComposeContainer {
  readonly name: string;
  readonly service: ServiceName;
  readonly image: string;
  readonly command: string;
  /** Such as `running`, `restarting`, `exited` or `created`. */
  readonly state: string;
  /** Of its health check: such as `healthy` or `starting`; empty when it has none. */
  readonly health: string;
}

const CONTROL_TIMEOUT_MS = 600_000;
const LIST_TIMEOUT_MS = 60_000;
const PLACE_TIMEOUT_MS = 20_000;
const POLL_MS = 500;
/** States in which a container neither runs nor comes up by itself. */
const STOPPED_STATES: readonly string[] = ["created", "exited", "dead", "removing"];

/** An Infrahub deployment in a Docker Compose project. Commands run in a service's first container. */
export class DockerCompose extends RemoteExec implements Environment {
  readonly kind = "docker";
  readonly target: string;
  readonly #program: string;
  readonly #controlTimeoutMs: number;

  constructor(options: DockerComposeOptions) {
    super();
    this.target = options.project;
    this.#program = options.program ?? PROGRAMS.docker[0];
    this.#controlTimeoutMs = options.controlTimeoutMs ?? CONTROL_TIMEOUT_MS;
  }

  /** The daemon, which need not be on this host, and the host that it is on. */
  async place(signal?: AbortSignal): Promise<EnvironmentPlace> {
    try {
      const { stdout } = await captureCommand({
        argv: [this.#program, "info", "--format", "{{.ID}} {{.Name}}"],
        timeoutMs: PLACE_TIMEOUT_MS,
        ...(signal ? { signal } : {}),
      });
      const [, daemon = "", host] = /^(\S{8,}) (\S+)\s*$/.exec(stdout) ?? [];
      const id = distinctId("docker", daemon);
      return { ...(host === undefined ? {} : { host }), ...(id === undefined ? {} : { id }) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CommandFailedError) return {};
      throw error;
    }
  }

  /**
   * Running when one of its containers runs, or is in any state in which it may come up by itself.
   *
   * @throws {CommandFailedError} when the status cannot be found out
   */
  async status(service: ServiceName, signal?: AbortSignal): Promise<ServiceStatus> {
    const containers = (await this.containers(signal)).filter((one) => one.service === service);
    if (containers.length === 0) return "absent";
    return containers.some((one) => !STOPPED_STATES.includes(one.state)) ? "running" : "stopped";
  }

  /**
   * Healthy when all its containers are that run; those without a health check count for nothing.
   *
   * @throws {CommandFailedError} when it cannot be found out
   */
  async health(service: ServiceName, signal?: AbortSignal): Promise<ServiceHealth> {
    const checks = (await this.containers(signal))
      .filter((one) => one.service === service && !STOPPED_STATES.includes(one.state))
      .map(({ health }) => health).filter((health) => health !== "");
    if (checks.length === 0) return "unknown";
    return checks.every((health) => health === "healthy") ? "healthy" : "unhealthy";
  }

  /**
   * Starts services and waits until a container of each runs. Compose starts their dependencies as
   * well.
   *
   * @throws {CommandFailedError} when they cannot be started
   * @throws {EnvironmentError} when they do not come up in time
   */
  async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    if (services.length === 0) return; // no name at all would mean every service
    await this.#control(["start", ...services], signal);
    await this.#wait("does not run", services, signal, (states) => states.includes("running"));
  }

  /**
   * Stops services and waits until no container of them is left running. Compose remembers by
   * itself how many containers there are.
   *
   * @throws {CommandFailedError} when they cannot be stopped
   * @throws {EnvironmentError} when they do not stop in time
   */
  async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    if (services.length === 0) return; // no name at all would mean every service
    await this.#control(["stop", ...services], signal);
    await this.#wait(
      "still runs",
      services,
      signal,
      (states) => states.every((state) => STOPPED_STATES.includes(state)),
    );
  }

  /**
   * The project's containers, stopped ones included; none for a project that does not exist.
   *
   * @throws {CommandFailedError} when they cannot be listed
   */
  async containers(signal?: AbortSignal): Promise<ComposeContainer[]> {
    const { stdout } = await captureCommand({
      argv: [...this.#compose(), "ps", "-a", "--format", "json"],
      timeoutMs: LIST_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    return parseContainers(stdout);
  }

  async #control(argv: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await captureCommand({
      argv: [...this.#compose(), ...argv],
      timeoutMs: this.#controlTimeoutMs,
      ...(signal ? { signal } : {}),
    });
  }

  async #wait(
    problem: string,
    services: readonly ServiceName[],
    signal: AbortSignal | undefined,
    isDone: (states: readonly string[]) => boolean,
  ): Promise<void> {
    await waitUntil(async () => {
      const containers = await this.containers(signal);
      for (const service of services) {
        const states = containers.filter((one) => one.service === service)
          .map(({ state }) => state);
        if (!isDone(states)) {
          return `${service} ${problem} (${states.join(", ") || "no container"})`;
        }
      }
      return undefined;
    }, { limitMs: this.#controlTimeoutMs, intervalMs: POLL_MS, signal });
  }

  protected override client(service: ServiceName): Promise<ClientArgv> {
    return Promise.resolve((command) => this.#execArgv(service, command));
  }

  #compose(): readonly string[] {
    return [this.#program, "compose", "-p", this.target];
  }

  #execArgv(service: ServiceName, { argv, user, env }: RemoteCommand): readonly string[] {
    return [
      ...this.#compose(),
      "exec",
      "-T",
      ...(user === undefined ? [] : ["-u", user]),
      ...env.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      service,
      ...argv,
    ];
  }
}

/** Reads `ps --format json`: one array in older versions of Compose, one object a line since. */
function parseContainers(output: string): ComposeContainer[] {
  let listed: readonly unknown[];
  try {
    listed = output.trimStart().startsWith("[")
      ? items(JSON.parse(output))
      : output.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line));
  } catch (cause) {
    throw new EnvironmentError("docker compose ps wrote something other than JSON", { cause });
  }
  return listed.map(members)
    // `compose run` leaves containers that belong to a service and are not part of it.
    .filter(({ Labels }) => !text(Labels).includes("com.docker.compose.oneoff=True"))
    .map(({ Name, Service, Image, Command, State, Health }) => ({
      name: text(Name),
      service: text(Service),
      image: text(Image),
      command: text(Command),
      state: text(State).toLowerCase(),
      health: text(Health).toLowerCase(),
    }));
}
