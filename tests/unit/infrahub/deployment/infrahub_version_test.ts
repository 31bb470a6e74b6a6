import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  detectGraphVersion,
  detectInfrahubVersion,
} from "../../../../src/infrahub/deployment/infrahub_version.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");

Deno.test("detectInfrahubVersion() takes the last line, or records unknown", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "python -c", "a warning\n1.4.2\n", NO, "");
  const { deployment, lines } = fakeDeployment(environment);
  assertEquals(await detectInfrahubVersion(deployment), "1.4.2");
  assertEquals(await detectInfrahubVersion(deployment), "unknown");
  assertEquals(await detectInfrahubVersion(deployment), "unknown");
  assertEquals(lines[0]?.startsWith("warn Could not detect Infrahub version: "), true);
  assertEquals(lines[1], "warn Could not detect Infrahub version: no answer");
});

Deno.test("detectGraphVersion() takes a whole number, and shows any other answer whole", async () => {
  const environment = new FakeEnvironment()
    .on("infrahub-server", "GRAPH_VERSION", "a warning\n79\n", "79.1", "", "None", NO);
  const { deployment, lines } = fakeDeployment(environment);
  const answers: (number | undefined)[] = [];
  for (let time = 0; time < 5; time++) answers.push(await detectGraphVersion(deployment));
  assertEquals(answers, [79, undefined, undefined, undefined, undefined]);
  const what = "warn Could not detect the version of the graph that Infrahub's code expects: ";
  assertEquals(lines.slice(0, 3), [
    `${what}unexpected answer "79.1"`,
    `${what}no answer`,
    `${what}unexpected answer "None"`,
  ]);
  assertStringIncludes(lines[3] ?? "", what);
  assertEquals(
    environment.find("GRAPH_VERSION").argv,
    ["python", "-c", "from infrahub.core.graph import GRAPH_VERSION; print(GRAPH_VERSION)"],
  );
});
