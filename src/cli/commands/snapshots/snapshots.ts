import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { actAsMenu } from "../../syntax/mod.ts";
import type { SessionProvider } from "../../session/mod.ts";
import { addSnapshotsCat } from "./cat.ts";
import { addSnapshotsCheck } from "./check.ts";
import { addSnapshotsList } from "./list.ts";
import { addSnapshotsShow } from "./show.ts";

/** Adds `snapshots` and what is below it. */
export function addSnapshots(root: CommandUnknownOpts, session: SessionProvider): void {
  const snapshots = root.command("snapshots").description("Look at the backups in a repository");
  actAsMenu(snapshots);
  addSnapshotsList(snapshots, session);
  addSnapshotsShow(snapshots, session);
  addSnapshotsCat(snapshots, session);
  addSnapshotsCheck(snapshots, session);
}
