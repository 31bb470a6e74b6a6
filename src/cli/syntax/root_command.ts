import { Command, Option } from "@commander-js/extra-typings";
import {
  countArgument,
  durationArgument,
  durationOption,
  environmentOption,
  namesArgument,
  pathArgument,
  serviceTimeoutArgument,
  sharing,
} from "./options.ts";
import { VERSION_TEXT } from "../process/mod.ts";

/** Name of the program, as in help, completions and cache directories. */
export const PROGRAM = "infrahub-backup";

/** Name of the Go tool's second program: called so, this one has its commands. */
export const TASK_MANAGER_PROGRAM = "infrahub-taskmanager";

/** The region where none is named, as in the Go tool. */
export const DEFAULT_S3_REGION = "us-east-1";

const PROGRESS_INTERVAL_MS = 30_000;

/** Levels by the names that Python's and Go's loggers have for them. */
const LOG_LEVELS: ReadonlyMap<string, "debug" | "info" | "warning" | "error"> = new Map([
  ["notset", "debug"],
  ["trace", "debug"],
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warning"],
  ["warning", "warning"],
  ["error", "error"],
  ["critical", "error"],
  ["fatal", "error"],
  ["panic", "error"],
]);

/** The command without its sub-commands: its options are accepted anywhere on the command line. */
export function createRootCommand(isTaskManager: boolean) {
  return new Command(isTaskManager ? TASK_MANAGER_PROGRAM : PROGRAM)
    .description(
      isTaskManager
        ? "Maintain the task manager of Infrahub deployments"
        : "Back up and restore Infrahub deployments",
    )
    .version(VERSION_TEXT, "--version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .addOption(environmentOption(
      "--project <name>",
      "Docker Compose project to act on (default: found automatically)",
    ))
    .addOption(
      environmentOption(
        "--backup-dir <directory>",
        "where archives are kept (default: $BACKUP_DIR or ./infrahub_backups)",
      ).argParser(pathArgument),
    )
    .addOption(environmentOption("--k8s-namespace <name>", "Kubernetes namespace to act on"))
    .addOption(
      environmentOption(
        "--container <service=name>",
        "container of a service in its pod, where there are sidecars and nothing else tells which; " +
          "may be repeated",
        "INFRAHUB_BACKUP_CONTAINER",
      ).argParser(namesArgument),
    )
    .addOption(sharing(
      environmentOption(
        "--host",
        "act on services of this host, without containers",
        "INFRAHUB_BACKUP_HOST",
      ),
      // Infrahub's own INFRAHUB_HOST is the name or address that its server listens on. No server is
      // called so: it is what earlier versions of this program were told.
      {
        name: "INFRAHUB_HOST",
        understand: (text) => text === "true" ? text : undefined,
        warns: false,
      },
    ))
    .addOption(
      environmentOption(
        "--host-unit <service=unit>",
        "systemd unit of a service, with --host; may be repeated",
      ).argParser(namesArgument),
    )
    .addOption(
      environmentOption(
        "--service-timeout <duration>",
        "longest time for a service to stop or to come up, such as 30m (default: 10m)",
        "INFRAHUB_BACKUP_SERVICE_TIMEOUT",
      ).argParser(serviceTimeoutArgument),
    )
    .addOption(environmentOption(
      "--deployment <name>",
      "name of the deployment, which its backups bear and are told apart by; it stays when the " +
        "deployment is moved, renamed or installed anew",
      "INFRAHUB_BACKUP_DEPLOYMENT",
    ))
    .addOption(
      environmentOption("--log-format <format>", "text, or json for JSON lines and JSON results")
        .choices(["text", "json"]).default("text" as const),
    )
    .addOption(
      sharing(
        environmentOption(
          "--log-level <level>",
          "least severity that is logged",
          "INFRAHUB_BACKUP_LOG_LEVEL",
        ),
        // What Infrahub's services log, by Python's names in either case; the Go tool reads it, too.
        {
          name: "INFRAHUB_LOG_LEVEL",
          understand: (text) => LOG_LEVELS.get(text.trim().toLowerCase()),
          warns: true,
        },
      ).choices(["debug", "info", "warning", "error"] as const).default("info" as const),
    )
    .addOption(
      environmentOption("--quiet", "log warnings and errors only, and show no progress"),
    )
    .addOption(durationOption(
      "--progress-interval <duration>",
      "how often the log tells the progress where no bars can be drawn; 0 for never",
      PROGRESS_INTERVAL_MS,
    ))
    .addOption(
      environmentOption(
        "--metrics-file <file>",
        "where create, restore and snapshots check leave metrics for Prometheus' textfile collector",
      ).argParser(pathArgument),
    )
    .addOption(
      environmentOption("--backend <backend>", "tarball or plakar").default("tarball"),
    )
    .addOption(environmentOption("--repo <location>", "Plakar repository: a path or a URI"))
    .addOption(
      // Its variable has another name than the rule gives it: see passphrase.ts.
      new Option(
        "--passphrase-file <file>",
        "passphrase of an encrypted repository (env: INFRAHUB_BACKUP_PASSPHRASE_FILE; or the " +
          "passphrase itself in INFRAHUB_BACKUP_PASSPHRASE; or else it is asked for)",
      ),
    )
    .addOption(environmentOption("--backup-id <id>", "Plakar backup group to work on"))
    .addOption(
      environmentOption("--snapshot <id>", "Plakar snapshot to work on (prefix of its ID)"),
    )
    .addOption(environmentOption("--s3-bucket <name>", "bucket for archives"))
    .addOption(environmentOption("--s3-prefix <prefix>", "prefix of archive keys"))
    .addOption(environmentOption("--s3-endpoint <url>", "endpoint of an S3-compatible service"))
    .addOption(environmentOption("--s3-region <region>", "S3 region").default(DEFAULT_S3_REGION))
    .addOption(
      environmentOption(
        "--cache-dir <directory>",
        `where repository indexes are cached (default: $XDG_CACHE_HOME/${PROGRAM})`,
      ),
    )
    .addOption(
      environmentOption(
        "--wait-lock <duration>",
        "how long a backup waits for a maintenance of the repository, such as 30m (default: not " +
          "at all)",
        "INFRAHUB_BACKUP_WAIT_LOCK",
      ).argParser(durationArgument),
    )
    .addOption(
      environmentOption("--jobs <count>", "how many chunks are worked on at a time")
        .argParser(countArgument),
    );
}

/** Values of the options that every command accepts. */
export type GlobalOptions = ReturnType<ReturnType<typeof createRootCommand>["opts"]>;
