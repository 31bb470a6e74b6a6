/** What the second backup of a real Neo4j Community database adds, and whether Neo4j loads it. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { backupOf, PLAKAR } from "./backends.ts";
import { ComposeBed } from "./compose_bed.ts";
import type { Deployment } from "./deployment.ts";
import { cypher } from "./neo4j.ts";
import { runToolOk } from "./tool.ts";

/** Large beside what every dump has anew, some ten chunks of 1 MiB: times of files, counters. */
const TEXTS = 24_000;
/** UUIDs in a text of 7,200 characters. */
const UUIDS = 200;
const TEXT_BYTES = TEXTS * UUIDS * 36;
const BATCH = 1_000;
/** Of the bytes that the first backup adds. */
const MOST_ADDED = 0.05;

/** Re-framing needs Zstandard, which the runtime of the tests' executable lacks. */
const SOURCES = { sources: true };

interface Counts {
  readonly component: string;
  readonly bytes_read: number;
  readonly bytes_new: number;
  readonly bytes_stored: number;
}

/** Made by the server, which is faster than sending them. */
async function addTexts(deployment: Deployment): Promise<void> {
  for (let from = 0; from < TEXTS; from += BATCH) {
    await cypher(
      deployment,
      `UNWIND range($from, $to - 1) AS number
       CREATE (:Text {
         number: number,
         text: reduce(text = '', i IN range(1, $uuids) | text + randomUUID())
       })`,
      { from, to: from + BATCH, uuids: UUIDS },
    );
  }
}

/** A digest of all nodes and relationships, with their ids. */
async function digestOf(deployment: Deployment): Promise<string> {
  const digest = createHash("sha256");
  const [[end = 0] = []] = await cypher(deployment, "MATCH (n) RETURN max(id(n)) + 1");
  for (let from = 0; from < Number(end); from += BATCH) {
    const nodes = await cypher(
      deployment,
      `MATCH (n) WHERE id(n) >= $from AND id(n) < $to
       RETURN id(n), labels(n), properties(n) ORDER BY id(n)`,
      { from, to: from + BATCH },
    );
    digest.update(JSON.stringify(nodes));
  }
  const relationships = await cypher(
    deployment,
    "MATCH (a)-[r]->(b) RETURN id(r), id(a), id(b), type(r), properties(r) ORDER BY id(r)",
  );
  return digest.update(JSON.stringify(relationships)).digest("hex");
}

function countsOf(stdout: string): Counts {
  const { components } = JSON.parse(stdout) as { readonly components: readonly Counts[] };
  const counts = components.find(({ component }) => component === "neo4j");
  if (counts === undefined) throw new Error(`No neo4j component in ${stdout}`);
  return counts;
}

Deno.test("a second dump of a real Neo4j Community database adds what has changed, and is loaded", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using bed = await ComposeBed.start();
    const { deployment } = bed;
    await bed.seed("reframing");
    await addTexts(deployment);
    const first = countsOf((await runToolOk(bed, PLAKAR.create(folder), SOURCES)).stdout);
    assert(first.bytes_read > TEXT_BYTES, "the dump is stored without its compression");

    // 1 % of the texts, side by side.
    const from = TEXTS / 2;
    await cypher(
      deployment,
      "MATCH (t:Text) WHERE t.number >= $from AND t.number < $to SET t.text = reverse(t.text)",
      { from, to: from + TEXTS / 100 },
    );
    const changed = await digestOf(deployment);
    const { stdout } = await runToolOk(bed, PLAKAR.create(folder), SOURCES);
    const second = countsOf(stdout);
    const figures = JSON.stringify({ first, second });
    assert(second.bytes_stored <= MOST_ADDED * first.bytes_stored, figures);

    await cypher(deployment, "MATCH (n) WHERE id(n) % 7 = 0 DETACH DELETE n");
    assertNotEquals(await digestOf(deployment), changed);
    await runToolOk(bed, PLAKAR.restore(folder, backupOf(PLAKAR, stdout)), SOURCES);
    await bed.assertBackToNormal();
    assertEquals(await digestOf(deployment), changed);
    await PLAKAR.assertSound(bed, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
