import { BenchError } from "../bench_error.ts";

/** How long the server may take until it answers. */
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

const PROGRAMS = ["initdb", "postgres", "psql", "pg_dump"];

/** A user that is not root, which PostgreSQL refuses to run as. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL of its own, with no network, in folders that are removed with it. */
export class PostgresServer implements AsyncDisposable {
  readonly #programs: string;
  readonly #folder: string;
  /** Apart from the data, because the path of a socket may have some hundred bytes at most. */
  readonly #socketFolder: string;
  readonly #user: User | undefined;
  #server: Deno.ChildProcess | undefined;

  private constructor(
    programs: string,
    folder: string,
    socketFolder: string,
    user: User | undefined,
  ) {
    this.#programs = programs;
    this.#folder = folder;
    this.#socketFolder = socketFolder;
    this.#user = user;
  }

  /**
   * @param parent folder in which the server's is made; any user has to be able to get there
   * @throws {BenchError} when PostgreSQL is missing, or does not start
   */
  static async start(parent: string): Promise<PostgresServer> {
    const programs = await findPrograms();
    const user = Deno.uid() === 0 ? await unprivilegedUser() : undefined;
    const folder = await Deno.makeTempDir({ dir: parent, prefix: "postgres-" });
    const socketFolder = await Deno.makeTempDir({ prefix: "bench-" });
    const server = new PostgresServer(programs, folder, socketFolder, user);
    try {
      if (user !== undefined) {
        await Deno.chown(folder, user.uid, user.gid);
        await Deno.chown(socketFolder, user.uid, user.gid);
      }
      await server.#start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** `pg_dump (PostgreSQL) 15.1` or the like. */
  async version(): Promise<string> {
    return (await this.#run("pg_dump", ["--version"])).trim();
  }

  /** Runs SQL as the superuser and returns what psql prints, unaligned. */
  async sql(statements: string, database = "postgres"): Promise<string> {
    const flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
    return (await this.#run("psql", [...flags, ...this.#connection(database), "-c", statements]))
      .trim();
  }

  /** Writes `pg_dump -Fc -Z0` of a database to a file. */
  async dump(database: string, path: string): Promise<void> {
    const file = await Deno.open(path, { write: true, create: true, truncate: true });
    const child = this.#command("pg_dump", ["-Fc", "-Z0", ...this.#connection(database)]).spawn();
    const [{ success }, stderr] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
      child.stdout.pipeTo(file.writable),
    ]);
    if (!success) throw new Error(`pg_dump failed:\n${stderr.slice(-2000)}`);
  }

  async #start(): Promise<void> {
    const data = `${this.#folder}/data`;
    await this.#run("initdb", ["-A", "trust", "-U", "postgres", "-E", "UTF8", "-N", data]);
    const settings = [
      "listen_addresses=",
      // What is in it is thrown away with it.
      "fsync=off",
      "full_page_writes=off",
      "synchronous_commit=off",
      "wal_level=minimal",
      "max_wal_senders=0",
      "max_wal_size=4GB",
      // When it runs is a matter of chance, and it decides where changed rows go.
      "autovacuum=off",
    ];
    this.#server = this.#command("postgres", [
      "-D",
      data,
      "-k",
      this.#socketFolder,
      ...settings.flatMap((setting) => ["-c", setting]),
    ]).spawn();
    const stderr = new Response(this.#server.stderr).text();
    const stdout = new Response(this.#server.stdout).text();
    let exited = false;
    this.#server.status.then(() => exited = true);
    for (const deadline = Date.now() + START_TIMEOUT_MS;;) {
      try {
        await this.sql("SELECT 1");
        return;
      } catch (error) {
        // Not listening yet.
        if (exited) {
          throw new BenchError(`PostgreSQL does not start:\n${await stdout}${await stderr}`);
        }
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  #connection(database: string): string[] {
    return ["-h", this.#socketFolder, "-U", "postgres", "-d", database];
  }

  #command(program: string, args: readonly string[]): Deno.Command {
    return new Deno.Command(`${this.#programs}/${program}`, {
      args: [...args],
      cwd: this.#folder,
      clearEnv: true,
      // Sorted and printed alike wherever it runs.
      env: { LC_ALL: "C.UTF-8", TZ: "UTC", PATH: "/usr/bin:/bin" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...this.#user,
    });
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await this.#command(program, args).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`${program} failed:\n${decoder.decode(stderr).slice(-2000)}`);
    return decoder.decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined) {
      try {
        // The "fast" shutdown, which does not wait for clients.
        this.#server.kill("SIGINT");
      } catch (error) {
        // It has ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await this.#server.status;
    }
    await Deno.remove(this.#folder, { recursive: true });
    await Deno.remove(this.#socketFolder, { recursive: true });
  }
}

/** The folder with PostgreSQL's programs: Debian's, the newest; else the one on PATH. */
async function findPrograms(): Promise<string> {
  const debian = "/usr/lib/postgresql";
  const versions: string[] = [];
  try {
    for await (const { name } of Deno.readDir(debian)) versions.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const folders = [
    ...versions.toSorted((a, b) => Number(b) - Number(a)).map((name) => `${debian}/${name}/bin`),
    ...(Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== ""),
  ];
  for (const folder of folders) if (await hasAll(folder)) return folder;
  throw new BenchError(
    'PostgreSQL is missing (initdb, postgres, psql, pg_dump): install the package "postgresql"',
  );
}

async function hasAll(folder: string): Promise<boolean> {
  try {
    await Promise.all(PROGRAMS.map((program) => Deno.stat(`${folder}/${program}`)));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** The user of Debian's package, else the one that owns nothing. */
async function unprivilegedUser(): Promise<User> {
  const users = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  for (const wanted of ["postgres", "nobody"]) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new BenchError('PostgreSQL does not run as root: a user "postgres" or "nobody" is missing');
}
