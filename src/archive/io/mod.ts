/**
 * How the archive library touches files: bytes read in exact amounts, files that get their name when
 * they are whole, problems of the operating system in plain words. Nothing of a format belongs here.
 *
 * @module
 */

export { ByteReader } from "./byte_reader.ts";
export { baseNameOf, directoryOf, exists, randomName, syncDirectory, writeAll } from "./files.ts";
export { attempt, problemOf } from "./problem.ts";
export { TemporaryFile } from "./temporary_file.ts";
export { type ByteStreamReader, chunksOf, transformed } from "./transformed.ts";
