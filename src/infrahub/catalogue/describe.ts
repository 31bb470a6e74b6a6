import type { Entry, Repository, SnapshotHeader, SnapshotReader } from "../../kloset/mod.ts";
import { InvalidInputError } from "../errors.ts";
import { shortId } from "../show_values.ts";
import { resolveSnapshot } from "./snapshot_id.ts";

/** All that a snapshot says of itself. */
export interface SnapshotDescription {
  readonly header: SnapshotHeader;
  /** In path order, the root first. */
  readonly entries: readonly Entry[];
  /** What could not be stored when the snapshot was made. */
  readonly errors: readonly { readonly path: string; readonly error: string }[];
}

/**
 * Describes a snapshot.
 *
 * @throws {InvalidInputError} when the prefix does not name one snapshot
 */
export async function describeSnapshot(
  repository: Repository,
  idPrefix: string,
): Promise<SnapshotDescription> {
  const reader = await repository.openSnapshot(resolveSnapshot(repository, idPrefix));
  return {
    header: reader.header,
    entries: await Array.fromAsync(reader.entries()),
    errors: await reader.errors(),
  };
}

/**
 * Copies one file of a snapshot, verified chunk by chunk.
 *
 * @param path defaults to the only regular file of the snapshot
 * @param write receives a view that is valid until it resolves
 * @returns number of bytes
 * @throws {InvalidInputError} when there is no such file, or no path is given and there are several
 */
export async function copyFile(
  repository: Repository,
  idPrefix: string,
  path: string | undefined,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const reader = await repository.openSnapshot(resolveSnapshot(repository, idPrefix));
  const id = shortId(reader.header.identifier);
  const target = path === undefined ? await onlyFile(reader) : absolute(path);
  const entry = await reader.stat(target);
  if (entry === undefined) throw new InvalidInputError(`no such file in snapshot ${id}: ${target}`);
  if (entry.type !== "file") {
    throw new InvalidInputError(`not a regular file in snapshot ${id}: ${target} (${entry.type})`);
  }
  return await reader.copy(target, write, { signal });
}

async function onlyFile(reader: SnapshotReader): Promise<string> {
  const id = shortId(reader.header.identifier);
  let found: string | undefined;
  for await (const entry of reader.entries()) {
    if (entry.type !== "file") continue;
    if (found !== undefined) {
      throw new InvalidInputError(
        `snapshot ${id} contains several files; name one of them, as shown by "snapshots show"`,
      );
    }
    found = entry.path;
  }
  if (found === undefined) throw new InvalidInputError(`snapshot ${id} contains no files`);
  return found;
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
