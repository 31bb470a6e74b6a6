import type { ServiceName } from "../../environment/mod.ts";

/** Service of Neo4j. */
export const DATABASE = "database";
/** Service of PostgreSQL, the task manager's database. */
export const TASK_MANAGER_DATABASE = "task-manager-db";
/** Service of the API server. */
export const SERVER = "infrahub-server";
/** Service of the workers. */
export const TASK_WORKER = "task-worker";
/** Service of the Prefect server. */
export const TASK_MANAGER = "task-manager";
/** Service of Prefect's background work; not every deployment has it. */
export const TASK_MANAGER_BACKGROUND = "task-manager-background-svc";
/** Service of Redis. */
export const CACHE = "cache";
/** Service of RabbitMQ. */
export const MESSAGE_QUEUE = "message-queue";

/** Everything but the two databases, users of a service before the service. */
export const STOP_ORDER: readonly ServiceName[] = [
  SERVER,
  TASK_WORKER,
  TASK_MANAGER,
  TASK_MANAGER_BACKGROUND,
  CACHE,
  MESSAGE_QUEUE,
];

/** Everything but the two databases, services before their users. */
export const START_ORDER: readonly ServiceName[] = [
  CACHE,
  MESSAGE_QUEUE,
  TASK_MANAGER,
  TASK_MANAGER_BACKGROUND,
  SERVER,
  TASK_WORKER,
];
