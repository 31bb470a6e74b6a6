/**
 * How the archive library touches files: archives as an input, bytes read in exact amounts, streams
 * that wait on the disk, files that get their name when they are whole, problems of the operating
 * system in plain words. Nothing of a format belongs here.
 *
 * @module
 */

export { ByteReader } from "./byte_reader.ts";
export { type ArchiveInput, fileInput } from "./input.ts";
export { attempt } from "./problem.ts";
export * from "./spool.ts";
export { TemporaryFile } from "./temporary_file.ts";
export { type ByteStreamReader, chunksOf, transformed } from "./transformed.ts";
