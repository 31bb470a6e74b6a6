import { assertEquals } from "@std/assert";
import { detectInfrahubVersion } from "../../../../src/infrahub/deployment/infrahub_version.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");

Deno.test("detectInfrahubVersion() takes the last line, or records unknown", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "python -c", "a warning\n1.4.2\n", NO);
  const { deployment, lines } = fakeDeployment(environment);
  assertEquals(await detectInfrahubVersion(deployment), "1.4.2");
  assertEquals(await detectInfrahubVersion(deployment), "unknown");
  assertEquals(lines[0]?.startsWith("warn Could not detect Infrahub version: "), true);
});
