import {
  ENVELOPE_FOOTER_BYTES,
  ENVELOPE_HEADER_BYTES,
  type Mac,
  macToHex,
  ResourceType,
} from "../format/mod.ts";
import type { BlobIndex } from "../index/mod.ts";
import type { Store } from "../store/mod.ts";

/** Ids that a message names before it counts. */
const NAMED = 5;

/** Where packfiles should be, and who is told that they are not. */
export interface GapsOptions {
  readonly store: Store;
  /** Up to date, under a lock; complete. */
  readonly index: BlobIndex;
  /** Packfiles that were found damaged when they were read. */
  readonly suspects: readonly Mac[];
  readonly onWarning: (message: string) => void;
}

/**
 * Looks once which packfiles the store has and how long they are. One that is missing or cut, or that
 * was found damaged before, is doubted from then on: a writer that relied on its blobs would make a
 * snapshot that is damaged from birth. The user is told of each once.
 *
 * @throws {StoreError} the store failed
 */
export async function doubtGaps({ store, index, suspects, onWarning }: GapsOptions): Promise<void> {
  const sizes = await store.listSizes("packfile");
  const missing: string[] = [];
  const cut: string[] = [];
  for (const { mac, bytes } of index.extents()) {
    const id = macToHex(mac);
    const size = sizes.get(id);
    const isWhole = size !== undefined &&
      size >= ENVELOPE_HEADER_BYTES + bytes + ENVELOPE_FOOTER_BYTES;
    if (isWhole || !index.doubt(mac)) continue;
    (size === undefined ? missing : cut).push(id);
  }
  const damaged = suspects.filter((mac) => index.doubt(mac)).map(macToHex);
  const all = [...missing, ...cut, ...damaged];
  if (all.length === 0) return;
  const problems = [
    ...(missing.length > 0 ? [`packfiles are missing: ${list(missing)}`] : []),
    ...(cut.length > 0 ? [`packfiles are cut short: ${list(cut)}`] : []),
    ...(damaged.length > 0 ? [`packfiles were found damaged: ${list(damaged)}`] : []),
  ].join("; ");
  const lost = unreadableSnapshots(index, new Set(all));
  onWarning(
    `Repository "${store.location}" has lost data: ${problems}. ` +
      (lost.length > 0 ? `Snapshots whose header was in them: ${list(lost)}. ` : "") +
      "What this backup needs of them is stored again; a check of the repository tells which " +
      "earlier backups are damaged",
  );
}

/** Snapshots whose header is in none but these packfiles; what else they have lost, a check finds. */
function unreadableSnapshots(index: BlobIndex, gaps: ReadonlySet<string>): string[] {
  return index.snapshotIds()
    .filter((id) => {
      const location = index.find(ResourceType.SNAPSHOT, id);
      return location !== undefined && gaps.has(macToHex(location.packfile));
    })
    .map((id) => macToHex(id).slice(0, 16));
}

function list(ids: readonly string[]): string {
  const named = ids.slice(0, NAMED).join(", ");
  return ids.length > NAMED ? `${named} and ${ids.length - NAMED} more` : named;
}
