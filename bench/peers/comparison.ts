import { folderBytes } from "../../scripts/demo/digest.ts";
import { findTool, ROOT } from "../../scripts/tool.ts";
import type { Contender } from "./contender.ts";
import { type DataSet, outputDigest, type Stream } from "../data/data_set.ts";
import { fed, type Finished, type Output, quote, type Run, type Stopwatch } from "../stopwatch.ts";
import {
  changedOperation,
  CHECK,
  FIRST,
  type Operation,
  type Outcomes,
  RESTORE,
  SECOND,
} from "../outcomes.ts";

/** What a comparison needs. */
export interface ComparisonSettings {
  readonly contenders: readonly Contender[];
  readonly stopwatch: Pick<Stopwatch, "measure">;
  /** Where repositories are made. */
  readonly folder: string;
  readonly runs: number;
  readonly outcomes: Outcomes;
  readonly commands: CommandLog;
  readonly onProgress: (message: string) => void;
}

/** A program has not given back the bytes that it got. */
export class WrongBytesError extends Error {
  override readonly name = "WrongBytesError";
}

/** Which command lines were run, without what differs from run to run. */
export class CommandLog {
  readonly #folder: string;
  readonly #lines = new Map<string, Set<string>>();

  /** @param folder of which no path is shown */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param names what stands for what, such as `$REPO` for a path */
  add(program: string, run: Run, output: Output, names: Readonly<Record<string, string>>): void {
    const source = run.source === undefined ? "" : `${commandLine(run.source)} | `;
    let line = `${source}${commandLine(run.argv)}${output === "pipe" ? " | cat > /dev/null" : ""}`;
    const all = {
      ...names,
      "infrahub-backup": commandLine(findTool().argv),
      "$WORK": this.#folder,
      "deno": Deno.execPath(),
      "": ROOT,
    };
    for (const [name, value] of Object.entries(all)) line = line.replaceAll(value, name);
    line = line
      // The folder of a program says nothing,
      .replace(/(^|\| )\/\S*\/([^\s/]+)/g, "$1$2")
      // nor does the number of an archive of borg.
      .replace(/::\d+/g, "::$$ID");
    const lines = this.#lines.get(program) ?? new Set();
    this.#lines.set(program, lines.add(line));
  }

  /** Command lines by program. */
  get lines(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#lines;
  }
}

/**
 * Lets every program do the same with a data set, in turns: each run begins with the next program,
 * so that none always comes first. What is restored is compared with what was stored, apart from the
 * measured runs.
 *
 * @throws {WrongBytesError}
 */
export async function compare(data: DataSet, settings: ComparisonSettings): Promise<void> {
  const { contenders, runs, onProgress } = settings;
  const digests = new Map<string, string>();
  for (let run = 0; run < runs; run++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(run + turn) % contenders.length];
      if (contender === undefined) throw new RangeError("There is no such program");
      const start = performance.now();
      const folder = await Deno.makeTempDir({ dir: settings.folder, prefix: "repository-" });
      try {
        await new Turn(contender, data, `${folder}/repository`, settings, digests).run();
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      onProgress(`${data.name}, run ${run + 1} of ${runs}, ${contender.name}: ${seconds} s`);
    }
  }
}

/** For people, who see where an argument ends. */
function commandLine(argv: readonly string[]): string {
  return argv.map((part) => /[\s"']/.test(part) ? quote(part) : part).join(" ");
}

/** All operations of one program, on a repository of its own. */
class Turn {
  readonly #contender: Contender;
  readonly #data: DataSet;
  readonly #repository: string;
  readonly #settings: ComparisonSettings;
  /** Of what a command writes, by its command line. */
  readonly #digests: Map<string, string>;

  constructor(
    contender: Contender,
    data: DataSet,
    repository: string,
    settings: ComparisonSettings,
    digests: Map<string, string>,
  ) {
    this.#contender = contender;
    this.#data = data;
    this.#repository = repository;
    this.#settings = settings;
    this.#digests = digests;
  }

  async run(): Promise<void> {
    const { first, changes } = this.#data;
    await this.#contender.prepare(this.#repository);
    const backup = await this.#backUp(FIRST, first);
    await this.#measure(CHECK, this.#contender.check(this.#repository), "text", first.bytes, {});
    const restore = this.#contender.restore(this.#repository, backup);
    await this.#measure(RESTORE, restore, "pipe", first.bytes, { "$ID": backup });
    await this.#verify(backup, first);
    await this.#verify(await this.#backUp(SECOND, first), first);
    for (const change of changes) {
      const changed = await this.#backUp(changedOperation(change), change.stream);
      await this.#verify(changed, change.stream);
    }
  }

  /** @returns what the backup is called */
  async #backUp(operation: Operation, stream: Stream): Promise<string> {
    const { kind } = this.#data;
    const before = await folderBytes(this.#repository);
    const run = this.#contender.backup(this.#repository, stream, kind);
    const names = { "$STREAM": stream.file };
    const { stdout } = await this.#measure(operation, run, "text", stream.bytes, names, before);
    return await this.#contender.newest(this.#repository, stdout, kind);
  }

  async #measure(
    operation: Operation,
    run: Run,
    output: Output,
    bytes: number,
    names: Readonly<Record<string, string>>,
    bytesBefore?: number,
  ): Promise<Finished> {
    const { stopwatch, outcomes, commands } = this.#settings;
    const { name } = this.#contender;
    commands.add(name, run, output, { "$REPO": this.#repository, ...names });
    const finished = await stopwatch.measure(run, output);
    outcomes.of(this.#data.name, operation.name, name, bytes).add(
      finished.measurement,
      bytesBefore === undefined ? undefined : await folderBytes(this.#repository) - bytesBefore,
    );
    return finished;
  }

  /** @throws {WrongBytesError} */
  async #verify(backup: string, stream: Stream): Promise<void> {
    const source = this.#contender.source(stream, this.#data.kind);
    const line = source.join(" ");
    const expected = this.#digests.get(line) ?? await outputDigest(source, Deno.env.toObject());
    this.#digests.set(line, expected);
    const restore = this.#contender.restore(this.#repository, backup);
    if (await outputDigest(fed(restore), restore.env) === expected) return;
    throw new WrongBytesError(
      `${this.#contender.name} has not given back the bytes of ${stream.file} that it got`,
    );
  }
}
