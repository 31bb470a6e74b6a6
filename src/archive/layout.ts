/** Directory of an archive that holds all of a backup. */
export const BACKUP_DIRECTORY = "backup";
/** The file in it that describes the backup. */
export const METADATA_NAME = "backup_information.json";
/** The file in it that is the dump of the task manager's PostgreSQL. */
export const TASK_MANAGER_DUMP_NAME = "prefect.dump";
/** The file in it that is a tar of Infrahub's stored objects; not in archives of the Go tool. */
export const STORAGE_NAME = "storage.tar";
/** The component, as metadata lists it, that {@linkcode TASK_MANAGER_DUMP_NAME} belongs to. */
export const TASK_MANAGER_COMPONENT = "task-manager-db";
