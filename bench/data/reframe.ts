/**
 * Writes a dump of Neo4j Community to standard output as `create` stores it: in frames that
 * deduplicate. The source of a benchmark.
 *
 * ```sh
 * deno run --allow-read bench/data/reframe.ts <file>
 * ```
 *
 * @module
 */

import { reframeDump } from "../../src/infrahub/dump/reframing.ts";

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) throw new TypeError("usage: reframe.ts <dump>");
  const file = await Deno.open(path);
  const reframed = reframeDump(file.readable, (reason) => {
    throw new Error(`The dump cannot be framed anew: ${reason}`);
  });
  await reframed.pipeTo(Deno.stdout.writable);
}
