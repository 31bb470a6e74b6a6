import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { restoreFromArchive, restoreFromRepository } from "./into_deployment.ts";
import { recover } from "./recover.ts";
import { extractArchive, extractBackup } from "./into_directory.ts";
import { printResult } from "../../report/mod.ts";
import {
  durationOption,
  environmentOption,
  neo4jEditionOption,
  noWaitOption,
  parseBoolean,
  pathArgument,
  streamTimeoutOption,
  UsageError,
} from "../../syntax/mod.ts";
import {
  parseArchiveUri,
  requireKnownBackend,
  type Session,
  type SessionProvider,
  withLocalArchive,
} from "../../session/mod.ts";

/** Adds `restore`. */
export function addRestore(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("restore")
    .description(
      "Restore a backup into the deployment, or into a directory. All of it is verified before " +
        "anything is touched",
    )
    .argument(
      "[backup-file]",
      "archive to restore, with the tarball backend: a path or s3://BUCKET/KEY",
    )
    // No variables, as in the Go tool: INFRAHUB_EXCLUDE_TASKMANAGER and INFRAHUB_FORCE are exported for
    // backups, and must not leave out a database, or take half a backup, when one is brought back.
    .addOption(new Option("--exclude-taskmanager", "do not restore PostgreSQL"))
    .addOption(environmentOption("--migrate-format", "convert the Neo4j store to block format"))
    .addOption(environmentOption("--reset-deployment-id", "give the deployment a new id"))
    .addOption(
      new Option(
        "--force",
        "restore what there is of an incomplete backup, and a backup of a newer Infrahub, Neo4j " +
          "or PostgreSQL",
      ),
    )
    .addOption(environmentOption(
      "--decrypt-key <file>",
      "private key of an encrypted archive",
    ))
    .addOption(neo4jEditionOption())
    .addOption(streamTimeoutOption())
    .addOption(durationOption(
      "--sleep <duration>",
      "wait before the restore, so that the archive can be brought",
      0,
    ))
    .addOption(noWaitOption())
    // No variables: they are about one restore.
    .addOption(
      new Option(
        "--upgrade",
        'have Infrahub migrate data that is older than itself, with "infrahub upgrade"',
      ),
    )
    .addOption(
      new Option(
        "--flush-cache",
        "on a host: also empty Infrahub's database in Redis; in containers that is always done",
      ),
    )
    .addOption(
      new Option(
        "--yes",
        "on a terminal: do not ask before the data of the deployment is replaced",
      ),
    )
    .addOption(
      new Option(
        "--keep-old",
        "keep the databases that are replaced, under names that are told (not of Neo4j Enterprise)",
      ),
    )
    .addOption(new Option("--dry-run", "verify everything, show what would be done, and end"))
    .addOption(
      new Option(
        "--recover",
        "restore nothing: put right, or bring to its end, what a killed run has left behind",
      ),
    )
    .addOption(
      new Option(
        "--from-deployment <name>",
        "restore a backup of that other deployment, which has to be named as well",
      ),
    )
    .addOption(
      new Option(
        "--to <directory>",
        "copy the backup into this empty or missing directory instead",
      ).argParser(pathArgument),
    )
    .allowExcessArguments()
    .action(async (_backupFile, options, command) => {
      const current = session();
      await printResult(current, async (facts) => {
        if (options.recover) {
          if (command.args.length > 0 || options.to !== undefined || options.dryRun) {
            throw new UsageError("--recover takes no backup file, no --to and no --dry-run");
          }
          return await recover(current, { waitsForServices: options.wait });
        }
        const source = backupSource(current, command.args);
        if (options.to !== undefined && options.dryRun) {
          throw new UsageError("--dry-run and --to cannot be used together");
        }
        if (options.fromDeployment === "") {
          throw new UsageError("--from-deployment needs the name of a deployment");
        }
        if (options.to === "") throw new UsageError("--to needs the name of a directory");
        const request = {
          excludeTaskManager: options.excludeTaskmanager ?? false,
          migrateFormat: options.migrateFormat ?? false,
          resetDeploymentId: options.resetDeploymentId ?? false,
          upgrade: options.upgrade ?? false,
          flushCache: options.flushCache ?? false,
          force: options.force ?? false,
          stallTimeoutMs: options.streamTimeout,
          waitsForServices: options.wait,
          sleepMs: options.sleep,
          isDryRun: options.dryRun ?? false,
          isConfirmed: options.yes ?? false,
          keepsOld: options.keepOld ?? false,
          ...(options.neo4jEdition === undefined ? {} : { neo4jEdition: options.neo4jEdition }),
          ...(options.decryptKey ? { decryptKey: options.decryptKey } : {}),
          ...(current.globals.backupId ? { backupId: current.globals.backupId } : {}),
          ...(current.globals.snapshot ? { snapshot: current.globals.snapshot } : {}),
          ...(options.fromDeployment === undefined
            ? {}
            : { fromDeployment: options.fromDeployment }),
          facts,
        };
        if (source.backend === "plakar") {
          if (options.to !== undefined) return await extractBackup(current, options.to, request);
          requireUnmistakable(request.snapshot);
          return await restoreFromRepository(current, request);
        }
        const { to } = options;
        return await withLocalArchive(
          current,
          source.path,
          (path) =>
            to === undefined
              ? restoreFromArchive(current, path, request)
              : extractArchive(current, path, to, request),
        );
      });
    });
}

/** Hex digits of a snapshot's id that nobody types by mistake. */
const SNAPSHOT_DIGITS = 8;

/**
 * A slip of the keyboard must not choose what replaces a database: in a small repository a single
 * digit may stand for one snapshot alone.
 */
function requireUnmistakable(snapshot: string | undefined): void {
  if (snapshot === undefined || snapshot.length >= SNAPSHOT_DIGITS) return;
  throw new UsageError(
    `--snapshot ${JSON.stringify(snapshot)} is too short to restore into a deployment: at least ` +
      `${SNAPSHOT_DIGITS} digits of the ID are needed, as "snapshots list" shows it`,
  );
}

/** Checks the arguments, and the options that choose the backend, in the order of the Go tool. */
function backupSource(
  session: Session,
  args: readonly string[],
): { backend: "plakar" } | { backend: "tarball"; path: string } {
  const { context, globals } = session;
  const [path] = args;
  if (globals.backend !== "plakar" && (path === undefined || args.length > 1)) {
    // Without a backend that is named this is an archive's restore, as in the Go tool.
    const hint = args.length === 0 && globals.repo
      ? ": an archive, or --backend plakar for a backup in the repository"
      : "";
    throw new UsageError(`requires exactly 1 arg(s), only received ${args.length}${hint}`);
  }
  // The variable of the create command: it counts here as well.
  const s3Upload = context.env("INFRAHUB_S3_UPLOAD");
  const backend = requireKnownBackend(globals, Boolean(s3Upload) && parseBoolean(s3Upload ?? ""));
  if (backend === "plakar") {
    if (path !== undefined) throw new UsageError(`plakar backend takes no backup file: ${path}`);
    if (globals.snapshot && globals.backupId) {
      throw new UsageError("--snapshot and --backup-id cannot be used together");
    }
    return { backend };
  }
  if (path === undefined) throw new UsageError("requires exactly 1 arg(s), only received 0");
  if (path.startsWith("s3://")) parseArchiveUri(path); // wrong usage is told at once
  return { backend, path };
}
