import type { DeploymentIdentity, Place } from "./deployment_identity.ts";

/** Whose a backup is. */
export interface BackupOrigin {
  /**
   * Undefined where nobody said: backups of the Go tool and of earlier versions, and of files and
   * commands without a name.
   */
  readonly deployment?: DeploymentIdentity;
  /** Host on which the tool ran. */
  readonly host: string;
  /** The run that made it, 16 hex digits; undefined for those of the Go tool and of earlier versions. */
  readonly run?: string;
}

const RUN_BYTES = 8;

/** An id for a run that no other run has. */
export function newRunId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RUN_BYTES));
  // Not toHex(): Deno 2.4 has none.
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TAGS = {
  name: "infrahub.deployment=",
  kind: "infrahub.environment=",
  target: "infrahub.target=",
  placeHost: "infrahub.environment-host=",
  placeId: "infrahub.environment-id=",
  infrahubId: "infrahub.deployment-id=",
  host: "infrahub.host=",
  run: "infrahub.run=",
} as const;

/** The tags of an origin; they come after those that the Go tool knows. */
export function originTags({ deployment = {}, host, run }: BackupOrigin): string[] {
  const { name, place, infrahubId } = deployment;
  const values: [prefix: string, value: string | undefined][] = [
    [TAGS.name, name],
    [TAGS.kind, place?.kind],
    [TAGS.target, place?.target],
    [TAGS.placeHost, place?.host],
    [TAGS.placeId, place?.id],
    [TAGS.infrahubId, infrahubId],
    [TAGS.host, host],
    [TAGS.run, run],
  ];
  return values.flatMap(([prefix, value]) => value ? [prefix + value] : []);
}

/**
 * Reads the tags of an origin.
 *
 * @param host the host that the snapshot itself names
 */
export function parseOriginTags(tags: readonly string[], host: string): BackupOrigin {
  const valueOf = (prefix: string) =>
    tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length) || undefined;
  return assemble({
    deployment: valueOf(TAGS.name),
    environment: valueOf(TAGS.kind),
    target: valueOf(TAGS.target),
    environment_host: valueOf(TAGS.placeHost),
    environment_id: valueOf(TAGS.placeId),
    deployment_id: valueOf(TAGS.infrahubId),
    host: valueOf(TAGS.host) ?? host,
    run: valueOf(TAGS.run),
  });
}

/** An origin as JSON has it, in `backup_information.json` and in results. */
export type OriginFields = {
  /** The name that was given. */
  readonly deployment?: string | undefined;
  /** `docker`, `kubernetes` or `host`. */
  readonly environment?: string | undefined;
  readonly target?: string | undefined;
  readonly environment_host?: string | undefined;
  readonly environment_id?: string | undefined;
  /** Infrahub's own. */
  readonly deployment_id?: string | undefined;
  readonly host?: string | undefined;
  readonly run?: string | undefined;
};

/** The origin as JSON; what is not known is left out. */
export function originFields({ deployment = {}, host, run }: BackupOrigin): OriginFields {
  const { name, place, infrahubId } = deployment;
  const fields: OriginFields = {
    deployment: name,
    environment: place?.kind,
    target: place?.target,
    environment_host: place?.host,
    environment_id: place?.id,
    deployment_id: infrahubId,
    host: host || undefined,
    run,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Reads what {@linkcode originFields} gave; whatever is not of that kind is not known. */
export function readOriginFields(value: unknown): BackupOrigin {
  const fields = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return assemble(
    Object.fromEntries(fields.filter(([, text]) => typeof text === "string" && text !== "")),
  );
}

function assemble(fields: OriginFields): BackupOrigin {
  const place = placeOf(fields);
  const deployment: DeploymentIdentity = {
    ...(fields.deployment === undefined ? {} : { name: fields.deployment }),
    ...(place === undefined ? {} : { place }),
    ...(fields.deployment_id === undefined ? {} : { infrahubId: fields.deployment_id }),
  };
  const isKnown = deployment.name !== undefined || place !== undefined;
  return {
    ...(isKnown ? { deployment } : {}),
    host: fields.host ?? "",
    ...(fields.run === undefined ? {} : { run: fields.run }),
  };
}

function placeOf(
  { environment: kind, target, environment_host: host, environment_id: id }: OriginFields,
): Place | undefined {
  if (target === undefined) return undefined;
  if (kind !== "docker" && kind !== "kubernetes" && kind !== "host") return undefined;
  return {
    kind,
    target,
    ...(host === undefined ? {} : { host }),
    ...(id === undefined ? {} : { id }),
  };
}
