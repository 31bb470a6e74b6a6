/**
 * The programs of a whole, real Infrahub deployment on this machine, without containers: Infrahub and
 * Prefect from Python's packages, Neo4j Community from its jars, and PostgreSQL, Redis and RabbitMQ
 * from Debian's.
 *
 * ```sh
 * deno run -A scripts/infrahub/programs.ts    # installs what is missing; prints where each is
 * ```
 *
 * Needs Debian, root, Python 3.12 or newer and the package registries; on a fresh machine some three
 * minutes and a gigabyte. What it makes is kept in the cache folder of `scripts/peers.ts`, under
 * `infrahub`, and complete or not there. Nothing is started.
 *
 * @module
 */

import { report, run, StackError } from "../e2e/command.ts";
import { exclusively } from "../e2e/folders.ts";
import { neo4jJars } from "../e2e/images.ts";
import { HOST_PACKAGES, installPackages } from "../e2e/programs.ts";
import { infrahubFolder } from "./folder.ts";
import { infrahubEnvironment, java21 } from "./python.ts";

export { INFRAHUB_VERSION } from "./python.ts";

/** Releases of Neo4j Community: what Infrahub 1.11.9 comes with, and the long-term line before. */
export const NEO4J_VERSIONS = ["2026.05.0", "5.26.12"] as const;

/** One of {@linkcode NEO4J_VERSIONS}. */
export type Neo4jVersion = typeof NEO4J_VERSIONS[number];

const NEWEST_POM = new URL("neo4j-2026.05.0.xml", import.meta.url).pathname;

/** Debian packages by a program that each brings. */
const PACKAGES: Readonly<Record<string, string>> = {
  ...HOST_PACKAGES,
  "redis-server": "redis-server",
  "redis-cli": "redis-tools",
  "rabbitmqctl": "rabbitmq-server",
  "git": "git",
};

/** Where the programs of a deployment are. */
export interface Programs {
  /** A Python environment: `bin/infrahub`, `bin/infrahubctl`, `bin/prefect`, `bin/python`. */
  readonly python: string;
  /** Folder of the server's jars. */
  readonly serverJars: string;
  /** Folder of jars with those of the shell. */
  readonly shellJars: string;
  /** The home of the Java for Neo4j; undefined when that on PATH will do. */
  readonly javaHome: string | undefined;
}

/**
 * Sees to it that everything is there.
 *
 * @throws {StackError} when the machine lacks something that cannot be installed here.
 */
export async function installPrograms(neo4j: Neo4jVersion): Promise<Programs> {
  return await exclusively(async () => {
    await installPackages(PACKAGES);
    const python = await infrahubEnvironment();
    const shellJars = await neo4jJars();
    if (neo4j === "5.26.12") {
      return { python, serverJars: shellJars, shellJars, javaHome: undefined };
    }
    // The shell of 5.26 talks to this server as well.
    const serverJars = await neo4jJars(NEWEST_POM);
    return { python, serverJars, shellJars, javaHome: await java21() };
  }, infrahubFolder());
}

async function main(): Promise<void> {
  const start = performance.now();
  for (const version of NEO4J_VERSIONS) {
    const { python, serverJars, shellJars, javaHome } = await installPrograms(version);
    const folders = [python, serverJars, shellJars, ...javaHome === undefined ? [] : [javaHome]];
    const sizes = await run("du", ["-shD", ...new Set(folders)]);
    Deno.stdout.writeSync(new TextEncoder().encode(`With Neo4j ${version}:\n${sizes}`));
  }
  report(`done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    report(error.message);
    Deno.exit(1);
  }
}
