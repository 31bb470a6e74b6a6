/**
 * `infrahub-backup`: backs up and restores Infrahub deployments.
 *
 * @module
 */

import { handleSignals, processContext, run } from "./src/cli/mod.ts";

if (import.meta.main) {
  const controller = new AbortController();
  handleSignals(controller);
  Deno.exit(await run(Deno.args, processContext(controller.signal)));
}
