import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";
import {
  checkRedaction,
  redact,
  requireRedactionConfirmed,
} from "../../../../src/infrahub/neo4j/redaction.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const CREDENTIALS = { database: "neo4j", username: "me", password: new Secret("hush") };
const NO = failure(["x"], 1, "no");

Deno.test("redaction is confirmed and tried out before it is done", async () => {
  requireRedactionConfirmed({ redact: true, force: true });
  requireRedactionConfirmed({ redact: false, force: false });
  assertThrows(
    () => requireRedactionConfirmed({ redact: true, force: false }),
    InvalidInputError,
    "use --force to confirm",
  );
  const environment = new FakeEnvironment().on("database", "EXPLAIN", "", NO)
    .on("database", "cypher-shell", "", NO);
  const { deployment } = fakeDeployment(environment);
  await checkRedaction(deployment, CREDENTIALS);
  await redact(deployment, CREDENTIALS);
  const [check, act] = environment.calls;
  assertEquals(check?.argv.at(-1), `EXPLAIN ${act?.argv.at(-1)}`);
  assertEquals(act?.argv.slice(0, 3), ["cypher-shell", "-d", "neo4j"]);
  await assertRejects(() => checkRedaction(deployment, CREDENTIALS), DeploymentRefusedError);
  await assertRejects(
    () => redact(deployment, CREDENTIALS),
    DeploymentError,
    "failed to redact database: ",
  );
});
