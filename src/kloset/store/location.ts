import { resolve } from "node:path";
import { mistakeInPath } from "../../files/mod.ts";
import { UnsupportedLocationError } from "../errors.ts";
import { FileSystemStore } from "./file_system.ts";
import { S3Store } from "./s3.ts";
import type { S3Settings } from "../../s3/mod.ts";
import type { Store } from "./store.ts";

/**
 * The store of a location: a path, `fs:path` or `fs://path`; relative paths start at the
 * working directory. Or an `s3://` location, see `parseS3Location` of `src/s3`.
 *
 * Opens nothing yet. Texts that nobody means, such as `~/backups` where no shell has expanded it, are
 * refused: a repository in a folder `~` would be found by nobody when it is needed.
 *
 * @param s3 how S3 is reached
 * @throws {UnsupportedLocationError} the location is empty, malformed, or has another scheme
 *
 * @example A directory
 * ```ts
 * import { openStore } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(openStore("/var/backups/infrahub").location, "fs:///var/backups/infrahub");
 * ```
 */
export function openStore(location: string, s3: S3Settings = {}): Store {
  // At least two letters: "C:" is a drive.
  const match = /^([a-z][a-z0-9+.-]+):(?:\/\/)?(.*)$/is.exec(location);
  const scheme = match?.[1] ?? "fs";
  const path = match?.[2] ?? location;
  if (scheme.toLowerCase() === "s3") return new S3Store(location, s3);
  if (scheme !== "fs") {
    throw new UnsupportedLocationError(`backend '${scheme}' does not exist`);
  }
  if (path === "") throw new UnsupportedLocationError("The repository location is empty");
  const mistake = mistakeInPath(path) ?? (path === location ? mistakeInHost(path) : undefined);
  if (mistake !== undefined) {
    throw new UnsupportedLocationError(`Cannot use ${JSON.stringify(location)}: ${mistake}`);
  }
  if (path.endsWith(".ptar")) {
    throw new UnsupportedLocationError(`Cannot use "${path}": ptar archives are not supported`);
  }
  return new FileSystemStore(resolve(path));
}

/** What looks like a place on another host, as rsync and ssh have it, or a scheme with a mistake. */
function mistakeInHost(path: string): string | undefined {
  if (/^[A-Za-z]:/.test(path) && Deno.build.os === "windows") return undefined;
  return /^[^/.][^/]*:/.test(path)
    ? "it looks like a place on another host, or a scheme that there is not; mount the place, or " +
      "write ./ before it if it is a folder"
    : undefined;
}
