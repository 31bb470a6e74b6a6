import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { copyFile } from "../../../infrahub/mod.ts";
import { openForSnapshots, type SessionProvider } from "../../session/mod.ts";

/** Adds `snapshots cat`. */
export function addSnapshotsCat(snapshots: CommandUnknownOpts, session: SessionProvider): void {
  snapshots.command("cat")
    .description("Write a file of a snapshot to standard output, verified as it goes")
    .argument("<id>", "snapshot ID, or the beginning of it")
    .argument("[path]", "file inside the snapshot (default: the only one)")
    .action(async (id, path) => {
      const current = session();
      const { signal, writeOutBytes } = current.context;
      await using repository = await openForSnapshots(current, "cat");
      await copyFile(repository, id, path, writeOutBytes, signal);
    });
}
