/**
 * Docker Compose with a stand-in for Neo4j Enterprise, which cannot be had here; what it is and what
 * it does not show is said in `start.sh` and `bin/`.
 *
 * @module
 */

import type { Instant } from "../bed.ts";
import { COMMUNITY_PROGRAMS, ComposeBed, type SpoiltPrograms } from "../compose_bed.ts";
import { type Deployment, text } from "../deployment.ts";

const FOLDER = new URL(".", import.meta.url).pathname;
/** What the stand-ins keep, in the container. */
const STATE = "/data/stand-in";

/** Moments of a `create` of Neo4j Enterprise, in their order; both dumps are made at a time. */
const CREATE_INSTANTS: readonly Instant[] = [
  { name: "credentials are looked up", event: /^started: .* env $/ },
  { name: "the edition is asked for", event: /^started: .*cypher-shell/ },
  { name: "Neo4j's turn comes", event: /Backing up Neo4j database/ },
  { name: "Neo4j is being backed up", event: /^started: .*neo4j-admin database backup/ },
  {
    name: "the backup of Neo4j is being read",
    event: /^started: .*tar .*-cf - /,
    stall: { database: "neo4j", operation: "dump" },
  },
  {
    name: "PostgreSQL is being dumped",
    event: /^started: .*pg_dump/,
    stall: { database: "postgres", operation: "dump" },
  },
];

/** Moments of a `restore` of Neo4j Enterprise, in their order. */
const RESTORE_INSTANTS: readonly Instant[] = [
  { name: "services begin to stop", event: /Stopping Infrahub application services/ },
  {
    name: "PostgreSQL is being restored",
    event: /^started: .*pg_restore/,
    stall: { database: "postgres", operation: "restore" },
  },
  { name: "the task manager is restarted", event: /Restarting task manager/ },
  {
    name: "the backup of Neo4j is being unpacked",
    event: /^started: .*tar xf - /,
    stall: { database: "neo4j", operation: "restore" },
  },
  { name: "Neo4j's database has been stopped", event: /^started: .*neo4j-admin database restore/ },
  { name: "Neo4j's database is being started", event: /^started: .*start database/ },
];

/** Docker Compose with a stand-in for Neo4j Enterprise. */
export class EnterpriseBed extends ComposeBed {
  override readonly name: string;
  override readonly neo4jEdition = "enterprise";
  override readonly instants = { create: CREATE_INSTANTS, restore: RESTORE_INSTANTS };
  protected override readonly programs: SpoiltPrograms = {
    ...COMMUNITY_PROGRAMS,
    neo4j: {
      // What comes out of and goes into the container; `neo4j-admin` writes and reads files.
      dump: { service: "database", program: "tar", when: '*"-cf - "*' },
      restore: { service: "database", program: "tar", when: '"xf - "*' },
    },
  };

  private constructor(deployment: Deployment, name: string) {
    super(deployment);
    this.name = name;
  }

  /** Starts a deployment of its own, with a single server or what looks like a cluster of three. */
  static startEnterprise(servers: 1 | 3 = 1): Promise<EnterpriseBed> {
    const kind = servers === 1 ? "single server" : "cluster";
    return ComposeBed.launch(
      (deployment) =>
        new EnterpriseBed(
          deployment,
          `Docker Compose, stand-in for Neo4j Enterprise (${kind})`,
        ),
      [`${FOLDER}compose.yaml`, ...servers === 3 ? [`${FOLDER}cluster.yaml`] : []],
    );
  }

  /** What the stand-ins were called with, line by line. */
  async calls(): Promise<string[]> {
    return text(await this.deployment.exec("database", ["cat", `${STATE}/calls`])).trim()
      .split("\n");
  }

  /** Forgets what they were called with. */
  async forgetCalls(): Promise<void> {
    await this.deployment.exec("database", ["sh", "-c", `: > ${STATE}/calls`]);
  }

  /** The metadata script that a restore has run last; undefined when none. */
  async takeMetadata(): Promise<string | undefined> {
    const take = `cat ${STATE}/metadata && rm ${STATE}/metadata`;
    const answer = await this.deployment.exec("database", ["sh", "-c", take], { mayFail: true });
    return answer.code === 0 ? text(answer).trim() : undefined;
  }
}
