/**
 * A deployment as a backup sees it: its services and their order, credentials, versions, work
 * directories, what is undone when a run fails. What a database needs of its own belongs to `neo4j` or
 * `postgres`.
 *
 * @module
 */

export { type ConnectionParts, parseConnectionUrl } from "./connection_url.ts";
export {
  type Credentials,
  type DatabaseCredentials,
  findCredentials,
  type ReadVariable,
} from "./credentials.ts";
export {
  attempt,
  type ComponentTarget,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
} from "./deployment.ts";
export { detectInfrahubVersion, UNKNOWN_VERSION } from "./infrahub_version.ts";
export {
  DatabaseNotOpenedError,
  poll,
  waitForNeo4j,
  waitForPostgres,
  type WaitOptions,
} from "./readiness.ts";
export {
  CACHE,
  DATABASE,
  MESSAGE_QUEUE,
  restartDependencies,
  SERVER,
  START_ORDER,
  startApplicationServices,
  startFrontServices,
  STOP_ORDER,
  stopApplicationServices,
  type StoppedServices,
  TASK_MANAGER,
  TASK_MANAGER_BACKGROUND,
  TASK_MANAGER_DATABASE,
  TASK_WORKER,
} from "./services.ts";
export { wipeTransientData } from "./transient_data.ts";
export {
  type UndoAction,
  UndoFailedError,
  type UndoHandle,
  UndoJournal,
  type UndoResult,
} from "./undo_journal.ts";
export {
  makeWorkDirectory,
  measureDirectory,
  parseFreeSpace,
  requireFreeSpace,
  WORK_PARENT,
  type WorkDirectory,
} from "./work_directory.ts";
