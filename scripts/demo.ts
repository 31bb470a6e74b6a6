/**
 * Shows the program at work, without any service: makes two dumps like those of Infrahub's
 * databases, backs them up, changes 1 % of them, backs them up again, checks the repository,
 * restores both backups and compares every SHA-256 with that of the source.
 *
 * ```sh
 * deno task demo [--seed=<number>]
 * ```
 *
 * Runs the program from its sources, or the executable that `INFRAHUB_BACKUP_BINARY` names; that
 * one gets an empty environment. All files are in a temporary folder that is removed at the end,
 * also after a failure or Ctrl+C. The exit code is 0 only if everything was identical.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { commandDigest, fileDigest, folderBytes, folderDigests } from "./demo/digest.ts";
import type { Dump } from "./demo/dump.ts";
import { Neo4jStore } from "./demo/neo4j_store.ts";
import { PostgresDump } from "./demo/postgres_dump.ts";
import { megabytes, print, secondsSince } from "./print.ts";
import { findTool, type Tool } from "./tool.ts";

const DEFAULT_SEED = 20_251_031;
const BAR_WIDTH = 50;

/** What is printed of a tool that failed, in characters. */
const SHOWN_OUTPUT = 4000;

/** The demo cannot go on; the message says why. */
class DemoError extends Error {
  override readonly name = "DemoError";
}

/** The demo was asked to end. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: string, exitCode: number) {
    super(`interrupted by ${signal}`);
    this.exitCode = exitCode;
  }
}

/** The sources of one backup, as they were when it was made. */
interface SourceDigests {
  readonly tar: string;
  readonly files: Map<string, string>;
  readonly dump: string;
}

/** A backup and what it has to give back. */
interface Backup {
  readonly id: string;
  readonly source: SourceDigests;
  /** Size of what was backed up, and of the repository afterwards, in bytes. */
  readonly logicalBytes: number;
  readonly repositoryBytes: number;
}

/** What a step of the demo moved, in bytes. */
interface StepBytes {
  readonly moved: number;
  readonly added?: number;
}

async function findProgram(name: string): Promise<string> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
    } catch (error) {
      const absent = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory ||
        error instanceof Deno.errors.PermissionDenied;
      if (!absent) throw error;
    }
  }
  throw new DemoError(`No program "${name}" on PATH`);
}

class Demo {
  readonly #tool: Tool;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #dumps: readonly Dump[];
  /** Absolute: the executable gets no PATH to look in. */
  readonly #tar: readonly [string, ...string[]];
  readonly #cat: readonly [string, ...string[]];

  private constructor(
    tool: Tool,
    folder: string,
    seed: number,
    signal: AbortSignal,
    programs: { tar: string; cat: string; sorts: boolean },
  ) {
    this.#tool = tool;
    this.#folder = folder;
    this.#signal = signal;
    this.#dumps = [new Neo4jStore(this.#store, seed), new PostgresDump(this.#dump, seed)];
    const sort = programs.sorts ? ["--sort=name"] : [];
    this.#tar = [programs.tar, ...sort, "-cf", "-", "-C", this.#store, "."];
    this.#cat = [programs.cat, this.#dump];
  }

  static async start(
    tool: Tool,
    folder: string,
    seed: number,
    signal: AbortSignal,
  ): Promise<Demo> {
    const tar = await findProgram("tar");
    // Only GNU tar sorts. Others go by the order of the folder, which does not change here either.
    const { success: sorts } = await new Deno.Command(tar, {
      args: ["--sort=name", "-cf", "/dev/null", "-C", folder, "."],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return new Demo(tool, folder, seed, signal, { tar, cat: await findProgram("cat"), sorts });
  }

  get #store(): string {
    return `${this.#folder}/neo4j`;
  }

  get #dump(): string {
    return `${this.#folder}/prefect.dump`;
  }

  get #repository(): string {
    return `${this.#folder}/repository`;
  }

  /** @returns number of backups that were restored identical to their source */
  async run(): Promise<number> {
    print(
      `${"step".padEnd(30)}${"time".padStart(9)}${"MB".padStart(9)}${"MB/s".padStart(8)}` +
        `${"added".padStart(11)}\n`,
    );
    let logicalBytes = 0;
    await this.#step("make two dumps", async () => {
      for (const dump of this.#dumps) logicalBytes += await dump.create(this.#signal);
      return { moved: logicalBytes };
    });
    const first = await this.#backUp(1, logicalBytes);
    await this.#step("change 1 % in place", async () => {
      let moved = 0;
      for (const dump of this.#dumps) moved += await dump.change(this.#signal);
      return { moved };
    });
    const second = await this.#backUp(2, logicalBytes);
    if (first.source.tar === second.source.tar || first.source.dump === second.source.dump) {
      throw new DemoError("The sources have not changed between the backups");
    }
    const backups = [first, second];
    const list = await this.#runTool("snapshots", "list", "--repo", this.#repository);
    await this.#step("check the repository", async () => {
      await this.#runTool("snapshots", "check", "--repo", this.#repository);
      return { moved: backups.reduce((sum, backup) => sum + backup.logicalBytes, 0) };
    });
    for (const [index, backup] of backups.entries()) await this.#restore(index + 1, backup);
    this.#showBackups(list, backups);
    this.#showBars(backups);
    return backups.length;
  }

  async #step(name: string, work: () => Promise<StepBytes>): Promise<void> {
    const start = performance.now();
    const { moved, added } = await work();
    this.#signal.throwIfAborted();
    const seconds = secondsSince(start);
    print(
      name.padEnd(30) + `${seconds.toFixed(1)} s`.padStart(9) +
        (moved / 1e6).toFixed(1).padStart(9) + (moved / 1e6 / seconds).toFixed(0).padStart(8) +
        (added === undefined ? "" : megabytes(added).padStart(11)) + "\n",
    );
  }

  /** Standard output of the program. @throws {DemoError} when it exits non-zero */
  async #runTool(...args: string[]): Promise<string> {
    const [program, ...first] = this.#tool.argv;
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...first, ...args, "--cache-dir", `${this.#folder}/cache`],
      // Not the folder of the sources: nothing may depend on where the program is started.
      cwd: this.#folder,
      clearEnv: true,
      env: this.#tool.env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: this.#signal,
    }).output();
    this.#signal.throwIfAborted();
    const output = new TextDecoder().decode(stdout);
    if (code !== 0) {
      const messages = output + new TextDecoder().decode(stderr);
      throw new DemoError(
        `infrahub-backup ${args.join(" ")} exited ${code}:\n${messages.slice(-SHOWN_OUTPUT)}`,
      );
    }
    return output;
  }

  async #digestSources(): Promise<SourceDigests> {
    return {
      tar: await commandDigest(this.#tar, this.#signal),
      files: await folderDigests(this.#store),
      dump: await fileDigest(this.#dump),
    };
  }

  async #backUp(number: number, logicalBytes: number): Promise<Backup> {
    let source: SourceDigests | undefined;
    await this.#step(`SHA-256 of the sources`, async () => {
      source = await this.#digestSources();
      // The files of the store are read twice: as they are, and in the tar.
      return { moved: logicalBytes + await folderBytes(this.#store) };
    });
    if (source === undefined) throw new DemoError("The sources have no digests");
    const before = await folderBytes(this.#repository);
    let repositoryBytes = before;
    let id = "";
    await this.#step(`back up, number ${number}`, async () => {
      const result: { backup_id: string; totals: { bytes_read: number } } = JSON.parse(
        await this.#runTool(
          "create",
          "from-commands",
          "--backend=plakar",
          `--repo=${this.#repository}`,
          `--neo4j-command=${commandLine(this.#tar)}`,
          `--postgres-command=${commandLine(this.#cat)}`,
          "--log-format=json",
        ),
      );
      id = result.backup_id;
      repositoryBytes = await folderBytes(this.#repository);
      return { moved: result.totals.bytes_read, added: repositoryBytes - before };
    });
    return { id, source, logicalBytes, repositoryBytes };
  }

  async #restore(number: number, { id, source, logicalBytes }: Backup): Promise<void> {
    const restored = `${this.#folder}/restored`;
    await this.#step(`restore backup ${number}`, async () => {
      await this.#runTool(
        "restore",
        "--backend=plakar",
        `--repo=${this.#repository}`,
        `--backup-id=${id}`,
        `--to=${restored}`,
      );
      return { moved: logicalBytes };
    });
    let differences: string[] = [];
    await this.#step(`compare with the source`, async () => {
      differences = await this.#compare(restored, source);
      return { moved: logicalBytes + await folderBytes(this.#store) };
    });
    if (differences.length > 0) {
      throw new DemoError(
        `backup ${id}, as restored, is not what was backed up:\n  ${differences.join("\n  ")}`,
      );
    }
    await Deno.remove(restored, { recursive: true });
  }

  /** What differs between a restored backup and its source. */
  async #compare(restored: string, source: SourceDigests): Promise<string[]> {
    const digests = await folderDigests(restored);
    const differences: string[] = [];
    const expect = (name: string, found: string | undefined, expected: string | undefined) => {
      if (found === expected) return;
      differences.push(`${name}: SHA-256 ${found ?? "missing"}, expected ${expected ?? "no file"}`);
    };
    expect("neo4j-backup.tar", digests.get("neo4j-backup.tar"), source.tar);
    expect("prefect.dump", digests.get("prefect.dump"), source.dump);
    if (!digests.has("backup_information.json")) differences.push("no backup_information.json");
    if (differences.length > 0) return differences;

    const extracted = `${restored}/extracted`;
    await Deno.mkdir(extracted);
    await commandDigest(
      [this.#tar[0], "-xf", `${restored}/neo4j-backup.tar`, "-C", extracted],
      this.#signal,
    );
    const files = await folderDigests(extracted);
    for (const name of new Set([...files.keys(), ...source.files.keys()])) {
      expect(name, files.get(name), source.files.get(name));
    }
    return differences;
  }

  #showBackups(list: string, backups: readonly Backup[]): void {
    print(`\n${list}`);
    const lines = list.split("\n");
    for (const { id } of backups) {
      if (!lines.some((line) => line.startsWith(`${id} `) && / complete /.test(line))) {
        throw new DemoError(`"snapshots list" does not show backup ${id} as complete`);
      }
    }
  }

  #showBars(backups: readonly Backup[]): void {
    const total = backups.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0);
    const bar = (bytes: number) => "#".repeat(Math.max(1, Math.round(bytes / total * BAR_WIDTH)));
    print("\n");
    let logical = 0;
    for (const [index, backup] of backups.entries()) {
      logical += backup.logicalBytes;
      for (
        const [name, bytes] of [["logical", logical], ["stored", backup.repositoryBytes]] as const
      ) {
        const label = name === "logical" ? `after backup ${index + 1}` : "";
        print(
          `${label.padEnd(16)}${name.padEnd(9)}${megabytes(bytes).padStart(9)}  ${bar(bytes)}\n`,
        );
      }
    }
    print("\n");
  }
}

/** Quoted as the program splits it. */
function commandLine(argv: readonly string[]): string {
  return argv.map((argument) => `"${argument}"`).join(" ");
}

async function main(signal: AbortSignal): Promise<void> {
  const { seed: seedText } = parseArgs({
    args: Deno.args,
    options: { seed: { type: "string", default: String(DEFAULT_SEED) } },
  }).values;
  const seed = Number(seedText);
  if (!Number.isSafeInteger(seed)) throw new DemoError(`The seed is not a number: ${seedText}`);
  const tool = findTool();
  print(`demo: infrahub-backup (${tool.description}), seed ${seed}\n\n`);
  // The real path: a link on the way would make the program's messages look strange.
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "infrahub-backup-demo-" }));
  try {
    const demo = await Demo.start(tool, folder, seed, signal);
    const count = await demo.run();
    print(`demo: ${count} backups restored, identical to the source\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const controller = new AbortController();
  const signals = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;
  for (const [name, exitCode] of signals) {
    Deno.addSignalListener(name, () => controller.abort(new Interrupted(name, exitCode)));
  }
  try {
    await main(controller.signal);
    Deno.exit(0);
  } catch (error) {
    const reason: unknown = controller.signal.aborted ? controller.signal.reason : error;
    if (!(reason instanceof DemoError || reason instanceof Interrupted)) throw reason;
    print(`\ndemo: FAILED: ${reason.message}\n`);
    Deno.exit(reason instanceof Interrupted ? reason.exitCode : 1);
  }
}
