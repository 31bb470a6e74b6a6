/**
 * The two ways in which backups are kept, as the tests use and judge them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { exists } from "../../scripts/e2e/command.ts";
import type { Database } from "./bed.ts";
import { runTool, runToolOk, type ToolTarget } from "./tool.ts";

/** One way of keeping backups; `folder` is the test's own. */
export interface Backend {
  readonly name: "plakar" | "tarball";
  /** Arguments of a `create`. */
  create(folder: string, ...flags: string[]): string[];
  /** Arguments of a `restore` of a backup, named as in `complete`. */
  restore(folder: string, backup: string, ...flags: string[]): string[];
  /** The complete backups, oldest first: ids, or paths of archives. */
  complete(target: ToolTarget, folder: string): Promise<string[]>;
  /**
   * What incomplete backups hold: per backup the databases of which there is a snapshot, oldest
   * first. Always empty for archives.
   */
  incomplete(target: ToolTarget, folder: string): Promise<Database[][]>;
  /** @throws {AssertionError} for damage, or for files that a run has left behind */
  assertSound(target: ToolTarget, folder: string): Promise<void>;
}

const JSON_LOG = ["--log-format", "json"];

interface Group {
  readonly backup_id: string;
  readonly status: string;
  readonly snapshots: readonly { readonly component: string }[];
}

function repository(folder: string): string[] {
  return ["--backend", "plakar", "--repo", `${folder}/repository`];
}

async function groups(target: ToolTarget, folder: string): Promise<Group[]> {
  if (!await exists(`${folder}/repository`)) return [];
  const list = [...repository(folder), ...JSON_LOG, "snapshots", "list"];
  const { stdout } = await runToolOk(target, list);
  return stdout === "" ? [] : (JSON.parse(stdout) as Group[]).toReversed();
}

async function namesIn(folder: string): Promise<string[]> {
  if (!await exists(folder)) return [];
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).toSorted();
}

/** A deduplicating repository. */
export const PLAKAR: Backend = {
  name: "plakar",
  create: (folder, ...flags) => [...repository(folder), ...JSON_LOG, "create", "--force", ...flags],
  restore: (folder, backup, ...flags) => [
    ...repository(folder),
    "--backup-id",
    backup,
    "restore",
    ...flags,
  ],
  complete: async (target, folder) =>
    (await groups(target, folder)).filter(({ status }) => status === "complete")
      .map((group) => group.backup_id),
  incomplete: async (target, folder) =>
    (await groups(target, folder)).filter(({ status }) => status !== "complete")
      .map(({ snapshots }) => snapshots.map(({ component }) => component as Database).toSorted()),
  assertSound: async (target, folder) => {
    if (!await exists(`${folder}/repository`)) return;
    const check = [...repository(folder), "snapshots", "check"];
    const { code, stdout, stderr } = await runTool(target, check);
    // A run that failed between two components leaves a group without damage that is incomplete.
    const some = (await groups(target, folder)).some(({ status }) => status !== "complete");
    assertEquals(code, some ? 4 : 0, `${stdout}\n${stderr}`);
    assertEquals(await namesIn(`${folder}/repository/locks`), []);
  },
};

/** One archive per backup. */
export const TARBALL: Backend = {
  name: "tarball",
  create: (folder, ...flags) => [
    "--backup-dir",
    `${folder}/archives`,
    ...JSON_LOG,
    "create",
    "--force",
    ...flags,
  ],
  restore: (_folder, backup, ...flags) => ["restore", ...flags, backup],
  complete: async (_target, folder) =>
    (await namesIn(`${folder}/archives`)).filter((name) => name.endsWith(".tar.gz"))
      .map((name) => `${folder}/archives/${name}`),
  incomplete: () => Promise.resolve([]),
  assertSound: async (_target, folder) => {
    const others = (await namesIn(`${folder}/archives`)).filter((name) =>
      !/^infrahub_backup_\d{8}_\d{6}\.tar\.gz$/.test(name)
    );
    assertEquals(others, [], "an archive or nothing");
  },
};

/** Both backends. */
export const BACKENDS: readonly Backend[] = [PLAKAR, TARBALL];

/** The backup that a successful `create` has told of. */
export function backupOf(backend: Backend, stdout: string): string {
  const result = JSON.parse(stdout) as { readonly backup_id: string; readonly path?: string };
  const backup = backend.name === "plakar" ? result.backup_id : result.path;
  if (!backup) throw new Error(`No backup is named in ${stdout}`);
  return backup;
}
