import { assertEquals, assertThrows } from "@std/assert";
import {
  checkDeploymentName,
  type DeploymentIdentity,
  isSameDeployment,
  namesDeployment,
  type Place,
  showDeployment,
} from "../../../../src/infrahub/origin/deployment_identity.ts";
import { InvalidInputError } from "../../../../src/infrahub/errors.ts";

const DOCKER: Place = { kind: "docker", target: "infrahub", host: "h1", id: "1".repeat(16) };
const HOST: Place = { kind: "host", target: "h1", host: "h1", id: "2".repeat(16) };
const NAMESPACE: Place = { kind: "kubernetes", target: "infrahub", id: "3".repeat(16) };
const NAMES_ALONE: Place = { kind: "kubernetes", target: "infrahub" };

Deno.test("isSameDeployment() takes no two for one, and one for one over time", async (t) => {
  const rows: [what: string, a: DeploymentIdentity, b: DeploymentIdentity, same: boolean][] = [
    ["the same project", { place: DOCKER }, { place: DOCKER }, true],
    ["two projects of one daemon", { place: DOCKER }, { place: { ...DOCKER, target: "b" } }, false],
    [
      "two projects, one a restored copy of the other",
      { place: DOCKER, infrahubId: "i" },
      { place: { ...DOCKER, target: "b" }, infrahubId: "i" },
      false,
    ],
    [
      "the same project on two hosts, one a restored copy of the other",
      { place: DOCKER, infrahubId: "i" },
      { place: { ...DOCKER, host: "h2", id: "9".repeat(16) }, infrahubId: "i" },
      false,
    ],
    [
      "a project whose id was set anew, or that was installed anew",
      { place: DOCKER, infrahubId: "i" },
      { place: DOCKER, infrahubId: "j" },
      true,
    ],
    [
      "projects on two machines that were copied from one",
      { place: DOCKER, infrahubId: "i" },
      { place: { ...DOCKER, host: "h2" }, infrahubId: "j" },
      false,
    ],
    ["a daemon that cannot be asked now", { place: DOCKER }, {
      place: { kind: "docker", target: "infrahub", host: "h1" },
    }, true],
    ["a host that is renamed", { place: HOST }, {
      place: { ...HOST, target: "h9", host: "h9" },
    }, true],
    ["two hosts of one name", { place: HOST }, { place: { ...HOST, id: "8".repeat(16) } }, false],
    [
      "two deployments on one host",
      { place: HOST, infrahubId: "i" },
      { place: HOST, infrahubId: "j" },
      false,
    ],
    ["namespaces of one name in two clusters", { place: NAMESPACE }, {
      place: { ...NAMESPACE, id: "7".repeat(16) },
    }, false],
    [
      "namespaces of one name in two clusters, where only names are known",
      { place: NAMES_ALONE, infrahubId: "i" },
      { place: NAMES_ALONE, infrahubId: "j" },
      false,
    ],
    [
      "a namespace of which only the name is known",
      { place: NAMES_ALONE, infrahubId: "i" },
      { place: NAMES_ALONE },
      true,
    ],
    ["a project and a namespace", { place: DOCKER }, { place: NAMESPACE }, false],
    [
      "a named one that was moved and installed anew",
      { name: "prod", place: DOCKER, infrahubId: "i" },
      { name: "prod", place: NAMESPACE, infrahubId: "j" },
      true,
    ],
    ["two names in one place", { name: "a", place: HOST }, { name: "b", place: HOST }, false],
    ["one named and one not", { name: "prod", place: DOCKER }, { place: DOCKER }, false],
    ["dumps of a named one", { name: "prod" }, { name: "prod", place: DOCKER }, true],
    ["nothing known of one", {}, { place: DOCKER }, false],
    ["nothing known of both", {}, {}, false],
  ];
  for (const [what, a, b, same] of rows) {
    await t.step(what, () => {
      assertEquals(isSameDeployment(a, b), same);
      assertEquals(isSameDeployment(b, a), same);
    });
  }
});

Deno.test("a deployment is shown and named as its user knows it", () => {
  const rows: [DeploymentIdentity, string][] = [
    [{ name: "prod", place: DOCKER }, "prod"],
    [{ place: DOCKER }, "infrahub@h1"],
    [{ place: NAMESPACE }, "infrahub@kubernetes"],
    [{ place: HOST }, "h1"],
  ];
  for (const [identity, shown] of rows) {
    assertEquals(showDeployment(identity), shown);
    assertEquals(namesDeployment(shown, identity), true);
  }
  assertEquals(namesDeployment("infrahub", { place: DOCKER }), true);
  assertEquals(namesDeployment("infrahub", { name: "prod", place: DOCKER }), false);
  assertEquals(namesDeployment("", {}), false);
});

Deno.test("checkDeploymentName() refuses what cannot be shown in a line", () => {
  for (const name of ["prod", "Site B", "é", "a".repeat(64)]) checkDeploymentName(name);
  for (const name of ["", " a", "a ", "-a", "a\nb", "\u202Ea", "a".repeat(65)]) {
    assertThrows(() => checkDeploymentName(name), InvalidInputError);
  }
});
