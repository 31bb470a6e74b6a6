/**
 * A deployment as a backup sees it: its services and their order, credentials, version, work
 * directories, waiting for something in it, and what is undone when a run fails. What one database
 * needs of its own, its readiness for one, belongs to `neo4j` or `postgres`.
 *
 * @module
 */

export {
  CacheNotEmptiedError,
  emptyCache,
  flushCommand,
  isCacheKnown,
  removeStaleLocks,
} from "./cache.ts";
export { type CacheAccess, findCacheAccess } from "./cache_access.ts";
export {
  type DatabaseCredentials,
  findNeo4jCredentials,
  readServiceVariables,
  type ReadVariable,
} from "./credentials.ts";
export {
  attempt,
  type ComponentTarget,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
} from "./deployment.ts";
export { detectGraphVersion, detectInfrahubVersion, UNKNOWN_VERSION } from "./infrahub_version.ts";
export { DATABASE_WAIT, poll, type WaitOptions } from "./poll.ts";
export {
  DATABASE,
  SERVER,
  TASK_MANAGER,
  TASK_MANAGER_DATABASE,
  TASK_WORKER,
} from "./service_names.ts";
export {
  restartDependencies,
  startApplicationServices,
  startFrontServices,
  stopApplicationServices,
} from "./services.ts";
export { wipeMessageQueue } from "./message_queue.ts";
export { waitForService } from "./service_readiness.ts";
export { type UndoAction, UndoFailedError, type UndoHandle, UndoJournal } from "./undo_journal.ts";
export {
  makeWorkDirectory,
  measureDirectory,
  parseFreeSpace,
  requireFreeSpace,
  WORK_PARENT,
  type WorkDirectory,
} from "./work_directory.ts";
