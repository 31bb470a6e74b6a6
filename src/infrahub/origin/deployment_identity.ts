import { InvalidInputError } from "../errors.ts";

/** Where a deployment runs. */
export interface Place {
  readonly kind: "docker" | "kubernetes" | "host";
  /** Compose project, namespace, or host name. */
  readonly target: string;
  /** Host on which it runs; undefined for a cluster, where that may be any. */
  readonly host?: string;
  /**
   * What tells this Docker daemon, namespace or host from all others of the same name: 16 hex digits
   * made of an id of its own; undefined where that could not be read.
   */
  readonly id?: string;
}

/**
 * What is known of a deployment that tells it from others. There is either a name or a place, or
 * both.
 */
export interface DeploymentIdentity {
  /** Given by whoever runs the tool. It alone decides then. */
  readonly name?: string;
  readonly place?: Place;
  /**
   * The id that Infrahub keeps in its graph; undefined where it could not be read. A restore brings
   * the other deployment's along, and it can be set anew: it belongs to the data, so that it is a
   * witness and not the identity.
   */
  readonly infrahubId?: string;
}

const MAXIMUM_NAME_LENGTH = 64;

/**
 * A name that a deployment may be given.
 *
 * @throws {InvalidInputError} when it could not be shown in a line, or told from an option
 */
export function checkDeploymentName(name: string): string {
  if (
    name !== name.trim() || name === "" || name.length > MAXIMUM_NAME_LENGTH ||
    name.startsWith("-") || /\p{C}/u.test(name)
  ) {
    throw new InvalidInputError(
      `invalid name of a deployment: ${JSON.stringify(name)}; it has 1 to ${MAXIMUM_NAME_LENGTH} ` +
        "printable characters, without spaces around them and without a dash in front",
    );
  }
  return name;
}

/** What a deployment is called: the given name, else its project, namespace or host. */
export function identityName({ name, place }: DeploymentIdentity): string {
  return name ?? place?.target ?? "";
}

/** A deployment for people: `prod`, `site-a@host1`, `infrahub@kubernetes`, `host1`. */
export function showDeployment(identity: DeploymentIdentity): string {
  const { name, place } = identity;
  if (name !== undefined || place === undefined) return identityName(identity);
  if (place.kind === "host") return place.target;
  return `${place.target}@${place.host ?? place.kind}`;
}

/** Whether what a user wrote means this deployment: its name, or as listings show it. */
export function namesDeployment(text: string, identity: DeploymentIdentity): boolean {
  return text !== "" && (text === identityName(identity) || text === showDeployment(identity));
}

/**
 * Whether two descriptions are of one deployment beyond doubt.
 *
 * A given name decides: whoever gives it says so, and it stays when a deployment is moved, renamed or
 * installed anew. Without one, the place decides, which is what the word deployment means to whoever
 * runs it: the project on this daemon, this namespace. Where the place is not proved unique (only
 * names were to be had, or it is a host, which may have two), a different id of Infrahub's tells two
 * deployments apart.
 */
export function isSameDeployment(a: DeploymentIdentity, b: DeploymentIdentity): boolean {
  if (a.name !== undefined || b.name !== undefined) return a.name === b.name;
  if (a.place === undefined || b.place === undefined) return false;
  if (!isSamePlace(a.place, b.place)) return false;
  const isOtherId = a.infrahubId !== undefined && b.infrahubId !== undefined &&
    a.infrahubId !== b.infrahubId;
  return !isOtherId || isProvedUnique(a.place, b.place);
}

/** Whether two descriptions are of one place, whatever it is called and whatever data is in it. */
export function isSamePlace(a: Place, b: Place): boolean {
  if (a.kind !== b.kind) return false;
  if (a.id !== undefined && b.id !== undefined) {
    // A host that is renamed stays itself.
    return a.id === b.id && (a.kind === "host" || a.target === b.target);
  }
  return a.target === b.target && a.host === b.host;
}

/** A machine that was copied has the same ids under another name. */
function isProvedUnique(a: Place, b: Place): boolean {
  return a.kind !== "host" && a.id !== undefined && a.id === b.id && a.host === b.host;
}
