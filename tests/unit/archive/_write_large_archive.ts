/**
 * Writes an archive of 8 MB that do not compress to the path given; exits 3 when that fails, and
 * prints why. Run by a test under a limit on the size of files.
 *
 * @module
 */

import { writeArchive } from "../../../src/archive/mod.ts";
import { METADATA, noise, streamOf } from "./_support.ts";

const [path = ""] = Deno.args;
const content = noise(8_000_000);
try {
  await writeArchive({
    path,
    metadata: { ...METADATA, components: ["database"] },
    sources: [{ name: "database/a", content: streamOf(content), size: content.length }],
  });
} catch (error) {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
  Deno.exit(3);
}
