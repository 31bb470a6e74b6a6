import type { ServiceName } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { attempt, type Deployment, DeploymentError, DeploymentRefusedError } from "./deployment.ts";
import { formatSize } from "../show_values.ts";
import type { UndoHandle, UndoJournal } from "./undo_journal.ts";

/** A directory inside a service that belongs to one run alone. */
export interface WorkDirectory {
  readonly path: string;
  /** Removes it and all in it. A failure warns and leaves it on the journal; never throws. */
  remove(): Promise<void>;
}

/** Where work directories are made. */
export const WORK_PARENT = "/tmp";
const REMOVE_TIMEOUT_MS = 120_000;

/**
 * Makes a directory with a name that no other run has: what an earlier run left behind must never
 * be taken for this one's data.
 *
 * @throws {DeploymentError} when it cannot be made, or is there already
 */
export async function makeWorkDirectory(
  deployment: Deployment,
  journal: UndoJournal,
  service: ServiceName,
): Promise<WorkDirectory> {
  const { environment, reporter, signal } = deployment;
  const path = `${WORK_PARENT}/infrahubops-${crypto.randomUUID()}`;
  const handle: UndoHandle = await journal.push({
    name: `remove ${path} from ${service}`,
    leaves: { kind: "directory", service, path },
    harmless: true,
    timeoutMs: REMOVE_TIMEOUT_MS,
    run: async (undoSignal) => {
      await environment.run(service, ["rm", "-rf", path], { signal: undoSignal });
    },
  });
  await attempt(
    deployment,
    "failed to prepare remote work directory",
    // Without -p: it fails when the directory is there.
    () => environment.run(service, ["mkdir", "-m", "700", path], { signal }),
  );
  return {
    path,
    remove: async () => {
      try {
        await handle.perform();
      } catch (error) {
        reporter.warn(`Failed to remove temporary directory ${path}: ${messageOf(error)}`);
      }
    },
  };
}

/**
 * Compares the space that is free with what will be needed. Where it cannot be found out, only a
 * detail is reported: the step itself fails when the disk is full.
 *
 * @param directory path inside the service
 * @param needed bytes
 * @throws {DeploymentRefusedError} when there is too little
 */
export async function requireFreeSpace(
  { environment, reporter, signal }: Deployment,
  service: ServiceName,
  directory: string,
  needed: number,
  what: string,
): Promise<void> {
  let free: number;
  try {
    free = parseFreeSpace(await environment.run(service, ["df", "-Pk", directory], { signal }));
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not find out the free space of ${directory}: ${messageOf(error)}`);
    return;
  }
  reporter.info(
    `${what} needs about ${formatSize(needed)} in ${directory} of ${service}, ` +
      `where ${formatSize(free)} are free`,
  );
  if (free < needed) {
    throw new DeploymentRefusedError(
      `not enough space in ${directory} of ${service} for ${what}: ` +
        `about ${formatSize(needed)} needed, ${formatSize(free)} free`,
    );
  }
}

/** Bytes that a directory's files take; undefined when that cannot be found out. */
export async function measureDirectory(
  { environment, reporter, signal }: Deployment,
  service: ServiceName,
  directory: string,
): Promise<number | undefined> {
  try {
    const output = await environment.run(service, ["du", "-skL", directory], { signal });
    const kilobytes = /^(\d+)/.exec(output.trim())?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not measure ${directory}: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * The free bytes in the output of `df -Pk`: the fourth column, from the right, as the first may have
 * spaces.
 *
 * @throws {Error} when it cannot be found there
 */
export function parseFreeSpace(output: string): number {
  const match = /\s(\d+)\s+\d+%\s+\S.*$/.exec(output.trim().split("\n").at(-1) ?? "");
  if (match?.[1] === undefined) throw new DeploymentError(`unexpected answer of df: ${output}`);
  return Number(match[1]) * 1024;
}
