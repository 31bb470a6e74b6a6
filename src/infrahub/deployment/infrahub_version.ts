import { messageOf } from "../../errors/mod.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";
import { SERVER } from "./service_names.ts";

/** What is recorded when the version cannot be found out. */
export const UNKNOWN_VERSION = "unknown";

/** Asks the API server for Infrahub's version, while it runs; a failure only warns. */
export async function detectInfrahubVersion(
  { environment, reporter, signal }: Deployment,
): Promise<string> {
  try {
    const output = await environment.run(
      SERVER,
      ["python", "-c", "import infrahub; print(infrahub.__version__)"],
      { signal },
    );
    // Importing may print warnings first.
    const version = output.trim().split("\n").at(-1)?.trim();
    if (!version) throw new DeploymentError("no answer");
    return version;
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Could not detect Infrahub version: ${messageOf(error)}`);
    return UNKNOWN_VERSION;
  }
}
