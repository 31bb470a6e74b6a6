/**
 * Servers of PostgreSQL, each with folders of its own: on loopback, on a socket, or both, with TLS or
 * without.
 *
 * @module
 */

/** How a server is reached. */
export interface RealServerOptions {
  /** Told by a table of its database, so that one knows where one is. */
  readonly name: string;
  readonly port: number;
  /** Whether it listens on 127.0.0.1 besides its socket. */
  readonly isOnTcp: boolean;
  /** Folder of its socket; one of its own when not given. */
  readonly socketFolder?: string;
  /** Lines of `pg_hba.conf`; a password over TCP and trust on the socket when not given. */
  readonly hba?: string;
  /** Folder with `server.crt`, `server.key` and `ca.crt`: it speaks TLS. */
  readonly tlsFolder?: string;
}

const VERSIONS = "/usr/lib/postgresql";
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

/** The folder with the programs of the newest PostgreSQL that is installed. */
export function programsFolder(): string {
  const [newest] = [...Deno.readDirSync(VERSIONS)].map(({ name }) => Number(name))
    .filter((version) => !Number.isNaN(version)).toSorted((a, b) => b - a);
  return `${VERSIONS}/${newest}/bin`;
}

/** The password of the role `prefect`, with every character that has a meaning somewhere. */
export const PASSWORD = "S3cret/pa?rt&#%=+ ä";

/** A running server, ended with it. */
export class RealServer implements AsyncDisposable {
  readonly port: number;
  readonly socketFolder: string;
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;

  private constructor(
    { port }: RealServerOptions,
    folder: string,
    socketFolder: string,
    child: Deno.ChildProcess,
  ) {
    this.port = port;
    this.socketFolder = socketFolder;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts a server with a role and a database `prefect`. */
  static async start(options: RealServerOptions): Promise<RealServer> {
    const folder = await Deno.makeTempDir({ prefix: "postgres-test-" });
    await Deno.chmod(folder, 0o755);
    const socketFolder = options.socketFolder ?? `${folder}/socket`;
    await Deno.mkdir(`${folder}/tablespace`);
    await Deno.mkdir(socketFolder, { recursive: true });
    if (Deno.uid() === 0) {
      for (const path of [folder, `${folder}/tablespace`, socketFolder]) {
        await run(["chown", "postgres:", path]);
      }
    }
    const data = `${folder}/data`;
    const encoding = ["-E", "UTF8", "--no-locale", "-N"];
    await run([...asServerUser(`${programsFolder()}/initdb`), "-U", "postgres", ...encoding, data]);
    const hba = options.hba ?? "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    await Deno.writeTextFile(`${data}/pg_hba.conf`, hba);
    const tls = options.tlsFolder;
    if (tls !== undefined) {
      for (const name of ["server.crt", "server.key", "ca.crt"]) {
        await Deno.copyFile(`${tls}/${name}`, `${data}/${name}`);
        await Deno.chmod(`${data}/${name}`, 0o600);
        if (Deno.uid() === 0) await run(["chown", "postgres:", `${data}/${name}`]);
      }
    }
    const settings = {
      port: options.port,
      unix_socket_directories: socketFolder,
      listen_addresses: options.isOnTcp ? "127.0.0.1" : "",
      fsync: "off",
      wal_level: "logical",
      max_prepared_transactions: 5,
      ...(tls === undefined ? {} : { ssl: "on", ssl_ca_file: "ca.crt" }),
    };
    const [program = "", ...args] = [
      ...asServerUser(`${programsFolder()}/postgres`),
      "-D",
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    const child = new Deno.Command(program, {
      args,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new RealServer(options, folder, socketFolder, child);
    try {
      await server.#untilReady();
      await server.sql(`CREATE ROLE prefect LOGIN CREATEDB PASSWORD '${PASSWORD}'`);
      await server.sql("CREATE DATABASE prefect OWNER prefect");
      const mark = `CREATE TABLE marker AS SELECT 'on-${options.name}' AS name`;
      await server.sql(`SET ROLE prefect; ${mark}`, "prefect");
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** A folder of its own that the server may write to. */
  get tablespaceFolder(): string {
    return `${this.#folder}/tablespace`;
  }

  /** Arguments that lead the superuser to it. */
  get arguments(): string[] {
    return ["-h", this.socketFolder, "-p", `${this.port}`, "-U", "postgres"];
  }

  /** Runs SQL as the superuser; rows are lines. */
  async sql(statements: string, database = "postgres"): Promise<string> {
    const flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
    const command = [`${programsFolder()}/psql`, ...flags, ...this.arguments, "-d", database];
    return (await run([...command, "-c", statements])).trim();
  }

  /** What is in the table that tells which server this is; fails where there is no such database. */
  marker(database = "prefect"): Promise<string> {
    return this.sql("SELECT name FROM marker", database);
  }

  async #untilReady(): Promise<void> {
    for (const deadline = Date.now() + START_TIMEOUT_MS;;) {
      try {
        await this.sql("SELECT 1");
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The "fast" shutdown. Through runuser the signal has to be sent to its child, by its own file.
    const file = await Deno.readTextFile(`${this.#folder}/data/postmaster.pid`).catch(() => "");
    const pid = Number(file.split("\n")[0]);
    if (pid > 0) Deno.kill(pid, "SIGINT");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** PostgreSQL does not run as root. */
function asServerUser(program: string): string[] {
  return Deno.uid() === 0 ? ["runuser", "-u", "postgres", "--", program] : [program];
}

/** Runs a program with an empty environment but for `env`; returns what it prints. */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    clearEnv: true,
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${argv.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Ports that nobody listens on. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
