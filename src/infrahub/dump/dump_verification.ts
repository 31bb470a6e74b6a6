import { CustomDumpInspector } from "./_custom_dump_inspector.ts";
import { Neo4jDumpInspector } from "./_neo4j_dump_inspector.ts";
import { observedStream } from "./_observed_stream.ts";
import { TarInspector } from "./_tar_inspector.ts";
import type { Component, Neo4jEdition } from "../component.ts";
import { DamagedDumpError } from "./damaged_dump_error.ts";

/** Looks at a dump's bytes while they pass. */
export interface DumpInspector {
  /**
   * Takes the next bytes; they may be reused afterwards.
   *
   * @throws {DamagedDumpError} when they cannot be part of such a dump
   */
  observe(bytes: Uint8Array): void;
  /**
   * To be asked after the last byte.
   *
   * @throws {DamagedDumpError} when the dump is empty, or not complete
   */
  finish(): DumpVerdict;
}

/** What was found out about a complete dump. */
export interface DumpVerdict {
  /** What it is: `PostgreSQL custom-format dump 1.14`. */
  readonly format: string;
  /** What could not be verified, as a sentence; undefined when everything was. */
  readonly limitation?: string;
}

/** The inspector for a component's record. */
export function dumpInspector(
  component: Exclude<Component, "metadata">,
  edition: Neo4jEdition,
): DumpInspector {
  if (component === "postgres") return new CustomDumpInspector();
  return edition === "community" ? new Neo4jDumpInspector() : new TarInspector();
}

/** The inspector for a record of which nothing but the path is known; undefined for other files. */
export function dumpInspectorFor(recordPath: string): DumpInspector | undefined {
  if (recordPath.endsWith(".tar")) return new TarInspector();
  if (recordPath.endsWith("prefect.dump")) return new CustomDumpInspector();
  return recordPath.endsWith(".dump") ? new Neo4jDumpInspector() : undefined;
}

/** What a Neo4j dump is compressed with; only zstd can be loaded from a stream. */
export type Neo4jDumpCompression = "zstd" | "gzip";

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

export { DamagedDumpError };
