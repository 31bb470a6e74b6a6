/** Runs the program as users do: in a process of its own, with scoped permissions. */

import { assert, assertEquals } from "@std/assert";
import { EXIT_INCOMPLETE, EXIT_SUCCESS } from "../../src/errors/mod.ts";
import { permissions } from "../../scripts/tool.ts";
import { postgresDump } from "../fixtures/small_dumps.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How a run ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a run differs from an ordinary one. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** More runtime flags, such as `--deny-read=/x`. */
  readonly runtime?: readonly string[];
  /** The only programs that it may start; any when left out. */
  readonly programs?: readonly string[];
}

/** A directory with dumps, and a repository beside them that does not exist yet. */
export class Bench implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Bench> {
    const bench = new Bench(await Deno.makeTempDir({ prefix: "infrahub_cli_" }));
    await Deno.mkdir(`${bench.neo4j}/databases/neo4j`, { recursive: true });
    await Deno.writeFile(`${bench.neo4j}/databases/neo4j/store.db`, noise(1, 3_000_000));
    await Deno.writeTextFile(`${bench.neo4j}/neo4j.conf`, "server.memory=1g\n");
    await Deno.writeFile(bench.dump, postgresDump(noise(2, 700_000)));
    const args = ["-C", bench.root, "-cf", bench.tar, "neo4j"];
    const { success } = await new Deno.Command("tar", { args }).output();
    assert(success, "tar has failed");
    return bench;
  }

  /** The Neo4j dump, a directory. */
  get neo4j(): string {
    return `${this.root}/neo4j`;
  }

  /** The same as a tar. */
  get tar(): string {
    return `${this.root}/neo4j.tar`;
  }

  /** The PostgreSQL dump, a file. */
  get dump(): string {
    return `${this.root}/p.dump`;
  }

  get repository(): string {
    return `${this.root}/repository`;
  }

  /** Starts the program on the bench's repository. */
  start(args: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const runtime = ["--quiet", ...permissions(options.programs), ...(options.runtime ?? [])];
    return new Deno.Command(Deno.execPath(), {
      args: ["run", ...runtime, MAIN, ...args],
      env: {
        INFRAHUB_REPO: this.repository,
        INFRAHUB_CACHE_DIR: `${this.root}/cache`,
        XDG_STATE_HOME: `${this.root}/state`,
        INFRAHUB_BACKEND: "plakar",
        ...options.env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs the program to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { code, stdout, stderr } = await this.start(args, options).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Runs the program, which must succeed. */
  async succeed(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.run(args, options);
    assertEquals(outcome.code, 0, `${args.join(" ")}: ${outcome.stderr}`);
    return outcome;
  }

  /** Runs the program with JSON results, and returns the result. */
  async json(args: readonly string[], options: RunOptions = {}) {
    const { stdout } = await this.succeed([...args, "--log-format", "json", "--quiet"], options);
    return stdout === "" ? undefined : JSON.parse(stdout);
  }

  /** Makes a backup of the bench's dumps and returns its JSON result. */
  async backUp() {
    return await this.json([
      "create",
      "from-files",
      "--neo4j-path",
      this.neo4j,
      "--postgres-path",
      this.dump,
    ]);
  }

  /** Runs the program, which must fail with this one line and write nothing else. */
  async fail(args: readonly string[], line: string | RegExp, options: RunOptions = {}) {
    const outcome = await this.run([...args, "--quiet"], options);
    assertEquals([outcome.code, outcome.stdout], [1, ""], outcome.stderr);
    // That a repository was made is told even to who wants to hear of nothing.
    const stderr = outcome.stderr.replace(/^\S+ level=warning msg="NEW REPOSITORY: .*\n/, "");
    const [, message = stderr] = /^Error: ([^\n]*)\n$/.exec(stderr) ?? [];
    if (typeof line === "string") assertEquals(message, line);
    else if (!line.test(message)) throw new Error(`${line} does not match: ${message}`);
  }

  /** Ids of all snapshots, 16 digits each; none when there is no repository. */
  async snapshotIds(): Promise<string[]> {
    const groups: { snapshots: { snapshot_id: string }[] }[] =
      (await this.json(["snapshots", "list"])) ?? [];
    return groups.flatMap((group) => group.snapshots.map((snapshot) => snapshot.snapshot_id));
  }

  /** Fails when a lock is held, or when the repository has damage; what is incomplete has none. */
  async assertSound(): Promise<void> {
    assertEquals(await filesBelow(`${this.repository}/locks`), []);
    const { code, stdout, stderr } = await this.run(["snapshots", "check", "--log-format=json"]);
    assert(code === EXIT_SUCCESS || code === EXIT_INCOMPLETE, stderr);
    assertEquals(JSON.parse(stdout).damage, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** Reproducible bytes that do not compress. */
export function noise(seed: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Paths of all files below a directory. */
export async function filesBelow(directory: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) files.push(...await filesBelow(path));
    else files.push(path);
  }
  return files.sort();
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Whether a process runs; one that has ended and only waits to be reaped does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  return stat !== undefined && !/ [ZX] /.test(stat);
}
