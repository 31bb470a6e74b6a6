import {
  captureCommand,
  checkSecrets,
  CommandFailedError,
  type CommandInput,
  type CommandStream,
  feedCommand,
  streamCommand,
  withoutVariables,
} from "./command/mod.ts";
import { distinctId } from "./distinct_id.ts";
import type {
  Environment,
  EnvironmentPlace,
  ExecOptions,
  RunOptions,
  ServiceHealth,
  ServiceName,
  ServiceStatus,
  StreamOptions,
} from "./environment.ts";
import { PROGRAMS } from "./programs.ts";
import { RUN_TIMEOUT_MS } from "./remote/mod.ts";
import { waitUntil } from "./wait_until.ts";

/** How a deployment on this host is reached. */
export interface HostOptions {
  /**
   * The systemd unit of each service that is one.
   *
   * @default {{}}
   */
  readonly units?: Readonly<Record<ServiceName, string>>;
  /**
   * The program that controls units.
   *
   * @default {"systemctl"}
   */
  readonly systemctl?: string;
  /**
   * Longest duration in milliseconds of starting or stopping a unit.
   *
   * @default {600000}
   */
  readonly controlTimeoutMs?: number;
}

/** Where systemd keeps what identifies a machine; older systems had it in the second place. */
const MACHINE_IDS = ["/etc/machine-id", "/var/lib/dbus/machine-id"] as const;
const CONTROL_TIMEOUT_MS = 600_000;
const CALL_TIMEOUT_MS = 60_000;
const POLL_MS = 500;
/** What `systemctl is-active` exits with: active, any other state, no such unit. */
const IS_ACTIVE_EXIT_CODES: readonly number[] = [0, 3, 4];
const NO_SUCH_UNIT = 4;

/**
 * An Infrahub deployment without containers: commands run on this host, whatever the service.
 *
 * Services are started and stopped by their units. A service without a unit is none that this
 * program controls: its status is `absent`, and starting or stopping it does nothing; its commands
 * run all the same. Secrets are variables of the command's own environment, which only its user
 * and root can see.
 */
export class Host implements Environment {
  readonly kind = "host";
  readonly target: string;
  readonly #units: ReadonlyMap<ServiceName, string>;
  readonly #systemctl: string;
  readonly #controlTimeoutMs: number;

  constructor(options: HostOptions = {}) {
    this.target = Deno.hostname();
    this.#units = new Map(Object.entries(options.units ?? {}));
    this.#systemctl = options.systemctl ?? PROGRAMS.host[0];
    this.#controlTimeoutMs = options.controlTimeoutMs ?? CONTROL_TIMEOUT_MS;
  }

  /** This machine, which stays itself when it is renamed. */
  async place(): Promise<EnvironmentPlace> {
    for (const path of MACHINE_IDS) {
      const id = distinctId("host", await Deno.readTextFile(path).catch(() => ""));
      if (id !== undefined) return { host: this.target, id };
    }
    return { host: this.target };
  }

  /** See {@linkcode Environment.run}. */
  async run(
    _service: ServiceName,
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<string> {
    const { timeoutMs = RUN_TIMEOUT_MS } = options;
    return (await captureCommand({ ...await prepare(argv, options), timeoutMs })).stdout;
  }

  /** See {@linkcode Environment.streamOut}. */
  async streamOut(
    _service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream> {
    const { stallTimeoutMs } = options;
    return streamCommand({ ...await prepare(argv, options), stallTimeoutMs });
  }

  /** See {@linkcode Environment.streamIn}. */
  async streamIn(
    _service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    const { stallTimeoutMs } = options;
    return feedCommand({ ...await prepare(argv, options), stallTimeoutMs });
  }

  /**
   * Running when the unit is active, or about to be.
   *
   * @throws {CommandFailedError} when the status cannot be found out
   */
  async status(service: ServiceName, signal?: AbortSignal): Promise<ServiceStatus> {
    const unit = this.#units.get(service);
    if (unit === undefined) return "absent";
    const { stdout, exitCode } = await captureCommand({
      argv: [this.#systemctl, "is-active", unit],
      acceptedExitCodes: IS_ACTIVE_EXIT_CODES,
      timeoutMs: CALL_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    if (exitCode === NO_SUCH_UNIT || stdout === "unknown") return "absent";
    return stdout === "inactive" || stdout === "failed" ? "stopped" : "running";
  }

  /** Unknown: systemd has no check of what a unit does. */
  health(): Promise<ServiceHealth> {
    return Promise.resolve("unknown");
  }

  /**
   * Starts the units of services and waits until they run.
   *
   * @throws {CommandFailedError} when a unit cannot be started
   * @throws {EnvironmentError} when it does not come up in time
   */
  async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#control("start", services, "running", signal);
  }

  /**
   * Stops the units of services and waits until they have stopped.
   *
   * @throws {CommandFailedError} when a unit cannot be stopped
   * @throws {EnvironmentError} when it does not stop in time
   */
  async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#control("stop", services, "stopped", signal);
  }

  async #control(
    verb: "start" | "stop",
    services: readonly ServiceName[],
    wanted: ServiceStatus,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const service of services) {
      const unit = this.#units.get(service);
      if (unit === undefined) continue;
      await captureCommand({
        argv: [this.#systemctl, verb, unit],
        timeoutMs: this.#controlTimeoutMs,
        ...(signal ? { signal } : {}),
      });
      await waitUntil(async () => {
        const status = await this.status(service, signal);
        return status === wanted ? undefined : `${service} (${unit}) is ${status}, not ${wanted}`;
      }, { limitMs: this.#controlTimeoutMs, intervalMs: POLL_MS, signal });
    }
  }
}

async function prepare(argv: readonly string[], options: ExecOptions) {
  const { user, env = {}, secrets = {}, unset = [], signal } = options;
  checkSecrets(secrets);
  const isOther = user !== undefined && await isAnotherUser(user, argv, signal);
  const become = isOther ? ["runuser", "-u", user, "--"] : [];
  const inherited = unset.filter((name) => !(name in env) && !(name in secrets));
  return {
    argv: [...become, ...withoutVariables(argv, inherited)],
    ...(inherited.length > 0 ? { shownArgv: [...become, ...argv] } : {}),
    env: { ...env, ...secrets },
    ...(signal ? { signal } : {}),
  };
}

/** @throws {CommandFailedError} when we cannot become that user */
async function isAnotherUser(
  user: string,
  argv: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { stdout } = await captureCommand({
    argv: ["id", "-u", user],
    timeoutMs: CALL_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
  const uid = Deno.uid();
  if (stdout === String(uid)) return false;
  if (uid === 0) return true;
  throw new CommandFailedError({
    argv,
    problem: `cannot be started: only root can run it as user ${user}`,
  });
}
