import { originFields } from "../origin/mod.ts";
import { dataFields } from "../data_facts.ts";
import type { BackupDescription } from "./tags.ts";
import { formatUtcTime } from "../timestamp.ts";

/** Version of the layout below. */
const METADATA_VERSION = 2025111200;

/**
 * The bytes of `backup_information.json`: key order and indent are those of the Go tool, and so is
 * the id, which has the prefix of an archive's name here and nowhere else.
 */
export function encodeMetadata(backup: BackupDescription, createdAt: Date): Uint8Array {
  const data = dataFields(backup.data ?? {});
  const content = {
    metadata_version: METADATA_VERSION,
    backup_id: `infrahub_backup_${backup.backupId}`,
    created_at: formatUtcTime(createdAt),
    tool_version: backup.toolVersion,
    infrahub_version: backup.infrahubVersion,
    components: backup.components,
    neo4j_edition: backup.neo4jEdition,
    ...(backup.redacted ? { redacted: true } : {}),
    // The Go tool passes over what it does not know.
    ...(backup.origin === undefined ? {} : { origin: originFields(backup.origin) }),
    ...(data === undefined ? {} : { data }),
    ...(backup.rawDumps ? { dump_format: "raw" } : {}),
  };
  return new TextEncoder().encode(JSON.stringify(content, null, 4));
}
