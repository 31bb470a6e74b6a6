import { messageOf } from "../../errors/mod.ts";
import { parseGraphVersion } from "../data_facts.ts";
import { type Deployment, DeploymentError } from "./deployment.ts";
import { SERVER } from "./service_names.ts";

/** What is recorded when the version cannot be found out. */
export const UNKNOWN_VERSION = "unknown";

/** Asks the API server for Infrahub's version, while it runs; a failure only warns. */
export async function detectInfrahubVersion(deployment: Deployment): Promise<string> {
  return await askPython(
    deployment,
    "Infrahub version",
    "import infrahub; print(infrahub.__version__)",
    (answer) => answer === "" ? undefined : answer,
  ) ?? UNKNOWN_VERSION;
}

/**
 * Asks the API server, while it runs, for the version of the graph that its code works with; a
 * failure only warns.
 */
export async function detectGraphVersion(deployment: Deployment): Promise<number | undefined> {
  return await askPython(
    deployment,
    "the version of the graph that Infrahub's code expects",
    "from infrahub.core.graph import GRAPH_VERSION; print(GRAPH_VERSION)",
    parseGraphVersion,
  );
}

async function askPython<Value>(
  { environment, reporter, signal }: Deployment,
  what: string,
  program: string,
  parse: (answer: string) => Value | undefined,
): Promise<Value | undefined> {
  try {
    const output = await environment.run(SERVER, ["python", "-c", program], { signal });
    // Importing may print warnings first.
    const value = parse(output.trim().split("\n").at(-1)?.trim() ?? "");
    if (value !== undefined) return value;
    throw new DeploymentError(
      output.trim() === "" ? "no answer" : `unexpected answer ${JSON.stringify(output.trim())}`,
    );
  } catch (error) {
    signal.throwIfAborted();
    reporter.warn(`Could not detect ${what}: ${messageOf(error)}`);
    return undefined;
  }
}
