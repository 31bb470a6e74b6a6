import type { ServiceName } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";
import { poll, type ProbeResult } from "./poll.ts";
import { CACHE, MESSAGE_QUEUE, SERVER, TASK_MANAGER } from "./service_names.ts";

/** A service has been started and has ended: to wait for it would be in vain. */
export class ServiceEndedError extends DeploymentError {}

/** Longest wait in milliseconds for one service: a server of a large deployment takes minutes. */
const TIMEOUT_MS = 600_000;
const INTERVAL_MS = 500;
/** Milliseconds for one answer. */
const ANSWER_TIMEOUT_MS = 20_000;
/** So many looks in a row must find a service stopped: a restart policy needs its moment. */
const STOPPED_LOOKS = 3;

/** Where a service of a host answers. */
interface Address {
  /** Asked by HTTP; a connection is enough where there is none. */
  readonly url?: string;
  readonly hostname: string;
  readonly port: number;
}

type Variables = ReadonlyMap<string, string>;

/**
 * Waits until a service that has been started does what others need it for. The platform's own check
 * says it, where there is one: the health check of a container, the readiness of a pod. A host has
 * none: there the service is asked at the address that the variables of Infrahub's services name.
 *
 * A service that has neither counts as ready when it runs.
 *
 * @throws {ServiceEndedError} as soon as it is clear that it has ended again
 * @throws {DeploymentError} when it is not ready in time
 */
export async function waitForService(
  deployment: Deployment,
  service: ServiceName,
): Promise<void> {
  const { environment } = deployment;
  const address = environment.kind === "host"
    ? addressOf(service, await readVariables(deployment))
    : undefined;
  let stoppedLooks = 0;
  await poll(deployment, {
    failure: `${service} did not become ready`,
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    isFinal: (error) => error instanceof ServiceEndedError,
    probe: async ({ signal }): Promise<ProbeResult<undefined>> => {
      const status = await environment.status(service, signal);
      if (status === "absent") return READY;
      if (status === "stopped") {
        stoppedLooks++;
        if (stoppedLooks < STOPPED_LOOKS) return { done: false, reason: "it has ended" };
        throw new ServiceEndedError(`${service} has ended right after its start; see its log`);
      }
      stoppedLooks = 0;
      const health = await environment.health(service, signal);
      if (health === "unhealthy") return { done: false, reason: "its health check fails" };
      if (health === "healthy" || address === undefined) return READY;
      const problem = await problemAt(address, signal);
      return problem === undefined ? READY : { done: false, reason: problem };
    },
  });
}

const READY = { done: true, value: undefined } as const;

/** The environment of this program, which is that of the commands that run on a host. */
async function readVariables(deployment: Deployment): Promise<Variables> {
  const output = await deployment.environment.run(SERVER, ["env"], { signal: deployment.signal });
  return new Map(
    output.split("\n").filter((line) => line.includes("=")).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** Undefined when the variables do not say it: on a host, a service may be anywhere. */
function addressOf(service: ServiceName, variables: Variables): Address | undefined {
  const socket = (prefix: string, plain: number, encrypted: number): Address | undefined => {
    const hostname = variables.get(`${prefix}_ADDRESS`);
    if (!hostname) return undefined;
    const isEncrypted = /^(true|1|yes|on)$/i.test(variables.get(`${prefix}_TLS_ENABLED`) ?? "");
    const port = Number(variables.get(`${prefix}_PORT`)) || (isEncrypted ? encrypted : plain);
    return { hostname, port };
  };
  switch (service) {
    case CACHE:
      return socket("INFRAHUB_CACHE", 6379, 6379);
    case MESSAGE_QUEUE:
      return socket("INFRAHUB_BROKER", 5672, 5671);
    case TASK_MANAGER:
      return page(variables.get("PREFECT_API_URL"), "health");
    case SERVER:
      return page(
        variables.get("INFRAHUB_INTERNAL_ADDRESS") || variables.get("INFRAHUB_ADDRESS"),
        "api/config",
      );
    default:
      return undefined;
  }
}

function page(base: string | undefined, path: string): Address | undefined {
  if (!base || !URL.canParse(base)) return undefined;
  const { hostname, port, protocol } = new URL(base);
  return {
    url: `${base.replace(/\/+$/, "")}/${path}`,
    hostname,
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  };
}

/** Why a service is not ready; undefined when it is. */
async function problemAt(
  { url, hostname, port }: Address,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    if (url === undefined) {
      using _connection = await Deno.connect({ hostname, port });
      return undefined;
    }
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `${url} answers ${response.status}`;
  } catch (error) {
    signal.throwIfAborted();
    return `${url ?? `${hostname}:${port}`}: ${messageOf(error)}`;
  }
}
