/**
 * Where an application keeps its caches: `$XDG_CACHE_HOME/<application>`, or else
 * `$HOME/.cache/<application>`.
 *
 * A variable that is not an absolute path is ignored, as the XDG Base Directory Specification
 * asks for.
 *
 * @param application Name of the application, a single path component.
 * @param env Reads an environment variable.
 * @returns An absolute path, which need not exist; undefined when no variable helps.
 *
 * @example The cache of a program named "example"
 * ```ts
 * import { defaultCacheDirectory } from "@opsmill/infrahub-backup/kloset";
 * import { assertEquals } from "@std/assert";
 *
 * const env = (name: string) => name === "HOME" ? "/home/me" : undefined;
 * assertEquals(defaultCacheDirectory("example", env), "/home/me/.cache/example");
 * ```
 */
export function defaultCacheDirectory(
  application: string,
  env: (name: string) => string | undefined,
): string | undefined {
  const caches = env("XDG_CACHE_HOME");
  if (caches?.startsWith("/")) return join(caches, application);
  const home = env("HOME");
  if (home?.startsWith("/")) return join(home, ".cache", application);
  return undefined;
}

function join(directory: string, ...names: string[]): string {
  return [directory.replace(/\/+$/, ""), ...names].join("/");
}
