import type { CommandInput, CommandStream } from "./command/mod.ts";

/** A service of a deployment, by the name that Docker Compose and Kubernetes know it by. */
export type ServiceName = string;

/** How a command is run inside a service. */
export interface ExecOptions {
  /** Operating system user; the service's own default when not given. */
  readonly user?: string;
  /** Variables that may be seen by anybody who lists processes. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Variables that nobody else may see: they reach the command through its standard input, and
   * stand neither on a command line nor in a log.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Names of variables that the command must not find, wherever it would inherit them from: this
   * process, or the container. Those that `env` or `secrets` set stay set.
   */
  readonly unset?: readonly string[];
  /** Ends the command when aborted; its reason is then the error. */
  readonly signal?: AbortSignal;
}

/** How a captured command is run. */
export interface RunOptions extends ExecOptions {
  /**
   * Longest duration in milliseconds; 0 for no limit.
   *
   * @default {60000}
   */
  readonly timeoutMs?: number;
}

/** How a streaming command is run. */
export interface StreamOptions extends ExecOptions {
  /** Longest wait in milliseconds for the next byte, or for bytes to be taken; 0 for no limit. */
  readonly stallTimeoutMs: number;
}

/** Whether a service is there and runs. */
export type ServiceStatus = "running" | "stopped" | "absent";

/** What tells an environment from others of its kind and name. */
export interface EnvironmentPlace {
  /** Host that its services run on; undefined where that may be any. */
  readonly host?: string;
  /**
   * The same for one Docker daemon, one namespace or one machine and for no other, 16 hex digits;
   * undefined where that cannot be found out.
   */
  readonly id?: string;
}

/** What a platform's own check of a service says; "unknown" where it has none. */
export type ServiceHealth = "healthy" | "unhealthy" | "unknown";

/**
 * Where an Infrahub deployment runs, and how commands reach its services. Standard output and
 * standard error are never merged; every error carries the tail of standard error.
 */
export interface Environment {
  readonly kind: "docker" | "kubernetes" | "host";
  /** Compose project, namespace, or host name. */
  readonly target: string;

  /** Tells which of all environments of its name this is, as far as it may look. Does not fail. */
  place?(signal?: AbortSignal): Promise<EnvironmentPlace>;

  /**
   * Runs a command to its end.
   *
   * @returns its standard output, without the last line break
   * @throws {CommandFailedError} when it did not exit with 0, or took too long
   */
  run(service: ServiceName, argv: readonly string[], options?: RunOptions): Promise<string>;

  /** Starts a command whose standard output is the data. See {@linkcode CommandStream}. */
  streamOut(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream>;

  /** Starts a command whose standard input is the data. */
  streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput>;

  /** @throws {CommandFailedError} when the status cannot be found out */
  status(service: ServiceName, signal?: AbortSignal): Promise<ServiceStatus>;

  /**
   * Whether a service does what it is for, as its health check or readiness probe says: of several
   * replicas, all that there should be.
   *
   * @throws {CommandFailedError} when it cannot be found out
   */
  health(service: ServiceName, signal?: AbortSignal): Promise<ServiceHealth>;

  /** Starts services; those that run already are fine. */
  start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void>;

  /**
   * Stops services and waits until they have stopped. What is needed to start them as they were
   * (replica counts) is kept where it outlives this process.
   */
  stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void>;
}
