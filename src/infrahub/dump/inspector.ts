import type { PostgresDumpContents } from "./postgres_contents.ts";

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
  /** What is in a dump of PostgreSQL, once its table of contents has passed. */
  readonly postgres?: PostgresDumpContents | undefined;
}

/** What was found out about a complete dump. */
export interface DumpVerdict {
  /** What it is: `PostgreSQL custom-format dump 1.14`. */
  readonly format: string;
  /** What could not be verified, as a sentence; undefined when everything was. */
  readonly limitation?: string;
}

/** What a Neo4j dump is compressed with; only zstd can be loaded from a stream. */
export type Neo4jDumpCompression = "zstd" | "gzip";
