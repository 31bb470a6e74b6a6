/** The graph database of a test deployment: filling it and reading all of it back. */

import { createHash } from "node:crypto";
import { type Deployment, waitUntil } from "./deployment.ts";

const BATCH = 5000;

/** What is needed of a deployment: where its server is, and what opens it. */
export type Neo4jServer = Pick<Deployment, "address" | "passwords">;

interface Answer {
  readonly results: { readonly data: { readonly row: unknown[] }[] }[];
  readonly errors: { readonly code: string; readonly message: string }[];
}

/** Runs one statement by HTTP, in a transaction of its own. @throws {Error} with Neo4j's message. */
export async function cypher(
  deployment: Neo4jServer,
  statement: string,
  parameters: Record<string, unknown> = {},
): Promise<unknown[][]> {
  const address = await deployment.address("database");
  if (address === undefined) throw new Error('Service "database" does not run');
  const response = await fetch(`http://${address}:7474/db/neo4j/tx/commit`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`neo4j:${deployment.passwords.neo4j}`)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ statements: [{ statement, parameters }] }),
  });
  const body = await response.text();
  if (!response.ok && !body.startsWith("{")) throw new Error(`Neo4j: ${response.status} ${body}`);
  const answer = JSON.parse(body) as Answer;
  const error = answer.errors[0];
  if (error !== undefined) throw new Error(`Neo4j: ${error.code}: ${error.message}`);
  return answer.results[0]?.data.map((row) => row.row) ?? [];
}

/**
 * Whether the server speaks Bolt right now, as the tool has to leave it. HTTP, which the tests use,
 * comes a few seconds later.
 */
export async function speaksBolt(deployment: Neo4jServer): Promise<boolean> {
  const hostname = await deployment.address("database");
  if (hostname === undefined) return false;
  // The preamble, and the versions 5.0 and 4.4; the answer is the one that is taken.
  const greeting = [0x60, 0x60, 0xb0, 0x17, 0, 0, 0, 5, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0];
  try {
    using connection = await Deno.connect({ hostname, port: 7687 });
    await connection.write(Uint8Array.from(greeting));
    return await connection.read(new Uint8Array(4)) === 4;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Waits until the database answers a query. */
export async function neo4jReady(deployment: Neo4jServer): Promise<void> {
  await waitUntil("Neo4j", async () => {
    try {
      await cypher(deployment, "RETURN 1");
      return true;
    } catch (error) {
      // Not listening yet (TypeError of fetch), not running, or still starting the database.
      if (error instanceof Error) return false;
      throw error;
    }
  });
}

/**
 * Adds a graph like Infrahub's: `nodes` attribute values, each with a few properties of different
 * types, related to a smaller number of other nodes, and one `:Root`. The same arguments make the
 * same graph.
 */
export async function seedNeo4j(deployment: Neo4jServer, nodes: number, seed = "a"): Promise<void> {
  await cypher(deployment, "CREATE INDEX value IF NOT EXISTS FOR (n:AttributeValue) ON (n.value)");
  await cypher(deployment, "CREATE INDEX device IF NOT EXISTS FOR (n:Device) ON (n.id)");
  await cypher(deployment, "CALL db.awaitIndexes(60)");
  await cypher(
    deployment,
    "MERGE (root:Root {uuid: '11111111-2222-4333-8444-555555555555'}) SET root.seed = $seed, root.graph_version = 49",
    { seed },
  );
  for (let from = 0; from < nodes; from += BATCH) {
    const rows = [];
    for (let index = from; index < Math.min(nodes, from + BATCH); index++) {
      rows.push({
        id: `${seed}-${index}`,
        device: `${seed}-${Math.floor(index / 10)}`,
        value: hex(`${seed}/${index}`),
        number: index,
        ratio: index / 7,
        text: `Gerät "${index}" — \n${"x".repeat(index % 97)}`,
      });
    }
    await cypher(
      deployment,
      `UNWIND $rows AS row
       MERGE (d:Node:Device {id: row.device})
       CREATE (v:AttributeValue {id: row.id, value: row.value, number: toInteger(row.number),
         ratio: row.ratio, text: row.text, tags: [row.device, row.seed], even: row.number % 2 = 0})
       CREATE (d)-[:HAS_VALUE {from: row.id, branch: 'main'}]->(v)`,
      { rows: rows.map((row) => ({ ...row, seed })) },
    );
  }
}

function hex(input: string): string {
  return createHash("sha256").update(input).digest("hex");
}

/** Sorts the keys of every object, so that equal values have equal texts. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, canonical(v)]),
  );
}

/**
 * Everything in the database, one line per node, relationship and index, sorted: two databases are
 * equal when their lines are.
 */
export async function readAllNodes(deployment: Neo4jServer): Promise<string[]> {
  const nodes = await cypher(deployment, "MATCH (n) RETURN id(n), labels(n), properties(n)");
  const relationships = await cypher(
    deployment,
    "MATCH (a)-[r]->(b) RETURN id(a), id(b), type(r), properties(r)",
  );
  const indexes = await cypher(
    deployment,
    "SHOW INDEXES YIELD name, state, labelsOrTypes, properties RETURN name, state, labelsOrTypes, properties",
  );
  const lines = [
    ...nodes.map((row) => ["node", ...row]),
    ...relationships.map((row) => ["relationship", ...row]),
    ...indexes.map((row) => ["index", ...row]),
  ];
  return lines.map((line) => JSON.stringify(canonical(line))).toSorted();
}
