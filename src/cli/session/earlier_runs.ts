import {
  type DeploymentIdentity,
  DeploymentRefusedError,
  DeploymentRuns,
  describeLeftovers,
  describeRun,
  isLost,
  recoverRun,
  type RunRecord,
  type UnfinishedRun,
} from "../../infrahub/mod.ts";
import type { IdentifiedConnection } from "./connect.ts";
import type { Session } from "./session.ts";
import { stateDirectory } from "./state_directory.ts";

/**
 * The runs that change a deployment, as this host knows them; undefined where there is no directory to
 * keep them in.
 */
export function deploymentRuns(
  { context, reporter }: Session,
  identity: Pick<DeploymentIdentity, "place" | "name">,
): DeploymentRuns | undefined {
  const directory = stateDirectory(context.env);
  return directory === undefined ? undefined : DeploymentRuns.of(directory, identity, reporter);
}

/** Keeps what this run would leave if it was killed; to be spread into a run's options. */
export function recordOf(
  session: Session,
  { inHand }: Pick<IdentifiedConnection, "inHand">,
  command: string,
  keepsOld = false,
): { readonly record?: RunRecord } {
  const { context, reporter } = session;
  const runs = deploymentRuns(session, inHand.deployment);
  if (runs === undefined) {
    reporter.warn(
      "There is no directory for what this run changes (no HOME, XDG_STATE_HOME or " +
        "STATE_DIRECTORY): after a crash, nobody would know what to put right",
    );
    return {};
  }
  return {
    record: runs.begin({
      command,
      host: context.hostname(),
      pid: context.pid,
      startedAt: context.now(),
      keepsOld,
    }),
  };
}

/** What a killed run has left, in a sentence. */
export function tellOf(run: UnfinishedRun): string {
  return run.isAlive
    ? `${describeRun(run)} is changing this deployment now`
    : `${describeRun(run)} was killed while it changed this deployment; what may be left: ` +
      describeLeftovers(run);
}

/**
 * Looks for runs on the deployment that have not ended. What a backup has left is put right at once: it
 * stopped services and changed no data. What a restore has left is somebody's to decide.
 *
 * @param mayChange whether anything may be put right now
 * @throws {DeploymentRefusedError} a restore is under way, or was killed; or this is one, and another
 * run is under way
 */
export async function settleEarlierRuns(
  session: Session,
  { inHand, ...connection }: IdentifiedConnection,
  { command, mayChange }: { readonly command: "create" | "restore"; readonly mayChange: boolean },
): Promise<void> {
  const { reporter } = session;
  const runs = deploymentRuns(session, inHand.deployment);
  for (const run of await runs?.find() ?? []) {
    const isRestore = run.command === "restore";
    const told = tellOf(run);
    if (run.isAlive) {
      if (!isRestore && command !== "restore") continue;
      if (mayChange) throw new DeploymentRefusedError(`${told}: wait until it has ended`);
      reporter.warn(told);
      continue;
    }
    const isReplacedAnyway = command === "restore" && isLost(run);
    if (!isRestore && mayChange && runs !== undefined) {
      reporter.warn(`${told}. That is put right now`);
      await recoverRun({ ...connection, runs, run });
    } else if (isRestore && mayChange && !isReplacedAnyway) {
      throw new DeploymentRefusedError(told, {
        hint: isLost(run)
          ? 'restore a backup: "restore --recover" has put right everything else'
          : '"restore --recover" puts it right, or brings it to its end',
      });
    } else reporter.warn(told);
  }
}
