/** Asks for the versions of psql, which comes with the other programs, and of the server. */
export const VERSION_QUERIES: readonly string[] = [
  "\\echo :VERSION_NUM",
  "SELECT current_setting('server_version_num')",
];

/** Major versions; undefined for what was not told. */
export interface PostgresVersions {
  readonly programs: number | undefined;
  readonly server: number | undefined;
}

/** Reads what {@linkcode VERSION_QUERIES} have answered. */
export function readVersions(output: string): PostgresVersions {
  const [programs, server] = output.split("\n").map((line) =>
    /^\d{5,6}$/.test(line.trim()) ? Math.floor(Number(line) / 10_000) : undefined
  );
  return { programs, server };
}

/** The newest archive format, as minor version of 1, that the programs of a version read. */
export function newestArchiveFormat(programs: number): number {
  if (programs >= 17) return 16;
  if (programs === 16) return 15;
  if (programs >= 12) return 14;
  return programs >= 10 ? 13 : 12;
}

/** The oldest version whose programs read an archive format. */
export function readerOfArchiveFormat(minor: number): string {
  if (minor > 16) return "newer than 18";
  if (minor === 16) return "17";
  if (minor === 15) return "16";
  return "12";
}
