/** Neo4j of a test deployment, held by the product's own watchdog. */

import { DockerCompose } from "../../src/environment/mod.ts";
import { type Deployment as Target, type Reporter, systemClock } from "../../src/infrahub/mod.ts";
import { UndoJournal } from "../../src/infrahub/deployment/undo_journal.ts";
import { Secret } from "../../src/infrahub/secret.ts";
import { freezeNeo4j } from "../../src/infrahub/neo4j/freeze.ts";
import type { Deployment } from "./deployment.ts";

/** Where the official image has the server's process id. */
export const PID_FILE = "/var/lib/neo4j/run/neo4j.pid";

/** Neo4j with its databases closed, while its container lives on. */
export interface HeldNeo4j extends AsyncDisposable {
  /** Lets it go and waits until it answers again. Idempotent. */
  resume(): Promise<void>;
}

const SILENT: Reporter = { debug: () => {}, info: () => {}, warn: () => {} };

/** A deployment as the product sees it; its `docker` finds the engine from then on. */
export function targetOf(deployment: Deployment, reporter: Reporter = SILENT): Target {
  for (const [name, value] of Object.entries(deployment.environment)) Deno.env.set(name, value);
  return {
    environment: new DockerCompose({ project: deployment.project }),
    reporter,
    clock: systemClock,
    signal: new AbortController().signal,
  };
}

/** Holds Neo4j. @throws {Neo4jNotHeldError} when that did not succeed, after three tries. */
export async function holdNeo4j(
  deployment: Deployment,
  reporter: Reporter = SILENT,
): Promise<HeldNeo4j> {
  const target = targetOf(deployment, reporter);
  const credentials = {
    database: "neo4j",
    username: "neo4j",
    password: new Secret(deployment.passwords.neo4j),
  };
  const frozen = await freezeNeo4j(target, credentials, new UndoJournal(target));
  return { resume: () => frozen.thaw(), [Symbol.asyncDispose]: () => frozen.thaw() };
}
