import { CustomDumpInspector } from "./_custom_dump_inspector.ts";
import { Neo4jDumpInspector } from "./_neo4j_dump_inspector.ts";
import { observedStream } from "./_observed_stream.ts";
import { TarInspector } from "./_tar_inspector.ts";
import type { Component, Neo4jEdition } from "../component.ts";
import type { DumpInspector, DumpVerdict, Neo4jDumpCompression } from "./inspector.ts";

/** The inspector for a component's record. */
export function dumpInspector(
  component: Exclude<Component, "metadata">,
  edition: Neo4jEdition,
): DumpInspector {
  if (component === "postgres") return new CustomDumpInspector();
  if (component === "storage") return storageInspector();
  return edition === "community" ? new Neo4jDumpInspector() : new TarInspector();
}

/** The inspector for a record of which nothing but the path is known; undefined for other files. */
export function dumpInspectorFor(recordPath: string): DumpInspector | undefined {
  if (recordPath.endsWith("storage.tar")) return storageInspector();
  if (recordPath.endsWith(".tar")) return new TarInspector();
  if (recordPath.endsWith("prefect.dump")) return new CustomDumpInspector();
  return recordPath.endsWith(".dump") ? new Neo4jDumpInspector() : undefined;
}

/** A deployment may have no objects yet. */
function storageInspector(): DumpInspector {
  return new TarInspector("the tar of the stored objects", true);
}

/**
 * Tells by its first bytes, at least 8, what a Neo4j dump is compressed with; undefined when it is
 * no such dump.
 */
export function neo4jDumpCompression(start: Uint8Array): Neo4jDumpCompression | undefined {
  return Neo4jDumpInspector.compression(start);
}

/**
 * Passes bytes on and looks at them. The stream fails with the inspector's error instead of ending
 * when the dump is not complete, so that nothing that ends normally is half a dump.
 *
 * @param onVerdict told once, before the stream ends
 */
export function inspectDump(
  content: ReadableStream<Uint8Array>,
  inspector: DumpInspector,
  onVerdict: (verdict: DumpVerdict) => void = () => {},
): ReadableStream<Uint8Array> {
  return observedStream(content, {
    observe: (bytes) => inspector.observe(bytes),
    finish: () => onVerdict(inspector.finish()),
  });
}
