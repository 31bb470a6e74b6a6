/**
 * Starts a deployment to try things on, with data in it; it ends when this program does.
 *
 * ```sh
 * deno run -A tests/infrahub/run.ts [2026.05.0|5.26.12]    # then, in another shell:
 * . FOLDER/operator.env                                    # the variables of an operator
 * deno run -A main.ts environment detect $INFRAHUB_BACKUP_ARGUMENTS
 * ```
 *
 * @module
 */

import { NEO4J_VERSIONS } from "../../scripts/infrahub/programs.ts";
import { InfrahubDeployment } from "./bed/deployment.ts";

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function elapsed(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`;
}

const version = NEO4J_VERSIONS.find((one) => one === (Deno.args[0] ?? NEO4J_VERSIONS[0]));
if (version === undefined) throw new Error(`Name one of ${NEO4J_VERSIONS.join(", ")}`);
const begun = performance.now();
await using deployment = await InfrahubDeployment.start(version);
print(`started after ${elapsed(begun)}`);
const seeding = performance.now();
await deployment.application.seed();
print(`seeded after ${elapsed(seeding)}`);
const variables = {
  ...deployment.toolEnvironment,
  INFRAHUB_BACKUP_ARGUMENTS: deployment.toolArguments.join(" "),
};
const lines = Object.entries(variables).map(([name, value]) =>
  `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`
);
await Deno.writeTextFile(`${deployment.folder}/operator.env`, lines.join(""));
print(`. ${deployment.folder}/operator.env`);
const ended = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, ended.resolve);
await ended.promise;
