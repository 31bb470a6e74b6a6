import { AtomicFile } from "../../files/mod.ts";
import { AlreadyExistsError } from "../errors.ts";
import { attempt } from "./problem.ts";

/** An {@linkcode AtomicFile} of a name that must be free, with failures told in this library's words. */
export class TemporaryFile implements AsyncDisposable {
  readonly #file: AtomicFile;
  readonly #what: string;

  private constructor(file: AtomicFile, what: string) {
    this.#file = file;
    this.#what = what;
  }

  /**
   * @param what what a failure is told to be a failure of
   * @throws {AlreadyExistsError} when the name is taken
   * @throws {ArchiveIoError} when it cannot be created
   */
  static async create(target: string, what: string, mode: number): Promise<TemporaryFile> {
    const file = await named(what, AtomicFile.create(target, { mode, replace: false }));
    return new TemporaryFile(file, what);
  }

  /** Where it lies until it has its name. */
  get path(): string {
    return this.#file.temporary;
  }

  /** Appends. */
  async write(bytes: Uint8Array): Promise<void> {
    await attempt(this.#what, this.#file.write(bytes));
  }

  /** Replaces the first bytes. */
  async overwriteStart(bytes: Uint8Array): Promise<void> {
    await attempt(this.#what, this.#file.overwriteStart(bytes));
  }

  /** Makes all that was written durable, and closes the file. */
  async finish(): Promise<void> {
    await attempt(this.#what, this.#file.finish());
  }

  /**
   * Gives the finished file its name.
   *
   * @throws {AlreadyExistsError} when somebody has taken it meanwhile
   */
  async publish(): Promise<void> {
    await named(this.#what, this.#file.publish());
  }

  /** Removes what has not got its name; idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

async function named<Value>(what: string, operation: Promise<Value>): Promise<Value> {
  try {
    return await attempt(what, operation);
  } catch (error) {
    const isTaken = error instanceof Error && error.cause instanceof Deno.errors.AlreadyExists;
    throw isTaken ? new AlreadyExistsError(`${what}: it exists already`, { cause: error }) : error;
  }
}
