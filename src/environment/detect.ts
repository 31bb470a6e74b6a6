import { captureCommand, CommandFailedError } from "./command/mod.ts";
import { type ComposeContainer, DockerCompose } from "./docker_compose.ts";
import type { Environment } from "./environment.ts";
import { EnvironmentError } from "./environment_error.ts";
import { Host, type HostOptions } from "./host.ts";
import { Kubernetes } from "./kubernetes/mod.ts";
import { PROGRAMS } from "./programs.ts";
import { DISTINCTIVE_SERVICES } from "./services.ts";

/** Which deployment is meant, and how to look for it. */
export interface DetectOptions {
  /** Compose project; binding. */
  readonly project?: string;
  /**
   * Kubernetes namespace; binding, and stronger than a project, as ever. Who knows that the one
   * was asked for and the other merely stands in a variable passes only what was asked for.
   */
  readonly namespace?: string;
  /** This host; binding, and not to be combined with the others. */
  readonly host?: HostOptions;
  /**
   * The container of a service in its pod, by the service's name.
   *
   * @default found by names, images and ports
   */
  readonly containers?: Readonly<Record<string, string>>;
  /**
   * Longest duration in milliseconds of starting or stopping a service.
   *
   * @default {600000}
   */
  readonly controlTimeoutMs?: number;
  /** @default {"docker"} */
  readonly docker?: string;
  /** @default {"kubectl"} */
  readonly kubectl?: string;
  /** Told when something is not as it should be and the work goes on. */
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Deployments that were found. */
export interface FoundEnvironments {
  /** Compose projects, sorted. */
  readonly projects: readonly string[];
  /** Kubernetes namespaces, sorted. */
  readonly namespaces: readonly string[];
  /** Why there may be more of them. */
  readonly problems: readonly Error[];
}

const LOOK_TIMEOUT_MS = 60_000;
const INFRAHUB_LABEL = "app.kubernetes.io/name=infrahub";

/** There are several deployments, and none was named. */
class SeveralFoundError extends EnvironmentError {}

/**
 * Finds the deployment to work on.
 *
 * A named one is the only one tried. Otherwise Docker Compose is looked at first, then Kubernetes;
 * a missing client, or nothing found, leads on silently. Several projects do not: which deployment is
 * meant is not decided by there being one namespace.
 *
 * @throws {EnvironmentError} when there is none, or not exactly one, or when the named one has no
 * service of Infrahub
 */
export async function detectEnvironment(options: DetectOptions = {}): Promise<Environment> {
  const { project, namespace, host } = options;
  if (host !== undefined) {
    if (project || namespace) {
      throw new EnvironmentError("a host cannot be combined with a project or a namespace");
    }
    return new Host({ ...limit(options), ...host });
  }
  const candidates: [string, () => Promise<Environment | undefined>][] = namespace
    ? [["kubernetes", () => namedNamespace(namespace, options)]]
    : project
    ? [["docker", () => namedProject(project, options)]]
    : [["docker", () => onlyProject(options)], ["kubernetes", () => onlyNamespace(options)]];
  const problems: string[] = [];
  const causes: Error[] = [];
  let isAmbiguous = false;
  for (const [name, detect] of candidates) {
    try {
      const found = await detect();
      if (found && !isAmbiguous) return found;
      if (found) problems.push(`${name}: ${found.target} found as well (specify --k8s-namespace)`);
    } catch (error) {
      if (!isProblem(error)) throw error;
      isAmbiguous ||= error instanceof SeveralFoundError;
      problems.push(`${name}: ${error.message}`);
      causes.push(error);
    }
  }
  if (problems.length === 0) throw new EnvironmentError("no Infrahub environment detected");
  throw new EnvironmentError(`environment detection errors: ${problems.join("; ")}`, {
    cause: causes[0],
  });
}

/** Finds all deployments; what cannot be looked at is told and not thrown. */
export async function listEnvironments(options: DetectOptions = {}): Promise<FoundEnvironments> {
  const problems: Error[] = [];
  const listed = async (list: (options: DetectOptions) => Promise<string[]>) => {
    try {
      return await list(options);
    } catch (error) {
      if (!isProblem(error)) throw error;
      problems.push(error);
      return [];
    }
  };
  const projects = await listed(listProjects);
  const namespaces = await listed(listNamespaces);
  return { projects, namespaces, problems };
}

async function namedProject(project: string, options: DetectOptions): Promise<Environment> {
  await explained(
    "docker CLI not available (required for --project)",
    () => look(options, [docker(options), "--version"]),
  );
  const environment = new DockerCompose({ project, program: docker(options), ...limit(options) });
  const containers = await explained(
    `docker compose project ${project} not found`,
    () => environment.containers(options.signal),
  );
  if (containers.length === 0) {
    throw new EnvironmentError(`docker compose project ${project} not found: it has no containers`);
  }
  const isInfrahub = containers.some((one) =>
    mentionsInfrahub(one) || DISTINCTIVE_SERVICES.includes(one.service)
  );
  if (isInfrahub) return environment;
  throw new EnvironmentError(`docker compose project ${project} has no Infrahub service`);
}

async function onlyProject(options: DetectOptions): Promise<Environment | undefined> {
  if (!await isAvailable(options, [docker(options), "--version"])) return undefined;
  const projects = await listProjects(options);
  const [project] = projects;
  if (project === undefined) return undefined;
  if (projects.length === 1) {
    return new DockerCompose({ project, program: docker(options), ...limit(options) });
  }
  throw new SeveralFoundError(
    `multiple docker compose projects found: ${projects.join(", ")} (specify --project)`,
  );
}

async function listProjects(options: DetectOptions): Promise<string[]> {
  const listing = await explained(
    "failed to list docker compose projects",
    () => look(options, [docker(options), "compose", "ls"]),
  );
  const found = new Set<string>();
  for (const line of listing.split("\n")) {
    const [project = ""] = line.trim().split(/\s+/);
    if (project === "" || /^name\s/i.test(line)) continue;
    const environment = new DockerCompose({ project, program: docker(options), ...limit(options) });
    try {
      const containers = await environment.containers(options.signal);
      if (containers.some(mentionsInfrahub)) found.add(project);
    } catch (error) {
      // A project that cannot be looked at (it may be gone by now) is none to work on.
      if (!isProblem(error)) throw error;
    }
  }
  return [...found].sort();
}

async function namedNamespace(namespace: string, options: DetectOptions): Promise<Environment> {
  await explained(
    "kubectl CLI not available (required for --k8s-namespace)",
    () => look(options, [kubectl(options), "version", "--client"]),
  );
  const pods = await explained(
    `failed to verify namespace ${namespace}`,
    () => look(options, [kubectl(options), "get", "pods", "-n", namespace, "-l", INFRAHUB_LABEL]),
  );
  const environment = kubernetes(namespace, options);
  if (pods !== "") return environment;
  // A deployment that is stopped has no pods; and others may label theirs in another way.
  const isInfrahub = await explained(
    `failed to verify namespace ${namespace}`,
    () => environment.hasAnyOf(DISTINCTIVE_SERVICES, options.signal),
  );
  if (isInfrahub) return environment;
  throw new EnvironmentError(`namespace ${namespace} has no Infrahub service`);
}

async function onlyNamespace(options: DetectOptions): Promise<Environment | undefined> {
  if (!await isAvailable(options, [kubectl(options), "version", "--client"])) return undefined;
  let namespaces: string[];
  try {
    namespaces = await listNamespaces(options);
  } catch (error) {
    // No cluster to talk to is no deployment there; a cluster that refuses may have one.
    if (error instanceof CommandFailedError) return undefined;
    throw error;
  }
  const [namespace] = namespaces;
  if (namespace === undefined) return undefined;
  if (namespaces.length === 1) return kubernetes(namespace, options);
  throw new SeveralFoundError(
    `multiple kubernetes namespaces found: ${namespaces.join(", ")} ` +
      "(set INFRAHUB_K8S_NAMESPACE)",
  );
}

/** @throws {EnvironmentError} when the cluster refuses, {@linkcode CommandFailedError} otherwise */
async function listNamespaces(options: DetectOptions): Promise<string[]> {
  const range = '{range .items[*]}{.metadata.namespace}{"\\n"}{end}';
  try {
    const output = await look(options, [
      kubectl(options),
      "get",
      "pods",
      "-A",
      "-l",
      INFRAHUB_LABEL,
      "-o",
      `jsonpath=${range}`,
    ]);
    const names = output.split("\n").map((name) => name.trim()).filter((name) => name !== "");
    return [...new Set(names)].sort();
  } catch (error) {
    // kubectl exits with 1 whatever was wrong: its text is all that tells.
    const isRefused = error instanceof CommandFailedError &&
      /forbidden|cannot list/i.test(error.stderrTail);
    if (!isRefused) throw error;
    throw new EnvironmentError(
      "insufficient permissions to list pods across namespaces; " +
        `try specifying --k8s-namespace explicitly: ${error.message}`,
      { cause: error },
    );
  }
}

function mentionsInfrahub({ name, image, command, service }: ComposeContainer): boolean {
  return [name, image, command, service].some((one) => one.toLowerCase().includes("infrahub"));
}

function docker(options: DetectOptions): string {
  return options.docker ?? PROGRAMS.docker[0];
}

function kubectl(options: DetectOptions): string {
  return options.kubectl ?? PROGRAMS.kubernetes[0];
}

function limit({ controlTimeoutMs }: DetectOptions): { readonly controlTimeoutMs?: number } {
  return controlTimeoutMs === undefined ? {} : { controlTimeoutMs };
}

function kubernetes(namespace: string, options: DetectOptions): Kubernetes {
  return new Kubernetes({
    namespace,
    program: kubectl(options),
    ...(options.containers ? { containers: options.containers } : {}),
    ...limit(options),
    ...(options.onWarning ? { onWarning: options.onWarning } : {}),
  });
}

async function look({ signal }: DetectOptions, argv: readonly string[]): Promise<string> {
  const { stdout } = await captureCommand({
    argv,
    timeoutMs: LOOK_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
  return stdout;
}

async function isAvailable(options: DetectOptions, argv: readonly string[]): Promise<boolean> {
  try {
    await look(options, argv);
    return true;
  } catch (error) {
    if (error instanceof CommandFailedError) return false;
    throw error;
  }
}

/** Puts what was attempted before the reason of a failure. */
async function explained<T>(attempt: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isProblem(error)) throw error;
    throw new EnvironmentError(`${attempt}: ${error.message}`, { cause: error });
  }
}

/** Whether an error is about the deployment; anything else, an interruption say, goes its way. */
function isProblem(error: unknown): error is CommandFailedError | EnvironmentError {
  return error instanceof CommandFailedError || error instanceof EnvironmentError;
}
