import { recordPath } from "../component.ts";
import { attempt, type Deployment, SERVER } from "../deployment/mod.ts";
import type { ComponentSource, OpenSource } from "../dump/mod.ts";
import { OWN_PREFIX } from "./_exchange_scripts.ts";

/** How the objects are read. */
export interface StorageSourceOptions {
  /** Longest wait for the next byte, in milliseconds; 0 for no limit. */
  readonly stallTimeoutMs: number;
  /**
   * Awaited before the first object is read: until the graph has been, so that every object that it
   * names is there. Objects are written once, under a name of their own: one that came later is
   * nobody's after a restore, and does no harm.
   */
  readonly ready: (signal: AbortSignal) => Promise<void>;
}

/**
 * Sorted and without names of users, so that what has not changed is stored once: the objects keep
 * their bytes, their order and their times from one backup to the next.
 */
const REPRODUCIBLE = ["--sort=name", "--format=gnu", "--numeric-owner"];
const WITHOUT_OURS = `--exclude=./${OWN_PREFIX}*`;
/**
 * GNU tar ends with 1 when a file or the directory itself has changed meanwhile, which it does when an
 * object comes that is newer than the graph.
 */
const UNCHANGED_OR_NEWER = 'tar "$@"; code=$?; [ "$code" -le 1 ] || exit "$code"';

/**
 * Infrahub's objects as a tar. Not as files of the snapshot: a tar passes through the streams, checks
 * and archives that the dumps pass through, with owners and times, and as its order is kept it is
 * deduplicated by content all the same.
 *
 * @param path directory of the objects, where the API server runs
 */
export function storageSource(
  deployment: Deployment,
  path: string,
  { stallTimeoutMs, ready }: StorageSourceOptions,
): ComponentSource {
  return {
    component: "storage",
    recordPath: recordPath("storage", "community"),
    open: async (signal) => {
      await ready(signal);
      return await openTar({ ...deployment, signal }, path, stallTimeoutMs);
    },
  };
}

async function openTar(
  deployment: Deployment,
  path: string,
  stallTimeoutMs: number,
): Promise<OpenSource> {
  const { environment, reporter, signal } = deployment;
  reporter.info(`Backing up the stored objects of Infrahub (${path})...`);
  const what = ["-cf", "-", WITHOUT_OURS, "-C", path, "."];
  const argv = await isGnuTar(deployment)
    ? ["sh", "-c", UNCHANGED_OR_NEWER, "sh", ...REPRODUCIBLE, ...what]
    : ["tar", ...what];
  const { stdout, finished } = await attempt(
    deployment,
    "failed to read the stored objects",
    () => environment.streamOut(SERVER, argv, { stallTimeoutMs, signal }),
  );
  return { content: stdout, finished };
}

async function isGnuTar({ environment, signal }: Deployment): Promise<boolean> {
  try {
    await environment.run(SERVER, ["tar", ...REPRODUCIBLE, "--version"], { signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false; // The order of the directory will do.
  }
}
