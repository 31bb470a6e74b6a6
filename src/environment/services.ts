/** Services of an Infrahub deployment, by which it is told from others. */
export const INFRAHUB_SERVICES: readonly string[] = [
  "infrahub-server",
  "task-worker",
  "task-manager",
  "task-manager-background-svc",
  "task-manager-db",
  "database",
  "cache",
  "message-queue",
];

/** Those of them whose names other applications hardly use. */
export const DISTINCTIVE_SERVICES: readonly string[] = INFRAHUB_SERVICES.filter((service) =>
  service.startsWith("infrahub-") || service.startsWith("task-")
);
