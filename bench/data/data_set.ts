import { createHash } from "node:crypto";

/** What a stream is; the program of this repository looks into some. */
export type StreamKind =
  | "bytes"
  /** `neo4j-admin database dump`. */
  | "neo4j-dump"
  /** A tar of files. */
  | "neo4j-tar"
  /** `pg_dump -Fc`. */
  | "postgres-dump";

/** Bytes that lie in a file. */
export interface Stream {
  readonly file: string;
  readonly bytes: number;
}

/** A later state of the same data. */
export interface Change {
  /** Short, such as `clustered`. */
  readonly name: string;
  /** For people, such as `1 % of the rows changed, all over the tables`. */
  readonly title: string;
  readonly stream: Stream;
}

/** Data that is backed up more than once. */
export interface DataSet {
  readonly name: DataSetName;
  /** For people, such as `random bytes`. */
  readonly title: string;
  readonly kind: StreamKind;
  readonly first: Stream;
  /** Each made from the first state, not one from another. */
  readonly changes: readonly Change[];
}

/** The data sets, in the order of their measurement. */
export const DATA_SETS = ["random", "postgres", "neo4j-store", "neo4j-dump"] as const;

/** Name of a data set. */
export type DataSetName = typeof DATA_SETS[number];

/** A stream that has been written to a file. */
export async function streamOf(file: string): Promise<Stream> {
  return { file, bytes: (await Deno.stat(file)).size };
}

/** SHA-256 (hex) of what a program writes. @throws {Error} when it fails */
export async function outputDigest(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const [program = "", ...args] = argv;
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const hash = createHash("sha256");
  const consume = async () => {
    for await (const bytes of child.stdout) hash.update(bytes);
  };
  const [{ success, code }, stderr] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
    consume(),
  ]);
  if (!success) throw new Error(`${argv.join(" ")} exited ${code}:\n${stderr.slice(-2000)}`);
  return hash.digest("hex");
}
