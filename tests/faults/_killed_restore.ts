/**
 * Restores an archive into a deployment, and is killed at a moment of it:
 * `deno run _killed_restore.ts ROOT ARCHIVE COMMAND before|after`.
 *
 * @module
 */

import { run } from "../../src/cli/mod.ts";
import { recordingContext } from "../unit/cli/_support.ts";
import { KilledDeployment } from "./_killed_deployment.ts";

const [root = "", archive = "", command = "", when = ""] = Deno.args;
const deployment = new KilledDeployment(root, { command, isAfter: when === "after" });
const context = recordingContext({ XDG_STATE_HOME: `${root}/state` }, {
  detectEnvironment: () => Promise.resolve(deployment),
});
const code = await run(["restore", archive], context);
throw new Error(`not killed, but ended with ${code}: ${context.err()}`);
