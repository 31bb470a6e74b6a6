/**
 * The real Infrahub on this machine itself, with `--host`: every process of it is the real one, on
 * the Neo4j that it comes with. `systemctl` is a stand-in. See `bed/`.
 */

import { InfrahubDeployment } from "./bed/deployment.ts";
import { hostSteps } from "./host_steps.ts";
import { roundTrip } from "./round_trip.ts";

Deno.test("Infrahub 1.11.9 on a host, Neo4j 2026.05.0", async (t) => {
  await using deployment = await InfrahubDeployment.start("2026.05.0");
  await deployment.application.seed();
  await hostSteps(t, deployment);
  await roundTrip(t, deployment);
});
