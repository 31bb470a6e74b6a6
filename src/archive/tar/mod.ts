/**
 * The tar.gz inside an archive: names and order of its entries, packing, scanning and extracting.
 * Encryption, metadata and checksums belong to the rooms and files around it.
 *
 * @module
 */

export { ArchiveOutput } from "./archive_output.ts";
export { entryNameProblem, normalizeEntryName, parentsOf } from "./entry_name.ts";
export { extract } from "./extract.ts";
export { comparePaths, compareText } from "./order.ts";
export { openGzip } from "./plain_gzip.ts";
export { scanEntries, type ScannedEntry, type ScanOptions } from "./scan.ts";
export { attributesOf, withSource } from "./source_reader.ts";
