import { messageOf } from "../../errors/mod.ts";
import {
  attempt,
  CacheNotEmptiedError,
  DATABASE,
  type Deployment,
  DeploymentError,
  DeploymentRefusedError,
  emptyCache,
  restartDependencies,
  startApplicationServices,
  startFrontServices,
} from "../deployment/mod.ts";
import {
  DatabaseNotOpenedError,
  lookAtStage,
  putBackStaged,
  removeBeside,
  resumeHeldNeo4j,
  startReplacedDatabase,
  waitForNeo4j,
} from "../neo4j/mod.ts";
import { DatabaseSwap, findPrivilegedClient, startPostgres } from "../postgres/mod.ts";
import { putBackStorage } from "../storage/mod.ts";
import {
  type DeploymentRuns,
  describeLeftover,
  type Leftover,
  type RunDirection,
  type UnfinishedRun,
} from "../unfinished/mod.ts";
import { formatLocalTime } from "../timestamp.ts";
import type { Credentials } from "./credentials.ts";

/** A run that is put right. */
export interface RecoverOptions {
  readonly deployment: Deployment;
  readonly credentials: Credentials;
  readonly runs: DeploymentRuns;
  readonly run: UnfinishedRun;
}

/** Longest wait in milliseconds for a Neo4j that has just been brought back, whatever its size. */
const READY_MS = 1_800_000;

/** A run for people: what it was, of whom and since when. */
export function describeRun({ command, host, pid, startedAt }: UnfinishedRun): string {
  return `${command} of ${host} (process ${pid}, begun ${formatLocalTime(startedAt)})`;
}

/** What is left of a run, for people. */
export function describeLeftovers({ leftovers }: UnfinishedRun): string {
  return leftovers.map(describeLeftover).join("; ");
}

/**
 * Whether only another restore can put right what a run has left: it was killed while Neo4j itself
 * replaced a database.
 */
export function isLost({ leftovers }: UnfinishedRun): boolean {
  return leftovers.length > 0 && leftovers.every(isHalfReplaced);
}

/**
 * Puts right what a killed run has left, after a look at what is really there: back to the old data,
 * or on to the new where all of it is in its place. May be called again after a failure.
 *
 * @returns which way it went
 * @throws {DeploymentRefusedError} when a database was half replaced, so that only a restore helps;
 * everything else has been put right then
 * @throws {DeploymentError} when something could not be put right
 */
export async function recoverRun(options: RecoverOptions): Promise<RunDirection> {
  const { run, runs } = options;
  await using _adopted = await runs.adopt(run);
  const recovery = new Recovery(options);
  const direction = await recovery.perform();
  if (!run.leftovers.some(isHalfReplaced)) {
    await runs.forget(run);
    return direction;
  }
  await runs.reduce(run, run.leftovers.filter(isHalfReplaced));
  throw new DeploymentRefusedError(
    `${
      describeRun(run)
    } was killed while Neo4j replaced its database, which is neither the old nor ` +
      "the new one: restore a backup. Everything else has been put right",
  );
}

function isHalfReplaced(leftover: Leftover): boolean {
  return leftover.kind === "replaced-neo4j" && leftover.step === "replacing";
}

class Recovery {
  readonly #options: RecoverOptions;
  readonly #deployment: Deployment;

  constructor(options: RecoverOptions) {
    this.#options = options;
    this.#deployment = options.deployment;
  }

  async perform(): Promise<RunDirection> {
    const { run } = this.#options;
    await this.#bringUpNeo4j();
    const direction = await this.#direction();
    const { reporter } = this.#deployment;
    reporter.info(
      direction === "on"
        ? "The restored data is in its place: what was left to do is done"
        : "Everything is put back as it was before",
    );
    // The newest first, as the run itself would have done it.
    for (const leftover of [...run.leftovers].reverse()) {
      if (leftover.kind !== "services") await this.#putRight(leftover, direction);
    }
    if (direction === "on") {
      await restartDependencies(this.#deployment, {
        onCacheReady: (starting) => this.#emptyCache(starting),
      });
      const storage = this.#find("storage");
      await startFrontServices(
        this.#deployment,
        storage === undefined ? undefined : () => this.#putStorageBack(storage),
      );
    }
    for (const leftover of run.leftovers) {
      if (leftover.kind === "services") {
        await startApplicationServices(this.#deployment, leftover.services);
      }
    }
    return direction;
  }

  #find<Kind extends Leftover["kind"]>(kind: Kind): Extract<Leftover, { kind: Kind }> | undefined {
    return this.#options.run.leftovers.find((one): one is Extract<Leftover, { kind: Kind }> =>
      one.kind === kind
    );
  }

  /** Whatever else there is to do in its container takes it to be there. */
  async #bringUpNeo4j(): Promise<void> {
    const { environment, reporter, signal } = this.#deployment;
    const held = this.#find("held-neo4j");
    const needed = ["held-neo4j", "stopped-neo4j", "staged-neo4j", "replaced-neo4j"] as const;
    if (!needed.some((kind) => this.#find(kind) !== undefined)) return;
    if (await environment.status(DATABASE, signal) === "stopped") {
      reporter.info("Starting Neo4j...");
      await attempt(
        this.#deployment,
        "failed to start Neo4j",
        () => environment.start([DATABASE], signal),
      );
    } else if (held !== undefined) await resumeHeldNeo4j(this.#deployment, held);
  }

  async #direction(): Promise<RunDirection> {
    const { run } = this.#options;
    if (run.direction === "on") return "on";
    if (this.#find("replaced-neo4j")?.step === "replaced") return "on";
    const staged = this.#find("staged-neo4j");
    if (staged === undefined) return "back";
    const state = await attempt(
      this.#deployment,
      "failed to look at the neo4j databases",
      () => lookAtStage(this.#deployment, staged),
    );
    if (state !== "after") return "back";
    try {
      await this.#waitForNeo4j();
      return "on";
    } catch (error) {
      // What cannot be opened is not kept. One that is slow may still be, and is waited for again.
      if (!(error instanceof DatabaseNotOpenedError)) throw error;
      this.#deployment.reporter.warn(messageOf(error));
      return "back";
    }
  }

  async #putRight(leftover: Leftover, direction: RunDirection): Promise<void> {
    const deployment = this.#deployment;
    const { environment, signal } = deployment;
    const { credentials, run } = this.#options;
    switch (leftover.kind) {
      case "directory":
        await attempt(
          deployment,
          `failed to remove ${leftover.path} from ${leftover.service}`,
          () => environment.run(leftover.service, ["rm", "-rf", leftover.path], { signal }),
        );
        return;
      case "held-neo4j":
      case "stopped-neo4j":
        await this.#waitForNeo4j();
        return;
      case "staged-neo4j":
        if (direction === "back") {
          await putBackStaged(deployment, credentials.neo4j, leftover, {
            readyTimeoutMs: READY_MS,
          });
          await this.#waitForNeo4j();
        } else {
          await this.#waitForNeo4j();
          if (!run.keepsOld) await removeBeside(deployment, leftover, "former");
        }
        return;
      case "replaced-neo4j":
        // A database whose files were only half replaced may never come online.
        if (!isHalfReplaced(leftover)) {
          await startReplacedDatabase(deployment, credentials.neo4j, READY_MS);
        }
        return;
      case "postgres":
        await this.#putPostgresRight(leftover, direction);
        return;
      case "services":
      case "storage":
        return;
    }
  }

  async #putPostgresRight(
    facts: Extract<Leftover, { kind: "postgres" }>,
    direction: RunDirection,
  ): Promise<void> {
    const deployment = this.#deployment;
    // The service that knows its name may be one of those that are down.
    const server = { ...this.#options.credentials.postgres(), database: facts.database };
    await startPostgres(deployment, server);
    const swap = new DatabaseSwap(await findPrivilegedClient(deployment, server), facts);
    if (direction === "back") {
      await attempt(deployment, "failed to put back PostgreSQL", () => swap.undo(deployment));
      return;
    }
    const { names } = await swap.look(deployment);
    if (names.has(facts.fresh)) {
      throw new DeploymentError(
        `the restored graph is in its place, and PostgreSQL database ${facts.fresh} is not: ` +
          "restore the backup again",
      );
    }
    if (!this.#options.run.keepsOld) await swap.dropOld(deployment);
  }

  /** It may hold data of before; on a host it may be others' as well. */
  async #emptyCache(deployment: Deployment): Promise<void> {
    if (deployment.environment.kind === "host") return;
    try {
      await emptyCache(deployment, this.#options.credentials.cache);
    } catch (error) {
      if (!(error instanceof CacheNotEmptiedError)) throw error;
      deployment.reporter.warn(error.message);
    }
  }

  /** The server has to run for it, and the workers must not. */
  async #putStorageBack(storage: Extract<Leftover, { kind: "storage" }>): Promise<void> {
    await putBackStorage(this.#deployment, storage);
    this.#deployment.reporter.warn(
      "The stored objects are as they were before: restore the backup again to have its own",
    );
  }

  async #waitForNeo4j(): Promise<void> {
    this.#deployment.reporter.info("Waiting for Neo4j to answer...");
    await waitForNeo4j(this.#deployment, this.#options.credentials.neo4j, { timeoutMs: READY_MS });
  }
}
