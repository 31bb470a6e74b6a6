import { PROGRAMS } from "../programs.ts";
import { captureCommand, CommandFailedError } from "../command/mod.ts";
import { distinctId } from "../distinct_id.ts";
import type {
  Environment,
  EnvironmentPlace,
  RunOptions,
  ServiceHealth,
  ServiceName,
  ServiceStatus,
} from "../environment.ts";
import { EnvironmentError } from "../environment_error.ts";
import {
  choosePod,
  isPodOf,
  parsePods,
  parseWorkloads,
  type Pod,
  podsOf,
  type Workload,
  workloadsOf,
} from "./_pods.ts";
import { chooseContainer } from "./_containers.ts";
import { type ClientArgv, type RemoteCommand, RemoteExec } from "../remote/mod.ts";
import { pause, waitUntil } from "../wait_until.ts";

/** How a Kubernetes namespace is reached. */
export interface KubernetesOptions {
  readonly namespace: string;
  /**
   * The client; it finds the cluster by itself.
   *
   * @default {"kubectl"}
   */
  readonly program?: string;
  /**
   * The container of a service in its pod, whatever else may tell which it is.
   *
   * @default {{}}
   */
  readonly containers?: Readonly<Record<ServiceName, string>>;
  /**
   * Longest wait in milliseconds for pods to be ready, or gone.
   *
   * @default {600000}
   */
  readonly controlTimeoutMs?: number;
  /**
   * Longest wait in milliseconds for one of several pods of a service to be ready.
   *
   * @default {30000}
   */
  readonly choiceTimeoutMs?: number;
  /** Told when something is not as it should be and the work goes on. */
  readonly onWarning?: (message: string) => void;
}

/** Annotation of a stopped workload: how many replicas it had. */
export const REPLICAS_ANNOTATION = "infrahub-backup.opsmill.com/replicas";

const CONTROL_TIMEOUT_MS = 600_000;
const CHOICE_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 60_000;
const POLL_MS = 1_000;

/** An Infrahub deployment in a Kubernetes namespace. */
export class Kubernetes extends RemoteExec implements Environment {
  readonly kind = "kubernetes";
  readonly target: string;
  readonly #program: string;
  readonly #containers: ReadonlyMap<ServiceName, string>;
  readonly #controlTimeoutMs: number;
  readonly #choiceTimeoutMs: number;
  readonly #onWarning: (message: string) => void;
  /** Commands of one service go to one pod, ready or not, until the service is started or stopped. */
  readonly #pods = new Map<ServiceName, Place>();
  /** Replicas of workloads that this process has stopped, for when annotating is forbidden. */
  readonly #replicas = new Map<string, number>();

  constructor(options: KubernetesOptions) {
    super();
    this.target = options.namespace;
    this.#program = options.program ?? PROGRAMS.kubernetes[0];
    this.#containers = new Map(Object.entries(options.containers ?? {}));
    this.#controlTimeoutMs = options.controlTimeoutMs ?? CONTROL_TIMEOUT_MS;
    this.#choiceTimeoutMs = options.choiceTimeoutMs ?? CHOICE_TIMEOUT_MS;
    this.#onWarning = options.onWarning ?? (() => {});
  }

  /** See {@linkcode Environment.run}. */
  override async run(
    service: ServiceName,
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<string> {
    try {
      return await super.run(service, argv, options);
    } catch (error) {
      // kubectl exits with 1 whatever was wrong: its text is all that tells.
      const isGone = error instanceof CommandFailedError &&
        /\(NotFound\): pods? /.test(error.stderrTail);
      if (isGone) this.#pods.delete(service); // the next command looks for another one
      throw error;
    }
  }

  /** The namespace's own id, which no namespace of the same name has, here or in another cluster. */
  async place(signal?: AbortSignal): Promise<EnvironmentPlace> {
    try {
      const uid = await this.#call(
        ["get", "namespace", this.target, "-o", "jsonpath={.metadata.uid}"],
        signal,
      );
      const id = /^[0-9a-f-]{36}$/.test(uid) ? distinctId("kubernetes", uid) : undefined;
      return id === undefined ? {} : { id };
    } catch (error) {
      signal?.throwIfAborted();
      // A role may be for what is in the namespace alone.
      if (error instanceof CommandFailedError) return {};
      throw error;
    }
  }

  /**
   * Running when a pod runs, or its workload wants one.
   *
   * @throws {CommandFailedError} when the status cannot be found out
   */
  async status(service: ServiceName, signal?: AbortSignal): Promise<ServiceStatus> {
    const pods = podsOf(service, await this.#allPods(signal));
    if (pods.some(({ phase }) => phase === "Running")) return "running";
    const workloads = workloadsOf(service, await this.#workloads(signal));
    if (workloads.some(({ replicas }) => replicas > 0)) return "running";
    return pods.length > 0 || workloads.length > 0 ? "stopped" : "absent";
  }

  /**
   * Healthy when all its pods are ready.
   *
   * @throws {CommandFailedError} when it cannot be found out
   */
  async health(service: ServiceName, signal?: AbortSignal): Promise<ServiceHealth> {
    const pods = podsOf(service, await this.#allPods(signal)).filter((pod) => !pod.isTerminating);
    if (pods.length === 0) return "unknown";
    return pods.every(({ isReady }) => isReady) ? "healthy" : "unhealthy";
  }

  /**
   * Scales services to the replicas that they were stopped with, or to one when that is unknown,
   * and waits until these are ready.
   *
   * @throws {CommandFailedError} when a call fails
   * @throws {EnvironmentError} when a service has no workload, or is not ready in time
   */
  async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    const wanted = new Map<Workload, number>();
    for (const service of services) {
      this.#pods.delete(service);
      for (const workload of await this.#workloadsOf(service, signal)) {
        wanted.set(workload, await this.#scaleUp(service, workload, signal));
      }
    }
    await waitUntil(async () => {
      const pods = wanted.size > 0 ? await this.#allPods(signal) : [];
      for (const [workload, replicas] of wanted) {
        const ready = pods.filter((pod) =>
          isPodOf(workload, pod) && pod.isReady && !pod.isTerminating
        );
        if (ready.length < replicas) {
          return `${resource(workload)} has ${ready.length} of ${replicas} pods ready`;
        }
      }
      return undefined;
    }, { limitMs: this.#controlTimeoutMs, intervalMs: POLL_MS, signal });
  }

  /**
   * Scales services to no replicas and waits until their pods are gone. How many there were stands
   * in the annotation {@linkcode REPLICAS_ANNOTATION} of each workload.
   *
   * @throws {CommandFailedError} when a call fails
   * @throws {EnvironmentError} when a service has no workload, or its pods do not end in time
   */
  async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    const stopped: Workload[] = [];
    for (const service of services) {
      this.#pods.delete(service);
      for (const workload of await this.#workloadsOf(service, signal)) {
        await this.#scaleDown(service, workload, signal);
        stopped.push(workload);
      }
    }
    await waitUntil(async () => {
      const pods = stopped.length > 0 ? await this.#allPods(signal) : [];
      for (const workload of stopped) {
        const left = pods.filter((pod) =>
          isPodOf(workload, pod) && pod.phase !== "Succeeded" && pod.phase !== "Failed"
        );
        if (left.length > 0) {
          return `${resource(workload)} still has pods (${
            left.map(({ name }) => name).join(", ")
          })`;
        }
      }
      return undefined;
    }, { limitMs: this.#controlTimeoutMs, intervalMs: POLL_MS, signal });
  }

  /**
   * Whether the namespace has a workload of any of the services, be it scaled down.
   *
   * @throws {CommandFailedError} when they cannot be listed
   */
  async hasAnyOf(services: readonly ServiceName[], signal?: AbortSignal): Promise<boolean> {
    const workloads = await this.#workloads(signal);
    return services.some((service) => workloadsOf(service, workloads).length > 0);
  }

  protected override async client(
    service: ServiceName,
    signal?: AbortSignal,
  ): Promise<ClientArgv> {
    const place = await this.#pod(service, signal);
    return (command) => this.#execArgv(place, command);
  }

  async #workloads(signal: AbortSignal | undefined): Promise<Workload[]> {
    return [
      ...parseWorkloads("deployment", await this.#get("deployment", signal)),
      ...parseWorkloads("statefulset", await this.#get("statefulset", signal)),
    ];
  }

  /** Scales a workload up where it is down. Returns how many replicas it has then. */
  async #scaleUp(
    service: ServiceName,
    workload: Workload,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const key = resource(workload);
    const annotated = Number(workload.annotations[REPLICAS_ANNOTATION]);
    const remembered = annotated > 0 ? annotated : this.#replicas.get(key) ?? 1;
    const replicas = workload.replicas > 0 ? workload.replicas : remembered;
    if (workload.replicas === 0) await this.#scale(service, workload, replicas, signal);
    this.#replicas.delete(key);
    // Only now: if we are interrupted in between, the number is still there.
    if (REPLICAS_ANNOTATION in workload.annotations) {
      await this.#annotate(workload, `${REPLICAS_ANNOTATION}-`, signal);
    }
    return replicas;
  }

  async #scaleDown(
    service: ServiceName,
    workload: Workload,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (workload.replicas === 0) return; // an earlier run's annotation stays
    this.#replicas.set(resource(workload), workload.replicas);
    await this.#annotate(workload, `${REPLICAS_ANNOTATION}=${workload.replicas}`, signal);
    await this.#scale(service, workload, 0, signal);
  }

  async #annotate(
    workload: Workload,
    change: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await this.#call(
        ["annotate", "-n", this.target, resource(workload), change, "--overwrite"],
        signal,
      );
    } catch (error) {
      // As above: kubectl tells by its text alone.
      const isForbidden = error instanceof CommandFailedError &&
        /forbidden/i.test(error.stderrTail);
      if (!isForbidden) throw error;
      // The chart's role may scale workloads and not patch them.
      this.#onWarning(
        `Could not annotate ${resource(workload)} with ${change}: forbidden. The number of ` +
          "replicas would be lost if this run was killed; allow to patch " +
          `${workload.kind}s to avoid that`,
      );
    }
  }

  async #scale(
    service: ServiceName,
    workload: Workload,
    replicas: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const name = resource(workload);
    try {
      await this.#call(["scale", "-n", this.target, name, `--replicas=${replicas}`], signal);
    } catch (error) {
      if (!(error instanceof CommandFailedError)) throw error;
      throw new EnvironmentError(
        `failed to scale ${service} (${name}) to ${replicas} replicas: ${error.message}`,
        { cause: error },
      );
    }
  }

  async #workloadsOf(
    service: ServiceName,
    signal: AbortSignal | undefined,
  ): Promise<Workload[]> {
    const found = workloadsOf(service, await this.#workloads(signal));
    if (found.length > 0) return found;
    throw new EnvironmentError(`failed to resolve workload for ${service}: no workloads found`);
  }

  async #pod(service: ServiceName, signal: AbortSignal | undefined): Promise<Place> {
    const known = this.#pods.get(service);
    if (known !== undefined) return known;
    const guessEnd = performance.now() + this.#choiceTimeoutMs;
    let pods = podsOf(service, await this.#allPods(signal));
    let choice = choosePod(pods);
    // One that has just been started again is ready in a moment.
    while (choice?.isGuess && performance.now() < guessEnd) {
      await pause(POLL_MS, signal);
      pods = podsOf(service, await this.#allPods(signal));
      choice = choosePod(pods);
    }
    if (choice === undefined) {
      const states = pods.map((pod) =>
        `${pod.name} is ${pod.isTerminating ? "terminating" : pod.phase.toLowerCase()}`
      );
      throw new CommandFailedError({
        argv: [this.#program, "exec", "-n", this.target, service],
        problem: states.length === 0
          ? `cannot be started: no pods found for service ${service} in namespace ${this.target}`
          : `cannot be started: no running pod for service ${service} in namespace ` +
            `${this.target}: ${states.join(", ")}`,
      });
    }
    if (choice.isGuess) {
      this.#onWarning(`No pod of service ${service} is ready; taking ${choice.pod.name}`);
    }
    const { name, containers } = choice.pod;
    const container = this.#containers.get(service) ?? chooseContainer(service, containers);
    if (container === undefined && containers.length > 1) {
      this.#onWarning(
        `Nothing tells which container of pod ${name} is ${service}; taking the first, ` +
          `${containers[0]?.name}. --container ${service}=NAME tells, or the annotation ` +
          "kubectl.kubernetes.io/default-container",
      );
    }
    const place: Place = container === undefined ? [name] : [name, "-c", container];
    this.#pods.set(service, place);
    return place;
  }

  async #allPods(signal: AbortSignal | undefined): Promise<Pod[]> {
    return parsePods(await this.#get("pods", signal));
  }

  async #get(kind: string, signal: AbortSignal | undefined): Promise<unknown> {
    const output = await this.#call(["get", kind, "-n", this.target, "-o", "json"], signal);
    try {
      return JSON.parse(output);
    } catch (cause) {
      throw new EnvironmentError(`kubectl get ${kind} wrote something other than JSON`, { cause });
    }
  }

  async #call(argv: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    const { stdout } = await captureCommand({
      argv: [this.#program, ...argv],
      timeoutMs: CALL_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
    return stdout;
  }

  #execArgv(place: Place, { argv, user, env, hasInput }: RemoteCommand): readonly string[] {
    const command = env.length === 0
      ? argv
      : ["env", ...env.map(([name, value]) => `${name}=${value}`), ...argv];
    return [
      this.#program,
      "exec",
      ...(hasInput ? ["-i"] : []),
      "-n",
      this.target,
      ...place,
      "--",
      // No login shell: it would lose PATH and whatever else the image sets for the command.
      ...(user === undefined
        ? command
        : ["su", user, "-s", "/bin/sh", "-c", command.map(quote).join(" ")]),
    ];
  }
}

/** Arguments of kubectl that say where a command runs: a pod, and its container if one is chosen. */
type Place = readonly [pod: string, ...container: string[]];

function resource(workload: Workload): string {
  return `${workload.kind}/${workload.name}`;
}

/** One word of a POSIX shell's command line. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
