import type { Repository } from "../../kloset/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import type { Reporter } from "../reporter.ts";
import { parseTags } from "./tags.ts";
import { chooseBackupId } from "../timestamp.ts";

/** An id for a new backup, which is kept from others until it is released. */
export interface ReservedBackupId {
  readonly backupId: string;
  /** Lets go of the id, once a snapshot bears it or none ever will. Never throws. */
  readonly release: () => Promise<void>;
}

/**
 * The id of a new backup: the local time, or the next free second after it, also where other runs
 * look for one at the same moment, as far as the store can keep two runs apart. Where it cannot, two
 * groups have one id, and their runs tell them apart.
 */
export async function reserveBackupId(
  repository: Repository,
  now: Date,
  reporter: Reporter,
): Promise<ReservedBackupId> {
  const taken = await idsInUse(repository);
  for (;;) {
    const backupId = chooseBackupId(now, taken);
    const release = await claim(repository, backupId, reporter);
    if (release !== undefined) {
      // Who had it before us has let go of it only after a snapshot of that id was stored.
      await repository.refresh();
      for (const id of await idsInUse(repository)) taken.add(id);
      if (!taken.has(backupId)) return { backupId, release };
      await release();
    }
    taken.add(backupId);
  }
}

/** Claims an id; undefined where somebody else has it. */
async function claim(
  repository: Repository,
  backupId: string,
  reporter: Reporter,
): Promise<(() => Promise<void>) | undefined> {
  let release: (() => Promise<void>) | undefined;
  try {
    release = await repository.claim(backupId);
  } catch (error) {
    // Rights may be for packfiles, states and locks alone; nothing depends on the claim.
    reporter.debug(`Could not claim the id ${backupId}: ${messageOf(error)}`);
    return () => Promise.resolve();
  }
  return release && (async () => {
    await release().catch((error) => reporter.debug(messageOf(error)));
  });
}

/** Ids in use, also by groups of which a snapshot cannot be read any more, as far as known. */
async function idsInUse(repository: Repository): Promise<Set<string>> {
  const { headers } = await repository.snapshots();
  return new Set(headers.flatMap((header) => parseTags(header.tags).backupId ?? []));
}
