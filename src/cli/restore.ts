import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatSize, openExisting, restoreToDirectory, shortId } from "../infrahub/mod.ts";
import { repositoryAccess, requireKnownBackend, writeJson } from "./session.ts";
import type { SessionProvider } from "./session.ts";
import { UsageError } from "./usage_error.ts";

/** Adds `restore`. */
export function addRestore(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("restore")
    .description("Restore a backup from a repository into a directory, verified")
    .argument("[backup-file]", "archive to restore (not supported by this version)")
    .option("--to <directory>", "empty or missing directory that receives the files")
    // No variable: INFRAHUB_FORCE belongs to "create", and must not make a restore less careful.
    .option("--force", "restore what there is of an incomplete backup")
    .action(async (backupFile, options) => {
      const current = session();
      const { context, globals, reporter } = current;
      if (requireKnownBackend(globals) === "tarball") {
        throw new UsageError(
          "this version restores from a repository into a directory only: " +
            "use --backend plakar --repo <location> --to <directory>",
        );
      }
      if (backupFile !== undefined) {
        throw new UsageError(`plakar backend takes no backup file: ${backupFile}`);
      }
      if (!options.to) throw new UsageError("--to is required: the directory to restore into");
      if (globals.snapshot && globals.backupId) {
        throw new UsageError("--snapshot and --backup-id cannot be used together");
      }
      await using repository = await openExisting(
        repositoryAccess(current, "--repo is required when using plakar backend"),
      );
      const { backupId, directory, files } = await restoreToDirectory({
        repository,
        directory: options.to,
        force: options.force ?? false,
        reporter,
        signal: context.signal,
        ...(globals.backupId ? { backupId: globals.backupId } : {}),
        ...(globals.snapshot ? { snapshot: globals.snapshot } : {}),
      });
      if (current.json) {
        writeJson(current, {
          backup_id: backupId,
          directory,
          files: files.map((file) => ({
            component: file.component,
            snapshot_id: shortId(file.snapshotId),
            path: file.path,
            bytes: file.bytes,
          })),
        });
        return;
      }
      const bytes = files.reduce((total, file) => total + file.bytes, 0);
      context.writeOut(
        `Backup ${backupId} restored to ${directory}: ${files.length} files, ` +
          `${formatSize(bytes)}, verified\n`,
      );
    });
}
