import type { ServiceName, ServiceStatus } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { attempt, type Deployment, DeploymentError } from "./deployment.ts";
import {
  CACHE,
  MESSAGE_QUEUE,
  SERVER,
  START_ORDER,
  STOP_ORDER,
  TASK_MANAGER,
  TASK_MANAGER_BACKGROUND,
  TASK_WORKER,
} from "./service_names.ts";
import { waitForService } from "./service_readiness.ts";
import type { UndoHandle, UndoJournal } from "./undo_journal.ts";

/** What has been stopped, and how it comes back. */
export interface StoppedServices {
  /** In the order in which they were stopped. */
  readonly services: readonly ServiceName[];
  /** Starts them; performing it takes it off the journal. */
  readonly undo: UndoHandle;
}

/** What is done while services are started. */
export interface StartOptions {
  /**
   * Called when the cache runs, before anything that uses it does; with a deployment whose signal is
   * that of the start.
   */
  readonly onCacheReady?: (deployment: Deployment) => Promise<void>;
}

/**
 * Stops the application services that run, one after the other. All of them are looked at before
 * the first is stopped: where that fails, nothing has happened.
 *
 * @param options for when they are started again
 * @throws {DeploymentError} when a status cannot be found out, or a service does not stop; those
 * that were stopped by then are on the journal
 */
export async function stopApplicationServices(
  deployment: Deployment,
  journal: UndoJournal,
  options: StartOptions = {},
): Promise<StoppedServices> {
  const { environment, reporter, signal } = deployment;
  reporter.info("Stopping Infrahub application services...");
  const running: ServiceName[] = [];
  for (const service of STOP_ORDER) {
    if (await statusOf(deployment, service) === "running") running.push(service);
  }
  const stopped: ServiceName[] = [];
  const undo = await journal.push({
    name: "start the application services again",
    ...(running.length === 0 ? {} : { leaves: { kind: "services", services: running } }),
    run: (undoSignal) =>
      startApplicationServices({ ...deployment, signal: undoSignal }, stopped, options),
  });
  for (const service of running) {
    reporter.info(`Stopping ${service}...`);
    // Noted first: one that fails or is interrupted half-way may have stopped all the same.
    stopped.push(service);
    await attempt(
      deployment,
      `failed to stop ${service}`,
      () => environment.stop([service], signal),
    );
  }
  reporter.info(
    running.length > 0 ? "Application services stopped" : "No application services were running",
  );
  return { services: stopped, undo };
}

/**
 * Starts services in {@linkcode START_ORDER}, each when those before it are ready: Infrahub's server
 * asks for its broker once, at its start, and ends when that is not there yet. One that does not start
 * or does not become ready does not keep the others down.
 *
 * @throws {DeploymentError} naming every service that did not start or is not ready
 */
export async function startApplicationServices(
  deployment: Deployment,
  services: readonly ServiceName[],
  { onCacheReady }: StartOptions = {},
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  if (services.length === 0) return;
  reporter.info("Starting Infrahub application services...");
  const failures: { service: ServiceName; error: unknown }[] = [];
  let isCacheDone = false;
  for (const service of START_ORDER.filter((name) => services.includes(name))) {
    signal.throwIfAborted();
    if (service !== CACHE && !isCacheDone) {
      isCacheDone = true;
      // In vain, and it says so, where the cache has not come up.
      await onCacheReady?.(deployment);
    }
    reporter.info(`Starting ${service}...`);
    try {
      await environment.start([service], signal);
      await waitIfWanted(deployment, service);
    } catch (error) {
      failures.push({ service, error });
    }
  }
  signal.throwIfAborted();
  if (failures.length > 0) {
    throw new DeploymentError(
      failures.map(({ service, error }) => `failed to start ${service}: ${messageOf(error)}`)
        .join("; "),
      { cause: failures[0]?.error },
    );
  }
  reporter.info("Application services started");
}

async function waitIfWanted(deployment: Deployment, service: ServiceName): Promise<void> {
  if (deployment.waitsForServices ?? true) await waitForService(deployment, service);
}

/**
 * Restarts what the restored data is cached in: cache, message queue and task manager. Services
 * that the deployment does not have are passed over.
 *
 * @throws {DeploymentError} when one of them, the background service apart, does not start
 */
export async function restartDependencies(
  deployment: Deployment,
  { onCacheReady }: StartOptions = {},
): Promise<void> {
  const { environment, reporter, signal } = deployment;
  reporter.info("Restarting cache and message-queue");
  await stopIfPossible(deployment, [CACHE, MESSAGE_QUEUE]);
  await attempt(
    deployment,
    "failed to restart cache and message-queue",
    async () => {
      await environment.start([CACHE, MESSAGE_QUEUE], signal);
      for (const service of [CACHE, MESSAGE_QUEUE]) await waitIfWanted(deployment, service);
    },
  );
  reporter.info("Restarting task manager...");
  await stopIfPossible(deployment, [TASK_MANAGER]);
  await stopIfPossible(deployment, [TASK_MANAGER_BACKGROUND]);
  // Nothing that uses the cache runs now: API server and workers have been stopped before.
  await onCacheReady?.(deployment);
  await attempt(
    deployment,
    "failed to restart task-manager",
    async () => {
      await environment.start([TASK_MANAGER], signal);
      await waitIfWanted(deployment, TASK_MANAGER);
    },
  );
  try {
    await environment.start([TASK_MANAGER_BACKGROUND], signal);
  } catch (error) {
    signal.throwIfAborted();
    reporter.info(`Skipping optional ${TASK_MANAGER_BACKGROUND} restart: ${messageOf(error)}`);
  }
}

/**
 * The last step of a restore: API server, and workers when that answers.
 *
 * @param betweenBoth what needs the server, and no workers; the server is waited for in any case then
 * @throws {DeploymentError} when one does not start or is not ready
 * @throws what `betweenBoth` fails with; the workers are not started then
 */
export async function startFrontServices(
  deployment: Deployment,
  betweenBoth?: () => Promise<void>,
): Promise<void> {
  deployment.reporter.info("Restarting Infrahub services...");
  const start = async (service: ServiceName, waits: boolean) =>
    await attempt(deployment, "failed to restart infrahub services", async () => {
      await deployment.environment.start([service], deployment.signal);
      if (waits) await waitForService(deployment, service);
    });
  const waits = deployment.waitsForServices ?? true;
  await start(SERVER, waits || betweenBoth !== undefined);
  await betweenBoth?.();
  await start(TASK_WORKER, waits);
}

async function statusOf(deployment: Deployment, service: ServiceName): Promise<ServiceStatus> {
  return await attempt(
    deployment,
    `failed to find out whether ${service} is running`,
    () => deployment.environment.status(service, deployment.signal),
  );
}

async function stopIfPossible(
  { environment, reporter, signal }: Deployment,
  services: readonly ServiceName[],
): Promise<void> {
  try {
    await environment.stop(services, signal);
  } catch (error) {
    signal.throwIfAborted();
    // They may be down already, or not be there; the start that follows is what counts.
    reporter.debug(`Could not stop ${services.join(" ")}: ${messageOf(error)}`);
  }
}
