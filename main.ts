/**
 * `infrahub-backup`: backs up and restores Infrahub deployments.
 *
 * @module
 */

import { isVersionRequest, VERSION_TEXT } from "./src/cli/process/version.ts";

if (import.meta.main) {
  if (isVersionRequest(Deno.args)) {
    // Nothing else is loaded for it: whoever checks an installation waits for this.
    Deno.stdout.writeSync(new TextEncoder().encode(`${VERSION_TEXT}\n`));
    Deno.exit(0);
  }
  const { handleSignals, processContext, run } = await import("./src/cli/mod.ts");
  const controller = new AbortController();
  handleSignals(controller);
  Deno.exit(await run(Deno.args, processContext(controller.signal)));
}
