import type { DetectOptions } from "../../environment/mod.ts";
import {
  checkDeploymentName,
  type Credentials,
  type Deployment,
  type DeploymentInHand,
  findCredentials,
  identifyDeployment,
  showDeployment,
} from "../../infrahub/mod.ts";
import type { Session } from "./session.ts";
import { UsageError } from "../syntax/mod.ts";

/** A deployment that was found, with what opens its databases. */
export interface Connection {
  readonly deployment: Deployment;
  readonly credentials: Credentials;
}

/**
 * Finds the deployment that the options name, or the only one there is.
 *
 * @throws {EnvironmentError} when there is none, or not exactly one
 */
export async function findDeployment(session: Session): Promise<Deployment> {
  const { context, reporter } = session;
  reporter.info("Detecting Infrahub deployment environment...");
  const environment = await context.detectEnvironment(detectOptions(session));
  reporter.info(`Detected ${environment.kind} environment (${environment.target})`);
  return { environment, reporter, clock: context.clock, signal: context.signal };
}

/**
 * Finds the deployment, and the credentials of its databases.
 *
 * @param waitsForServices whether services that are started are waited for
 */
export async function connect(session: Session, waitsForServices = true): Promise<Connection> {
  const deployment = { ...await findDeployment(session), waitsForServices };
  return { deployment, credentials: await findCredentials(deployment, session.context.env) };
}

/** A deployment that was found, and which one it is. */
export interface IdentifiedConnection extends Connection {
  readonly inHand: Required<DeploymentInHand>;
}

/**
 * Finds the deployment, the credentials of its databases, and what tells it from others.
 *
 * @param waitsForServices as in {@linkcode connect}
 */
export async function connectAndIdentify(
  session: Session,
  waitsForServices: boolean,
): Promise<IdentifiedConnection> {
  const { context, reporter } = session;
  const name = deploymentName(session);
  const connection = await connect(session, waitsForServices);
  const host = context.hostname();
  const deployment = await identifyDeployment({
    ...connection,
    hostname: host,
    ...(name === undefined ? {} : { name }),
  });
  const { infrahubId } = deployment;
  reporter.info(`Deployment: ${showDeployment(deployment)}`, {
    ...(infrahubId === undefined ? {} : { deployment_id: infrahubId }),
  });
  return { ...connection, inHand: { deployment, host } };
}

/**
 * The name that the user has given the deployment; undefined without one.
 *
 * @throws {InvalidInputError} when it cannot be used
 */
export function deploymentName({ globals }: Session): string | undefined {
  return globals.deployment === undefined ? undefined : checkDeploymentName(globals.deployment);
}

/**
 * How the deployment is looked for. What stands on the command line is meant; a variable that names
 * another kind of target, exported for other runs, must not get in its way.
 *
 * @throws {UsageError} when units are given for no host
 */
export function detectOptions({ context, globals, reporter, isGiven }: Session): DetectOptions {
  const { project, k8sNamespace, host, hostUnit, container, serviceTimeout } = globals;
  if (isGiven("hostUnit") && !host) throw new UsageError("--host-unit needs --host");
  const isAnyGiven = isGiven("project") || isGiven("k8sNamespace") || isGiven("host");
  const counts = (option: "project" | "k8sNamespace" | "host") => !isAnyGiven || isGiven(option);
  return {
    ...(project && counts("project") ? { project } : {}),
    ...(k8sNamespace && counts("k8sNamespace") ? { namespace: k8sNamespace } : {}),
    ...(container === undefined ? {} : { containers: container }),
    ...(host && counts("host") ? { host: hostUnit === undefined ? {} : { units: hostUnit } } : {}),
    ...(serviceTimeout === undefined ? {} : { controlTimeoutMs: serviceTimeout }),
    onWarning: (message) => reporter.warn(message),
    signal: context.signal,
  };
}
