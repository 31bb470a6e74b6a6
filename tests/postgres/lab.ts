import { Host } from "../../src/environment/mod.ts";
import { type Deployment, UndoJournal } from "../../src/infrahub/deployment/mod.ts";
import { dumpInspectorFor } from "../../src/infrahub/dump/mod.ts";
import { systemClock } from "../../src/infrahub/mod.ts";
import {
  checkPostgresServer,
  checkPostgresSource,
  findPostgresServer,
  openPostgresTarget,
  type PostgresServer,
  postgresSource,
} from "../../src/infrahub/postgres/mod.ts";
import { programsFolder } from "./real_server.ts";

/** The variable that describes the server. */
export const URL_VARIABLE = "PREFECT_API_DATABASE_CONNECTION_URL";

type Variables = Readonly<Record<string, string>>;

/** A deployment on this host, whose programs are those of the newest PostgreSQL. */
export function hostDeployment(): { deployment: Deployment; lines: string[] } {
  const lines: string[] = [];
  const note = (severity: string) => (message: string) => void lines.push(`${severity} ${message}`);
  return {
    lines,
    deployment: {
      environment: new Host(),
      reporter: { debug: note("debug"), info: note("info"), warn: note("warn") },
      clock: systemClock,
      signal: new AbortController().signal,
    },
  };
}

/**
 * Runs with variables that this process has exported, as a shell would, so that programs inherit
 * them; and with PostgreSQL's programs first in PATH.
 */
export async function withExported<Value>(
  variables: Variables,
  body: () => Promise<Value>,
): Promise<Value> {
  const all: Variables = {
    ...variables,
    PATH: `${programsFolder()}:${Deno.env.get("PATH") ?? ""}`,
  };
  const before = Object.keys(all).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(all)) Deno.env.set(name, value);
  try {
    return await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

/** The server that this process's environment describes. */
export async function describe({ deployment }: ReturnType<typeof hostDeployment>) {
  return await findPostgresServer(deployment, (name) => Deno.env.get(name));
}

/** Checks and dumps, as `create` does. */
export async function dump(server: PostgresServer): Promise<Uint8Array> {
  const { deployment } = hostDeployment();
  await checkPostgresSource(deployment, server);
  const source = postgresSource(deployment, server, { stallTimeoutMs: 60_000 });
  const { content, finished } = await source.open(deployment.signal);
  const bytes = await new Response(content as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
  await finished;
  return bytes;
}

/** Plans a restore, as `restore --dry-run` does. */
export async function plan(server: PostgresServer, bytes: Uint8Array, force = false) {
  const lab = hostDeployment();
  const inspector = dumpInspectorFor("prefect.dump")!;
  inspector.observe(bytes);
  inspector.finish();
  const { postgres: contents } = inspector;
  const checked = await checkPostgresServer(lab.deployment, server, {
    bytes: bytes.byteLength,
    force,
    ...(contents === undefined ? {} : { contents }),
  });
  return { ...lab, checked };
}

/** Plans and restores. */
export async function restore(server: PostgresServer, bytes: Uint8Array): Promise<void> {
  const { deployment, checked } = await plan(server, bytes);
  const journal = new UndoJournal(deployment);
  const target = await openPostgresTarget(deployment, checked, journal, {
    stallTimeoutMs: 60_000,
    now: new Date(),
  });
  await target.write(bytes);
  await target.close();
  await target.settle(false);
  await target.finish();
}
