/** Command lines for the program with a probe in it, and what the probe has to find. */

import { assert, assertEquals } from "@std/assert";
import type { Right } from "../../src/cli/process/mod.ts";

/** A command line, and what it may do. */
export interface ProbedRun {
  readonly args: readonly string[];
  /** What is let do where the command does its work. */
  readonly allowed: readonly Right[];
  /** @default {0} */
  readonly code?: number;
}

/** How the program is run, in a folder of its own. */
export interface Prober {
  /** The working directory, which has `dump`, raw bytes. */
  readonly folder: string;
  readonly run: (
    args: readonly string[],
  ) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
}

/** In order: later ones use what earlier ones have made. There is no deployment: theirs fail. */
export const PROBED: readonly ProbedRun[] = [
  {
    args: [
      "create",
      "from-commands",
      "--format=raw",
      "--neo4j-command=cat dump",
      "--neo4j-edition=community",
      "--backend=plakar",
    ],
    allowed: ["run", "write", "env"],
  },
  {
    args: [
      "create",
      "from-files",
      "--format=raw",
      "--neo4j-path=dump",
      "--neo4j-edition=community",
      "--backend=plakar",
    ],
    allowed: ["write", "env"],
  },
  {
    args: [
      "create",
      "from-files",
      "--format=raw",
      "--neo4j-path=dump",
      "--neo4j-edition=community",
      "--backup-dir=archives",
    ],
    allowed: ["write", "env"],
  },
  { args: ["snapshots", "list"], allowed: [] },
  { args: ["snapshots", "list", "--log-format=json"], allowed: [] },
  { args: ["snapshots", "show", "SNAPSHOT"], allowed: [] },
  { args: ["snapshots", "cat", "SNAPSHOT"], allowed: [] },
  { args: ["snapshots", "check"], allowed: [] },
  { args: ["snapshots", "check", "--metrics-file=metrics.prom"], allowed: ["write"] },
  { args: ["restore", "--backend=plakar", "--to=restored"], allowed: ["write"] },
  { args: ["restore", "ARCHIVE", "--to=unpacked", "--force"], allowed: ["write"] },
  { args: ["repo", "validate"], allowed: ["write"] },
  { args: ["repo", "unlock"], allowed: ["write"] },
  { args: ["keygen", "--output=key"], allowed: ["write"] },
  { args: ["version"], allowed: [] },
  { args: ["completion", "bash"], allowed: [] },
  { args: ["manual"], allowed: [] },
  { args: ["systemd", "units"], allowed: ["run", "env"] },
  { args: ["environment", "list"], allowed: ["run", "env"] },
  { args: ["environment", "detect"], allowed: ["run", "env"], code: 1 },
  { args: ["tasks", "flush", "flow-runs"], allowed: ["run", "env"], code: 1 },
  { args: ["tasks", "flush", "stale-runs"], allowed: ["run", "env"], code: 1 },
  { args: ["create"], allowed: ["run", "write", "env"], code: 1 },
  {
    args: ["create", "--backend=plakar", "--repo=s3://127.0.0.1:1/bucket"],
    allowed: ["run", "net", "write", "env", "sys"],
    code: 1,
  },
  { args: ["restore", "ARCHIVE"], allowed: ["run", "write", "env"], code: 1 },
  {
    args: ["upload", "ARCHIVE", "--s3-bucket=UPPER_CASE"],
    allowed: ["net", "env", "sys"],
    code: 1,
  },
];

/** Runs a command line, and compares what its last probe was let do. */
export async function probe({ folder, run }: Prober, probed: ProbedRun): Promise<void> {
  const args: string[] = [];
  for (const argument of probed.args) args.push(await resolved(folder, run, argument));
  const { code, stderr } = await run(args);
  assertEquals(code, probed.code ?? 0, stderr);
  const found = [...stderr.matchAll(/^PROBE (.*)$/gm)].map(([, text = ""]) => JSON.parse(text));
  assert(found.length > 0, stderr);
  assertEquals(found.at(-1).allowed, probed.allowed, stderr);
}

async function resolved(folder: string, run: Prober["run"], argument: string): Promise<string> {
  if (argument === "SNAPSHOT") {
    const { stdout } = await run(["snapshots", "list", "--log-format=json", "--quiet"]);
    return JSON.parse(stdout)[0].snapshots[0].snapshot_id;
  }
  if (argument === "ARCHIVE") {
    for await (const { name } of Deno.readDir(`${folder}/archives`)) {
      if (name.endsWith(".tar.gz")) return `archives/${name}`;
    }
    throw new Error("there is no archive");
  }
  return argument;
}
