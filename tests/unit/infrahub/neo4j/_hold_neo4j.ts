/** Holds the process of a PID file until it is killed; says its work directory when it does. */

import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { freezeNeo4j } from "../../../../src/infrahub/neo4j/freeze.ts";
import { fakeDeployment } from "../fake_environment.ts";
import { impatientClock, LocalEnvironment } from "./_local_neo4j.ts";

const environment = new LocalEnvironment();
const deployment = { ...fakeDeployment(environment).deployment, clock: impatientClock };
const credentials = { database: "neo4j", username: "neo4j", password: new Secret("hush") };
await freezeNeo4j(deployment, credentials, new UndoJournal(deployment), {
  pidFile: Deno.args[0] ?? "",
});
await Deno.stdout.write(new TextEncoder().encode(`${environment.directory}\n`));
await new Promise(() => {});
