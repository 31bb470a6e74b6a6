import type { ServiceName } from "../../environment/mod.ts";
import type { Deployment } from "./deployment.ts";
import { messageOf } from "../../errors/mod.ts";
import { Secret } from "../secret.ts";
import { DATABASE, SERVER } from "./service_names.ts";

/** How to get into a database. */
export interface DatabaseCredentials {
  readonly database: string;
  readonly username: string;
  readonly password: Secret;
  /** Where its server is, on a host; where its programs look by themselves when not given. */
  readonly uri?: string;
}

/** A variable of an environment; undefined or empty when it is not set. */
export type ReadVariable = (name: string) => string | undefined;

const VARIABLES = {
  database: "INFRAHUB_DB_DATABASE",
  username: "INFRAHUB_DB_USERNAME",
  password: "INFRAHUB_DB_PASSWORD",
} as const;
const DEFAULTS = { database: "neo4j", username: "neo4j", password: "admin" };

type Parts = { readonly [part in keyof typeof VARIABLES]?: string };

/**
 * Finds the credentials of Neo4j: in the tool's own environment, else in that of the service that uses
 * them, else what Neo4j was first started with, else what is usual. A service that cannot be asked only warns: a deployment that is down is
 * one that may have to be restored.
 *
 * @param readVariable the tool's own environment
 */
export async function findNeo4jCredentials(
  deployment: Deployment,
  readVariable: ReadVariable,
): Promise<DatabaseCredentials> {
  let found = readParts(readVariable);
  const isHost = deployment.environment.kind === "host";
  let uri: string | undefined;
  if (isHost || !(found.database && found.username && found.password)) {
    const inService = await readServiceVariables(deployment, SERVER, "Neo4j");
    const theirs = inService ? readParts(inService) : await readFirstPassword(deployment);
    found = { ...theirs, ...found };
    if (isHost && inService) uri = uriOf(inService);
  }
  const { password, ...names } = { ...DEFAULTS, ...found };
  return { ...names, password: new Secret(password), ...(uri === undefined ? {} : { uri }) };
}

/**
 * What Neo4j's image was given for its first start: a killed restore leaves the service down that knows
 * better, and what it left has to be put right.
 */
async function readFirstPassword({ environment, signal }: Deployment): Promise<Parts> {
  if (environment.kind === "host") return {};
  try {
    const output = await environment.run(DATABASE, ["printenv", "NEO4J_AUTH"], { signal });
    const [, username, password] = /^([^/]+)\/(.+)$/.exec(output.trim()) ?? [];
    return username === undefined || password === undefined ? {} : { username, password };
  } catch {
    signal.throwIfAborted();
    return {};
  }
}

/**
 * Where Infrahub's own variables say that its Neo4j is: without them `cypher-shell` would take a server
 * on this machine, whosever that is. Undefined when they do not say it, or `cypher-shell` is told by a
 * variable of its own.
 */
function uriOf(readVariable: ReadVariable): string | undefined {
  // Of a cluster's members, which stand there with commas between them, the first.
  const [address] = (readVariable("INFRAHUB_DB_ADDRESS") ?? "").split(",").map((one) => one.trim());
  if (!address || readVariable("NEO4J_URI") || readVariable("NEO4J_ADDRESS")) return undefined;
  const isTrue = (name: string) => /^(1|true|yes|on)$/i.test(readVariable(name) ?? "");
  const encryption = !isTrue("INFRAHUB_DB_TLS_ENABLED")
    ? ""
    : isTrue("INFRAHUB_DB_TLS_INSECURE")
    ? "+ssc"
    : "+s";
  const protocol = (readVariable("INFRAHUB_DB_PROTOCOL") || "bolt").replace(/\+.*/, "");
  const port = /:\d+$/.test(address) ? "" : `:${readVariable("INFRAHUB_DB_PORT") || "7687"}`;
  return `${protocol}${encryption}://${address}${port}`;
}

function readParts(readVariable: ReadVariable): Parts {
  return Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([part, name]) => {
      const value = readVariable(name);
      return value ? [[part, value]] : [];
    }),
  );
}

/**
 * The variables of a service, where it can be asked; else a warning.
 *
 * @param what whose credentials are looked for, for people
 * @param severity of the message when it cannot
 */
export async function readServiceVariables(
  { environment, reporter, signal }: Deployment,
  service: ServiceName,
  what: string,
  severity: "debug" | "warn" = "warn",
): Promise<ReadVariable | undefined> {
  try {
    const output = await environment.run(service, ["env"], { signal });
    const variables = new Map<string, string>();
    for (const line of output.split("\n")) {
      const at = line.indexOf("=");
      if (at > 0) variables.set(line.slice(0, at), line.slice(at + 1).replace(/\r$/, ""));
    }
    return (name) => variables.get(name);
  } catch (error) {
    signal.throwIfAborted();
    reporter[severity](`Could not fetch ${what} credentials from container: ${messageOf(error)}`);
    return undefined;
  }
}
