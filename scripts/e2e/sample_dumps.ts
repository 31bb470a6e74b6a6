/**
 * Makes real dumps for measuring deduplication, kept in the cache folder and not in git:
 *
 * ```sh
 * deno run -A scripts/e2e/sample_dumps.ts [nodes]     # 120000 when left out
 * ```
 *
 * | file | what |
 * | --- | --- |
 * | `neo4j-1.dump` | Community dump of a graph of `nodes` attribute values, as `--to-stdout` gives it |
 * | `neo4j-2.dump` | the same database after 1 % of the values was changed |
 * | `neo4j-1-again.dump` | a second dump of the first state, with nothing changed but a restart |
 * | `prefect-1.dump`, `prefect-2.dump` | `pg_dump -Fc -Z0` of `nodes` flow runs, before and after 1 % changed |
 *
 * Prints their paths, one a line. An existing set is kept; `--again` makes it anew.
 *
 * @module
 */

import { Deployment } from "../../tests/e2e/deployment.ts";
import { cypher, neo4jReady, seedNeo4j } from "../../tests/e2e/neo4j.ts";
import { postgresReady, seedPostgres, sql } from "../../tests/e2e/postgres.ts";
import { holdNeo4j } from "../../tests/e2e/hold.ts";
import { cacheFolder, StackError } from "./stack.ts";

const FILES = [
  "neo4j-1.dump",
  "neo4j-1-again.dump",
  "neo4j-2.dump",
  "prefect-1.dump",
  "prefect-2.dump",
] as const;

/** Where the dumps are. */
export function sampleDumps(): string {
  return `${cacheFolder()}/dumps`;
}

async function dumpNeo4j(deployment: Deployment, path: string): Promise<void> {
  {
    await using _held = await holdNeo4j(deployment);
    const dump = ["neo4j-admin", "database", "dump", "--to-stdout", "neo4j"];
    await Deno.writeFile(path, (await deployment.exec("database", dump)).stdout);
  }
  await neo4jReady(deployment);
}

async function dumpPostgres(deployment: Deployment, path: string): Promise<void> {
  const dump = ["pg_dump", "-Fc", "-Z0", "-h", "localhost", "-U", "postgres", "-d", "prefect"];
  const { stdout } = await deployment.exec("task-manager-db", dump, {
    env: { PGPASSWORD: deployment.passwords.postgres },
  });
  await Deno.writeFile(path, stdout);
}

/** Makes the dumps. @throws {StackError} when the test bed cannot be had. */
export async function makeSampleDumps(nodes: number): Promise<void> {
  const folder = sampleDumps();
  await Deno.mkdir(folder, { recursive: true });
  await using deployment = await Deployment.start();
  await postgresReady(deployment);
  await seedPostgres(deployment, nodes);
  await dumpPostgres(deployment, `${folder}/prefect-1.dump`);
  await sql(
    deployment,
    "UPDATE flow_run SET note = 'changed', ratio = ratio + 1 WHERE id % 100 = 0;",
  );
  await dumpPostgres(deployment, `${folder}/prefect-2.dump`);
  await neo4jReady(deployment);
  await seedNeo4j(deployment, nodes);
  await dumpNeo4j(deployment, `${folder}/neo4j-1.dump`);
  await dumpNeo4j(deployment, `${folder}/neo4j-1-again.dump`);
  await cypher(
    deployment,
    "MATCH (v:AttributeValue) WHERE v.number % 100 = 0 SET v.value = randomUUID(), v.ratio = v.ratio + 1",
  );
  await dumpNeo4j(deployment, `${folder}/neo4j-2.dump`);
}

async function haveAll(): Promise<boolean> {
  try {
    await Promise.all(FILES.map((name) => Deno.stat(`${sampleDumps()}/${name}`)));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function say(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  stream.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) {
  const again = Deno.args.includes("--again");
  const nodes = Number(Deno.args.find((arg) => arg !== "--again") ?? "120000");
  if (!Number.isInteger(nodes) || nodes < 1000) {
    say(Deno.stderr, "usage: sample_dumps.ts [nodes, at least 1000] [--again]");
    Deno.exit(2);
  }
  try {
    if (again || !await haveAll()) await makeSampleDumps(nodes);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    say(Deno.stderr, error.message);
    Deno.exit(1);
  }
  for (const name of FILES) say(Deno.stdout, `${sampleDumps()}/${name}`);
}
