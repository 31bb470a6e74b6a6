/**
 * Holds Neo4j of a Compose project until it is killed; says `held` when it does. Arguments: project,
 * password of Neo4j.
 */

import { DockerCompose } from "../../src/environment/mod.ts";
import { systemClock } from "../../src/infrahub/mod.ts";
import { UndoJournal } from "../../src/infrahub/deployment/undo_journal.ts";
import { Secret } from "../../src/infrahub/secret.ts";
import { freezeNeo4j } from "../../src/infrahub/neo4j/freeze.ts";

const [project = "", password = ""] = Deno.args;
const deployment = {
  environment: new DockerCompose({ project }),
  reporter: { debug: () => {}, info: () => {}, warn: () => {} },
  clock: systemClock,
  signal: new AbortController().signal,
};
const credentials = { database: "neo4j", username: "neo4j", password: new Secret(password) };
await freezeNeo4j(deployment, credentials, new UndoJournal(deployment));
await Deno.stdout.write(new TextEncoder().encode("held\n"));
await new Promise(() => {});
