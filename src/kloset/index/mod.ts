/**
 * What a repository holds and where, in memory, and a cache of it between runs.
 *
 * {@linkcode BlobIndex} is the merged view of all states. {@linkcode IndexCache} keeps it in a
 * local file, so that a run merges only the states it has not seen. The cache is an optimisation
 * and never an authority: what it says is verified, and without it everything works, slower.
 *
 * @module
 */

export * from "./blob_index.ts";
export * from "./cache_directory.ts";
export * from "./index_cache.ts";
