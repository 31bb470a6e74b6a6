import type { Stream } from "../data/data_set.ts";
import type { Run } from "../stopwatch.ts";
import type { Contender } from "./contender.ts";

/** A program of others, whose commands are all alike. */
export class Peer implements Contender {
  readonly name: string;
  readonly version: string;
  readonly #settings: PeerSettings;
  readonly #env: Readonly<Record<string, string>>;

  constructor(version: string, settings: PeerSettings) {
    this.name = settings.name;
    this.version = version;
    this.#settings = settings;
    this.#env = { PATH: Deno.env.get("PATH") ?? "", ...settings.env };
  }

  async prepare(repository: string): Promise<void> {
    const [program = "", ...args] = this.#settings.init(repository);
    const { success, stderr } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...this.#env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`${this.name}: ${new TextDecoder().decode(stderr)}`);
  }

  backup(repository: string, stream: Stream): Run {
    return { ...this.#run(this.#settings.backup(repository)), source: this.source(stream) };
  }

  source(stream: Stream): readonly string[] {
    return ["/bin/cat", stream.file];
  }

  newest(repository: string): Promise<string> {
    return this.#settings.newest(repository);
  }

  check(repository: string): Run {
    return this.#run(this.#settings.check(repository));
  }

  restore(repository: string, backup: string): Run {
    return this.#run(this.#settings.restore(repository, backup));
  }

  #run(argv: readonly string[]): Run {
    const { daemon } = this.#settings;
    return { argv, env: this.#env, ...(daemon === undefined ? {} : { daemon }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#settings.dispose?.();
  }
}

/** What is different from one program to the next. */
export interface PeerSettings {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Id of a process that works for the program. */
  readonly daemon?: number;
  readonly init: (repository: string) => string[];
  readonly backup: (repository: string) => string[];
  readonly newest: (repository: string) => Promise<string>;
  readonly check: (repository: string) => string[];
  readonly restore: (repository: string, backup: string) => string[];
  readonly dispose?: () => Promise<void>;
}
