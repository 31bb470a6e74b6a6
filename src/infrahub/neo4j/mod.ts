/**
 * Neo4j: its editions, dumping and loading each of them, holding Community still for its dump, the
 * exchange of databases, Cypher, and waiting until it answers. What the bytes of a dump are belongs to
 * `dump`; which services stop for it is decided in `run`.
 *
 * @module
 */

export { runCypher } from "./cypher.ts";
export {
  checkCommunityLoadSpace,
  neo4jCommunitySource,
  openNeo4jCommunityTarget,
  putBackStaged,
} from "./community.ts";
export { readDeploymentId, resetDeploymentId } from "./deployment_id.ts";
export { resolveEdition } from "./edition.ts";
export { detectEdition, resolveRestoreEdition } from "./edition_detection.ts";
export {
  checkEnterpriseBackupSpace,
  checkEnterpriseRestoreSpace,
  METADATA_CHOICES,
  type MetadataChoice,
  neo4jEnterpriseSource,
  openNeo4jEnterpriseTarget,
} from "./enterprise.ts";
export { startReplacedDatabase } from "./enterprise_restore.ts";
export { resumeHeldNeo4j } from "./freeze.ts";
export { DatabaseNotOpenedError, waitForNeo4j } from "./readiness.ts";
export { lookAtStage, removeBeside } from "./_staged_database.ts";
export { checkRedaction, redact, requireRedactionConfirmed } from "./redaction.ts";
export { measureNeo4j } from "./store_size.ts";
export { readGraphVersion, readNeo4jVersion, readNeo4jVersions } from "./versions.ts";
