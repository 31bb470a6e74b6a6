import {
  DeploymentRefusedError,
  describeRun,
  findPlace,
  recoverRun,
} from "../../../infrahub/mod.ts";
import type { CommandResult } from "../../report/mod.ts";
import {
  connect,
  deploymentName,
  deploymentRuns,
  type Session,
  tellOf,
} from "../../session/mod.ts";

/** `restore --recover`: puts right what killed runs have left on the deployment. */
export async function recover(
  session: Session,
  { waitsForServices }: { readonly waitsForServices: boolean },
): Promise<CommandResult> {
  const { context, reporter } = session;
  const connection = await connect(session, waitsForServices);
  const name = deploymentName(session);
  const place = await findPlace(connection.deployment, context.hostname());
  const runs = deploymentRuns(session, { place, ...(name === undefined ? {} : { name }) });
  const found = await runs?.find() ?? [];
  if (runs === undefined || found.length === 0) {
    return {
      text: "Nothing to recover: no run of this host on this deployment is unfinished",
      json: { recovered: [] },
    };
  }
  const alive = found.find((run) => run.isAlive);
  if (alive !== undefined) {
    throw new DeploymentRefusedError(
      `${tellOf(alive)}: there is nothing to recover before it ends`,
    );
  }
  const recovered = [];
  const lines = [];
  for (const run of found) {
    reporter.warn(tellOf(run));
    const direction = await recoverRun({ ...connection, runs, run });
    const outcome = direction === "on" ? "brought to its end" : "put back as it was before";
    lines.push(`${describeRun(run)}: ${outcome}`);
    recovered.push({
      command: run.command,
      host: run.host,
      pid: run.pid,
      started_at: run.startedAt.toISOString(),
      outcome: direction === "on" ? "finished" : "put back",
    });
  }
  return { text: lines.join("\n"), json: { recovered } };
}
