/** What the runtime lets a process do, by the classes that it can take away as a whole. */
export const RIGHTS = ["run", "net", "write", "env", "sys", "ffi", "import"] as const;

/** One of {@linkcode RIGHTS}. Reading is none of them: every command reads. */
export type Right = typeof RIGHTS[number];

/**
 * Gives rights up: this process cannot get them back, whatever runs in it from then on. What it has
 * opened before stays open, and the programs that it has started keep theirs.
 */
export async function giveUpRights(rights: readonly Right[]): Promise<void> {
  for (const name of rights) await Deno.permissions.revoke({ name });
}

/**
 * The variables that are asked for after a command line is understood, also by commands that give up the
 * right to read the environment: their values are read before.
 */
export const LATER_VARIABLES: readonly string[] = [
  "BACKUP_DIR",
  "CREDENTIALS_DIRECTORY",
  "HOME",
  "INFRAHUB_BACKUP_DEPLOYMENT",
  "INFRAHUB_BACKUP_PASSPHRASE",
  "INFRAHUB_BACKUP_PASSPHRASE_FILE",
  "INFRAHUB_K8S_NAMESPACE",
  "INFRAHUB_LOG_FORMAT",
  "INFRAHUB_METRICS_FILE",
  "INFRAHUB_PROJECT",
  "INFRAHUB_REPO",
  "INFRAHUB_S3_REGION",
  "INFRAHUB_S3_UPLOAD",
  "NO_COLOR",
  "STATE_DIRECTORY",
  "XDG_CACHE_HOME",
  "XDG_STATE_HOME",
];
