import { createRepository, openStore } from "../../src/kloset/mod.ts";
import { findTool, ROOT } from "../../scripts/tool.ts";
import type { Contender } from "./contender.ts";
import type { Stream, StreamKind } from "../data/data_set.ts";
import type { Run } from "../stopwatch.ts";

/** Name of the program of this repository. */
export const OURS = "infrahub-backup";

/** What Deno needs, as one of the commands that an executable starts, to find its own cache. */
const COMMAND_ENVIRONMENT = Object.fromEntries(
  Object.entries(Deno.env.toObject()).filter(([name]) =>
    /^(HOME|XDG_CACHE_HOME|DENO_DIR)$/.test(name)
  ),
);

/** The program of this repository, with a cache of its own. */
export class OurTool implements Contender {
  readonly name = OURS;
  readonly version: string;
  readonly #tool = findTool();
  readonly #cache: string;

  private constructor(folder: string, version: string) {
    this.#cache = `${folder}/our-cache`;
    this.version = version;
  }

  /** @param folder for its cache */
  static async start(folder: string): Promise<OurTool> {
    const { argv: [program, ...args], env, description } = findTool();
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, "--version"],
      clearEnv: true,
      env: { ...env },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`infrahub-backup does not run:\n${decoder.decode(stderr)}`);
    const kind = description.startsWith("executable") ? "compiled executable" : description;
    const version = decoder.decode(stdout).trim().replace(/^Version: /, "");
    return new OurTool(folder, `${version} (${kind})`);
  }

  async prepare(repository: string): Promise<void> {
    // By the code that makes it for a first backup: there is no command for it.
    await (await createRepository(openStore(repository), { jobs: 1 })).close();
  }

  backup(repository: string, stream: Stream, kind: StreamKind): Run {
    return this.backupOf(repository, this.source(stream, kind), kind);
  }

  /**
   * A backup of what a command writes. The program starts it itself: only so does it know that the
   * dump is complete.
   */
  backupOf(repository: string, command: readonly string[], kind: StreamKind): Run {
    const line = command.map((part) => `"${part}"`).join(" ");
    const dumps = kind === "postgres-dump"
      // Every backup has something of Neo4j in it.
      ? ["--neo4j-command=/bin/echo none", `--postgres-command=${line}`]
      : [`--neo4j-command=${line}`];
    return this.run([
      "create",
      "from-commands",
      // The random data set is no dump; peers do not look into what they store either.
      "--format=raw",
      "--backend=plakar",
      `--repo=${repository}`,
      ...dumps,
      `--neo4j-edition=${kind === "neo4j-tar" ? "enterprise" : "community"}`,
      "--log-format=json",
    ]);
  }

  newest(_repository: string, stdout: string, kind: StreamKind): Promise<string> {
    const result: { components: { component: string; snapshot_id: string }[] } = JSON.parse(stdout);
    const name = kind === "postgres-dump" ? "postgres" : "neo4j";
    const found = result.components.find(({ component }) => component === name);
    if (found === undefined) throw new Error(`The backup has no component "${name}":\n${stdout}`);
    return Promise.resolve(found.snapshot_id);
  }

  check(repository: string): Run {
    return this.run(["snapshots", "check", `--repo=${repository}`]);
  }

  restore(repository: string, snapshot: string): Run {
    return this.run(["snapshots", "cat", snapshot, `--repo=${repository}`]);
  }

  /**
   * A dump of Neo4j Community is stored in frames that deduplicate. `create` does that with what it
   * takes from a deployment; of a file, a process of its own does it here.
   */
  source(stream: Stream, kind: StreamKind): readonly string[] {
    if (kind !== "neo4j-dump") return ["/bin/cat", stream.file];
    return [
      Deno.execPath(),
      "run",
      `--config=${ROOT}deno.json`,
      "--allow-read",
      `${ROOT}bench/data/reframe.ts`,
      stream.file,
    ];
  }

  /** Any command of the program. */
  run(args: readonly string[]): Run {
    return {
      argv: [...this.#tool.argv, ...args, `--cache-dir=${this.#cache}`],
      // For the commands that it starts.
      env: { ...COMMAND_ENVIRONMENT, ...this.#tool.env },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
