/**
 * A driver of the real plakar command line, for tests and for making golden repositories.
 *
 * plakar keeps its state databases in a daemon, `plakar cached`, which it starts in the background
 * and which outlives the command by some seconds. The driver runs that daemon itself, in the
 * foreground, as a child it ends: nothing is left behind, and home and caches are a temporary folder.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { installPeer } from "../../scripts/peers.ts";

/** A snapshot as `plakar ls` shows it. */
export interface PlakarSnapshot {
  /** 64 hex digits. */
  readonly id: string;
  /** The importer's directory. */
  readonly directory: string;
}

/** What a command wrote, and its exit code. */
export interface PlakarResult {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Settings of one command. */
export interface RunOptions {
  /** Bytes for its standard input; none when left out. */
  readonly stdin?: Uint8Array | ReadableStream<Uint8Array>;
  /** Further environment variables. */
  readonly env?: Record<string, string>;
}

/** Settings of `plakar create`. */
export interface CreateOptions {
  /** Encrypts the repository; plaintext when left out. */
  readonly passphrase?: string | undefined;
  /** LZ4 when true. @default true */
  readonly compression?: boolean;
  /** @default "BLAKE3" */
  readonly hashing?: "BLAKE3" | "SHA256";
}

/** Settings of `plakar backup`. */
export interface BackupOptions {
  readonly name?: string;
  readonly tags?: readonly string[];
}

/** plakar exited non-zero where it must not. */
export class PlakarError extends Error {
  override readonly name = "PlakarError";
  /** What the command wrote. */
  readonly result: PlakarResult;

  constructor(args: readonly string[], result: PlakarResult) {
    const output = new TextDecoder().decode(result.stdout) + result.stderr;
    super(`plakar ${args.join(" ")} exited ${result.code}:\n${output.slice(-4000)}`);
    this.result = result;
  }
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Resolves when the daemon answers on its socket. */
async function untilListening(socket: string, child: Deno.ChildProcess): Promise<void> {
  let exited = false;
  child.status.then(() => exited = true);
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    try {
      (await Deno.connect({ transport: "unix", path: socket })).close();
      return;
    } catch (error) {
      // Not there yet, or there and not listening yet.
      const early = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.ConnectionRefused;
      if (!early || exited) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error(`plakar cached does not listen on ${socket}`);
}

/** The real plakar, with a home of its own. */
export class Plakar implements AsyncDisposable {
  /** Path of the executable. */
  readonly executable: string;
  /** Its home; removed when disposed of. */
  readonly home: string;
  readonly #daemon: Deno.ChildProcess;
  readonly #passphrases = new Map<string, string>();

  private constructor(executable: string, home: string, daemon: Deno.ChildProcess) {
    this.executable = executable;
    this.home = home;
    this.#daemon = daemon;
  }

  /**
   * Starts the daemon of a fresh home.
   *
   * @param executable defaults to the environment variable `PLAKAR`, else `scripts/peers.ts` builds it
   */
  static async start(executable?: string): Promise<Plakar> {
    executable ??= Deno.env.get("PLAKAR") || await installPeer("plakar");
    const home = await Deno.makeTempDir({ prefix: "plakar-" });
    await Deno.mkdir(`${home}/tmp`);
    const env = Plakar.#environment(home);
    // plakar asks its release feed for updates otherwise.
    const prepared = await new Deno.Command(executable, {
      args: ["-disable-security-check"],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!prepared.success) throw new Error(new TextDecoder().decode(prepared.stderr));
    const daemon = new Deno.Command(executable, {
      args: ["cached", "-foreground", "-teardown", "24h"],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const plakar = new Plakar(executable, home, daemon);
    try {
      await untilListening(`${home}/cache/plakar/cached.sock`, daemon);
    } catch (error) {
      await plakar[Symbol.asyncDispose]();
      throw error;
    }
    return plakar;
  }

  static #environment(home: string): Record<string, string> {
    return {
      HOME: home,
      PATH: "/usr/bin:/bin",
      TMPDIR: `${home}/tmp`,
      XDG_CACHE_HOME: `${home}/cache`,
      XDG_CONFIG_HOME: `${home}/config`,
      XDG_DATA_HOME: `${home}/data`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#daemon.kill("SIGTERM");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#daemon.status;
    await Deno.remove(this.home, { recursive: true });
  }

  /** Starts a command on a repository and leaves it running, its standard input a pipe. */
  spawn(repository: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(this.executable, {
      args: ["at", repository, ...args],
      env: this.#env(repository),
      clearEnv: true,
      cwd: this.home,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  #env(repository: string): Record<string, string> {
    const passphrase = this.#passphrases.get(repository);
    return {
      ...Plakar.#environment(this.home),
      ...(passphrase === undefined ? {} : { PLAKAR_PASSPHRASE: passphrase }),
    };
  }

  #start(repository: string, args: readonly string[], options: RunOptions): Deno.ChildProcess {
    return new Deno.Command(this.executable, {
      args: ["at", repository, ...args],
      env: { ...this.#env(repository), ...options.env },
      clearEnv: true,
      cwd: this.home,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async #feed(child: Deno.ChildProcess, options: RunOptions): Promise<void> {
    if (options.stdin === undefined) return;
    const source = options.stdin instanceof Uint8Array
      ? ReadableStream.from([options.stdin])
      : options.stdin;
    await source.pipeTo(child.stdin);
  }

  /** Runs a command on a repository, whatever its exit code. */
  async tryRun(
    repository: string,
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<PlakarResult> {
    const child = this.#start(repository, args, options);
    const [status, stdout, stderr] = await Promise.all([
      child.status,
      readAll(child.stdout),
      new Response(child.stderr).text(),
      this.#feed(child, options),
    ]);
    return { code: status.code, stdout, stderr };
  }

  /** Runs a command on a repository and gives its standard output. @throws {PlakarError} */
  async run(
    repository: string,
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<Uint8Array> {
    const result = await this.tryRun(repository, args, options);
    if (result.code !== 0) throw new PlakarError(args, result);
    return result.stdout;
  }

  /** Makes a repository. */
  async create(repository: string, options: CreateOptions = {}): Promise<void> {
    const args = ["create", "-hashing", options.hashing ?? "BLAKE3"];
    if (options.passphrase === undefined) args.push("-plaintext");
    else this.#passphrases.set(repository, options.passphrase);
    if (options.compression === false) args.push("-no-compression");
    await this.run(repository, args);
  }

  /** Makes a passphrase known, for a repository that plakar has not made. */
  setPassphrase(repository: string, passphrase: string): void {
    this.#passphrases.set(repository, passphrase);
  }

  /** Ids and directories of the snapshots, in the order of `plakar ls`: newest first. */
  async snapshots(repository: string): Promise<PlakarSnapshot[]> {
    const text = new TextDecoder().decode(await this.run(repository, ["ls", "-uuid"]));
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const match = /^\S+ ([0-9a-f]{64}) +\S+ \S+ +\S+ (.*)$/.exec(line);
      if (match === null) throw new Error(`plakar ls: cannot read the line ${line}`);
      const [, id = "", directory = ""] = match;
      return { id, directory };
    });
  }

  async #backup(
    repository: string,
    source: string,
    options: BackupOptions,
    run: RunOptions,
  ): Promise<string> {
    const before = new Set((await this.snapshots(repository)).map(({ id }) => id));
    const args = ["backup", "-no-progress"];
    if (options.name !== undefined) args.push("-name", options.name);
    if (options.tags !== undefined) args.push("-tag", options.tags.join(","));
    await this.run(repository, [...args, source], run);
    const added = (await this.snapshots(repository)).filter(({ id }) => !before.has(id));
    const [only, ...others] = added;
    if (only === undefined || others.length > 0) {
      throw new Error(`plakar backup made ${added.length} snapshots instead of one`);
    }
    return only.id;
  }

  /** Backs up a directory or file. @returns the new snapshot's id */
  backup(repository: string, path: string, options: BackupOptions = {}): Promise<string> {
    return this.#backup(repository, path, options, {});
  }

  /** Backs up a stream as the file `/name`. @returns the new snapshot's id */
  backupStream(
    repository: string,
    name: string,
    content: Uint8Array | ReadableStream<Uint8Array>,
    options: BackupOptions = {},
  ): Promise<string> {
    return this.#backup(repository, `stdin:${name}`, options, { stdin: content });
  }

  /** What `plakar ls` prints for a folder of a snapshot; control characters are shown as `?`. */
  async list(repository: string, id: string, path = "/", recursive = false): Promise<string[]> {
    const args = recursive ? ["ls", "-recursive"] : ["ls"];
    const output = await this.run(repository, [...args, `${id}:${path}`]);
    return new TextDecoder().decode(output).split("\n").filter((line) => line !== "");
  }

  /** Verifies every byte of one snapshot, or of all. @throws {PlakarError} for damage */
  async check(repository: string, id?: string): Promise<void> {
    await this.run(repository, id === undefined ? ["check"] : ["check", id]);
  }

  /** The content of a file. */
  async cat(repository: string, id: string, path: string): Promise<Uint8Array> {
    return await this.run(repository, ["cat", `${id}:${path}`]);
  }

  /** Length and SHA-256 (hex) of a file, without holding it in memory. */
  async catDigest(
    repository: string,
    id: string,
    path: string,
  ): Promise<{ bytes: number; sha256: string }> {
    const args = ["cat", `${id}:${path}`];
    const child = this.#start(repository, args, {});
    const hash = createHash("sha256");
    let bytes = 0;
    const consume = async () => {
      for await (const part of child.stdout) {
        hash.update(part);
        bytes += part.length;
      }
    };
    const [status, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
      consume(),
    ]);
    if (!status.success) {
      throw new PlakarError(args, { code: status.code, stdout: new Uint8Array(), stderr });
    }
    return { bytes, sha256: hash.digest("hex") };
  }

  /** Restores a snapshot, or a path in it, into a directory. */
  async restore(repository: string, id: string, to: string, path?: string): Promise<void> {
    await this.run(repository, ["restore", "-to", to, path === undefined ? id : `${id}:${path}`]);
  }

  /** Removes a snapshot. */
  async remove(repository: string, id: string): Promise<void> {
    await this.run(repository, ["rm", "-apply", id]);
  }

  /** Collects what no snapshot uses, at once: without the grace period. */
  async maintenance(repository: string): Promise<void> {
    // Locks off: plakar's own backup may exit before its lock is released.
    const env = { PLAKAR_GRACEPERIOD: "0s", PLAKAR_LOCKLESS: "true" };
    await this.run(repository, ["maintenance"], { env });
  }
}
