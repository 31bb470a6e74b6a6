import { messageOf } from "../../errors/mod.ts";
import type { Deployment } from "../deployment/mod.ts";
import { describedClient, type PostgresServer, runSql } from "../postgres/mod.ts";

/**
 * Tells of the tasks that the stop of the workers has cut off: those that began after the last look
 * at running tasks, and those that nobody had waited for. They are in the backup as they are now.
 *
 * Prefect has been stopped as well by then, so that its database is asked, the one exception. A
 * database that has other tables, or does not answer, only has a detail in the log: the dump that
 * follows will tell.
 *
 * @param sinceMs milliseconds since the workers were there for certain
 */
export async function tellCutOffTasks(
  deployment: Deployment,
  server: PostgresServer,
  sinceMs: number,
): Promise<void> {
  const { reporter, signal } = deployment;
  const seconds = Math.ceil(sinceMs / 1_000);
  const isCutOff = "state_type::text IN ('RUNNING', 'PENDING', 'CANCELLING') OR " +
    `state_type::text = 'CRASHED' AND end_time >= now() - interval '${seconds} seconds'`;
  const isDue = "state_type::text = 'SCHEDULED' AND next_scheduled_start_time <= now()";
  try {
    const answer = await runSql(
      deployment,
      describedClient(deployment, server),
      server.database,
      `SELECT count(*) FILTER (WHERE ${isCutOff}), count(*) FILTER (WHERE ${isDue}) FROM flow_run`,
    );
    const [, cutOff, due] = /^(\d+)\|(\d+)$/.exec(answer.trim()) ?? [];
    if (cutOff === undefined || due === undefined) {
      reporter.debug(`Could not ask for tasks that were cut off: ${JSON.stringify(answer)}`);
      return;
    }
    if (cutOff !== "0") {
      reporter.warn(
        `${cutOff} tasks had not ended when the workers were stopped; the backup has them like that`,
        { tasks: Number(cutOff) },
      );
    }
    if (due !== "0") {
      reporter.info(
        `${due} tasks are queued; the backup has them so, and they will run after a restore, too`,
        { tasks: Number(due) },
      );
    }
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not ask for tasks that were cut off: ${messageOf(error)}`);
  }
}
