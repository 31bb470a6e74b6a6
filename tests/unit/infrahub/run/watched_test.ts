import { assertEquals } from "@std/assert";
import type { ComponentProgress } from "../../../../src/infrahub/reporter.ts";
import { bytesSource } from "../../../../src/infrahub/dump/bytes_source.ts";
import type { RestoreMaterial } from "../../../../src/infrahub/dump/restorable_dump.ts";
import { watchedMaterial, watchedSources } from "../../../../src/infrahub/run/watched.ts";
import { readAll, recordingReporter } from "../_support.ts";

const BYTES = new TextEncoder().encode("dump");
const { signal } = new AbortController();

/** A reporter, and what it was told of bytes that have passed. */
function watch() {
  const told: ComponentProgress[] = [];
  return {
    told,
    reporter: {
      ...recordingReporter(),
      progress: (progress: ComponentProgress) => void told.push(progress),
    },
  };
}

Deno.test("watchedSources() changes no byte, and tells how many have passed", async () => {
  const { told, reporter } = watch();
  const [source] = watchedSources([bytesSource("postgres", "/prefect.dump", BYTES)], reporter);
  const opened = await source?.open(signal);
  if (opened === undefined) throw new Error("there is no source");
  assertEquals(await readAll(opened.content), BYTES);
  assertEquals(told.at(-1), { component: "postgres", bytes: BYTES.length });
});

Deno.test("watchedMaterial() changes no byte, and leaves what is not there alone", async () => {
  const { told, reporter } = watch();
  const material: RestoreMaterial = {
    backupId: "A",
    infrahubVersion: "1.2.0",
    neo4jEdition: "community",
    neo4j: { name: "neo4j.dump", bytes: BYTES.length, copy: (write) => write(BYTES) },
    postgres: undefined,
    isWhole: true,
  };
  const { neo4j, postgres, ...facts } = watchedMaterial(material, reporter);
  assertEquals([postgres, facts.backupId, facts.isWhole], [undefined, "A", true]);
  const copied: Uint8Array[] = [];
  await neo4j?.copy((bytes) => {
    copied.push(bytes.slice());
    return Promise.resolve();
  }, signal);
  assertEquals(copied, [BYTES]);
  assertEquals([told.at(-1)?.component, told.at(-1)?.bytes], ["neo4j", BYTES.length]);
});
