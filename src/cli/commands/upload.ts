import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatSize } from "../../infrahub/mod.ts";
import { printResult } from "../report/mod.ts";
import {
  archiveBucket,
  requireBackupFile,
  requireKnownBackend,
  type SessionProvider,
  uploadArchive,
} from "../session/mod.ts";
import { UsageError } from "../syntax/mod.ts";

/** Adds `upload`. */
export function addUpload(root: CommandUnknownOpts, session: SessionProvider): void {
  root.command("upload")
    .description(
      "Upload an archive to S3 that is on this host; goes on where an earlier upload has ended. " +
        "The archive stays here",
    )
    .argument("<backup-file>", "archive to upload")
    .action(async (path) => {
      const current = session();
      await printResult(current, async () => {
        if (requireKnownBackend(current.globals) === "plakar") {
          throw new UsageError("upload is for archives: a repository in S3 needs no upload");
        }
        const bucket = archiveBucket(current);
        await requireBackupFile(path);
        const { size } = await Deno.stat(path);
        const uri = await uploadArchive(current, bucket, path);
        return { text: `${uri}: ${formatSize(size)} uploaded`, json: { uri, bytes: size } };
      });
    });
}
