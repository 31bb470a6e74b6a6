import { Deployment } from "../../tests/e2e/deployment.ts";
import { cypher, neo4jReady, seedNeo4j } from "../../tests/e2e/neo4j.ts";
import { hasCompose } from "../../scripts/e2e/programs.ts";
import { imageArchive } from "../../scripts/e2e/images.ts";
import { run } from "../../scripts/e2e/stack.ts";
import { BenchError } from "../bench_error.ts";
import { type Change, type DataSet, streamOf } from "./data_set.ts";

const SERVICE = "database";
const IMAGE = "e2e/neo4j";

const CHANGES = [
  {
    name: "scattered",
    title: "1 % of the nodes changed, every hundredth",
    where: () => "v.number % 100 = 50",
  },
  {
    name: "clustered",
    title: "1 % of the nodes changed, side by side",
    where: (nodes: number) =>
      `v.number >= ${Math.floor(nodes / 2)} AND v.number < ${Math.floor(nodes / 2 + nodes / 100)}`,
  },
];

/** So that each change is made to the first state. */
const KEEP = "mkdir /data/kept && cp -a /data/databases /data/transactions /data/kept/";
const BRING_BACK = "rm -r /data/databases /data/transactions && " +
  "cp -a /data/kept/databases /data/kept/transactions /data/";

/**
 * The files of a real Neo4j Community store as a tar, and its dump by `neo4j-admin`, before and
 * after one percent of the nodes was changed; out of the test bed of `scripts/e2e`.
 *
 * @param nodes how many values the graph has
 * @returns the store and the dump
 * @throws {BenchError} when the test bed has not been made
 */
export async function makeNeo4jData(
  folder: string,
  nodes: number,
): Promise<{ store: DataSet; dump: DataSet }> {
  // Here it is only used; to make it takes some minutes and changes the machine.
  if (Deno.uid() !== 0 || await imageArchive() === undefined || !await hasCompose()) {
    throw new BenchError(
      "The test bed with Neo4j is missing: as root, run deno run -A scripts/e2e/stack.ts images",
    );
  }
  await using deployment = await Deployment.start();
  await neo4jReady(deployment);
  await seedNeo4j(deployment, nodes);
  await whileStopped(deployment, async (beside) => {
    await copy(beside, `${folder}/neo4j-1`);
    await beside("sh", ["-c", KEEP]);
  });
  const stores: Change[] = [];
  const dumps: Change[] = [];
  for (const { name, title, where } of CHANGES) {
    await cypher(
      deployment,
      `MATCH (v:AttributeValue) WHERE ${where(nodes)} ` +
        "SET v.value = randomUUID(), v.ratio = v.ratio + 1",
    );
    const path = `${folder}/neo4j-2-${name}`;
    await whileStopped(deployment, async (beside) => {
      await copy(beside, path);
      await beside("sh", ["-c", BRING_BACK]);
    });
    stores.push({ name, title, stream: await streamOf(`${path}.tar`) });
    dumps.push({ name, title, stream: await streamOf(`${path}.dump`) });
  }
  return {
    store: {
      name: "neo4j-store",
      title: "Files of a Neo4j store as a tar",
      kind: "neo4j-tar",
      first: await streamOf(`${folder}/neo4j-1.tar`),
      changes: stores,
    },
    dump: {
      name: "neo4j-dump",
      title: "Dump of Neo4j Community",
      kind: "neo4j-dump",
      first: await streamOf(`${folder}/neo4j-1.dump`),
      changes: dumps,
    },
  };
}

/** Runs a program that sees the database's files, its output going to a file if one is named. */
type RunBeside = (program: string, args: readonly string[], stdoutFile?: string) => Promise<void>;

/** Stops the server, so that its files are not in use, and starts it again. */
async function whileStopped(
  deployment: Deployment,
  use: (beside: RunBeside) => Promise<void>,
): Promise<void> {
  const id = await deployment.container(SERVICE);
  await deployment.docker(["stop", id]);
  await use(async (program, args, stdoutFile) => {
    const flags = ["--rm", "--network=none", `--volumes-from=${id}`, `--entrypoint=${program}`];
    await run("docker", ["run", ...flags, IMAGE, ...args], {
      env: { ...deployment.environment },
      ...(stdoutFile === undefined ? {} : { stdoutFile }),
    });
  });
  await deployment.docker(["start", id]);
  await neo4jReady(deployment);
}

/** Copies the database's files, and dumps it. */
async function copy(beside: RunBeside, path: string): Promise<void> {
  // Stable order, as of an Enterprise backup that the program of this repository makes a tar of.
  const tar = ["--sort=name", "-C", "/data/databases", "-cf", "-", "neo4j"];
  await beside("tar", tar, `${path}.tar`);
  await beside("neo4j-admin", ["database", "dump", "--to-stdout", "neo4j"], `${path}.dump`);
}
