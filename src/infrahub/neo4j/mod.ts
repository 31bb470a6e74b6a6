/**
 * Neo4j: dumping and loading Community and Enterprise, holding Community still for its dump, the
 * exchange of databases, Cypher and editions.
 *
 * @module
 */

export {
  checkCommunityLoadSpace,
  type CommunityDumpOptions,
  type CommunityLoadOptions,
  neo4jCommunitySource,
  openNeo4jCommunityTarget,
} from "./community.ts";
export { parseRows, quoteCypherName, runCypher } from "./cypher.ts";
export { resetDeploymentId, type ResetDeploymentIdOptions } from "./deployment_id.ts";
export { type ResolvedEdition, resolveEdition } from "./edition.ts";
export {
  detectEdition,
  type DetectEditionOptions,
  resolveRestoreEdition,
} from "./edition_detection.ts";
export {
  checkEnterpriseBackupSpace,
  checkEnterpriseRestoreSpace,
  type EnterpriseBackupOptions,
  METADATA_CHOICES,
  type MetadataChoice,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "./enterprise.ts";
export type { EnterpriseRestoreOptions } from "./enterprise_restore.ts";
export { type FreezeOptions, Neo4jNotHeldError } from "./freeze.ts";
export { checkRedaction, redact, requireRedactionConfirmed } from "./redaction.ts";
