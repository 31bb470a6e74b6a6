/**
 * Where a repository's files live: the contract that every store keeps, and the stores.
 *
 * A store knows names, bytes and durability, and nothing of what the bytes mean.
 *
 * @module
 */

export * from "./store.ts";
export * from "./file_system.ts";
export * from "./location.ts";
export * from "./s3.ts";
