/**
 * The tar inside an archive: which names its entries may have, their order, what they are made from,
 * and scanning them. What the entries mean (metadata, checksums), and encryption, belong elsewhere.
 *
 * @module
 */

export { entryNameProblem, normalizeEntryName, parentsOf } from "./entry_name.ts";
export { comparePaths, compareText } from "./order.ts";
export { scanEntries, type ScannedEntry, type ScanOptions } from "./scan.ts";
export { attributesOf, withSource } from "./source_reader.ts";
export {
  type ArchiveSource,
  type PathSource,
  planEntries,
  type PlannedDirectory,
  type PlannedFile,
  type SourceAttributes,
  type StreamSource,
} from "./sources.ts";
