/** Asks for the versions of psql, which comes with the other programs, and of the server. */
export const VERSION_QUERIES: readonly string[] = [
  "\\echo :VERSION_NUM",
  "SELECT current_setting('server_version_num')",
];

/** Undefined for what was not told. */
export interface PostgresVersions {
  /** Major version. */
  readonly programs: number | undefined;
  /** Major version. */
  readonly server: number | undefined;
  /** Whole version, as `15.13`. */
  readonly serverVersion: string | undefined;
}

/** Reads what {@linkcode VERSION_QUERIES} have answered. */
export function readVersions(output: string): PostgresVersions {
  const [programs, server] = output.split("\n").map((line) =>
    /^\d{5,6}$/.test(line.trim()) ? Number(line) : undefined
  );
  return {
    programs: majorOf(programs),
    server: majorOf(server),
    serverVersion: server === undefined ? undefined : showVersion(server),
  };
}

function majorOf(number: number | undefined): number | undefined {
  return number === undefined ? undefined : Math.floor(number / 10_000);
}

/** As PostgreSQL writes it: 90624 is 9.6.24, and 150013 is 15.13. */
function showVersion(number: number): string {
  const major = Math.floor(number / 10_000);
  const rest = number % 10_000;
  return major < 10 ? `${major}.${Math.floor(rest / 100)}.${rest % 100}` : `${major}.${rest}`;
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
