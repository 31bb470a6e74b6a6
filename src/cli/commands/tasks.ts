import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type FlushKind, flushRuns, parseFlushArguments } from "../../infrahub/mod.ts";
import { writeJson } from "../report/mod.ts";
import { findDeployment, type SessionProvider } from "../session/mod.ts";
import { actAsMenu, UsageError } from "../syntax/mod.ts";

const MAX_ARGUMENTS = 2;

/** Adds `tasks` and what is below it. */
export function addTasks(root: CommandUnknownOpts, session: SessionProvider): void {
  const tasks = root.command("tasks").description("Maintain the task manager");
  actAsMenu(tasks);
  addFlush(tasks, session);
}

/** Adds `flush`: below `tasks`, or at the root of a program with the old name. */
export function addFlush(parent: CommandUnknownOpts, session: SessionProvider): void {
  const flush = parent.command("flush").description("Have the task manager forget old runs");
  actAsMenu(flush);
  addKind(flush, session, "flow-runs", "Delete flow runs that have ended (30 days are kept)");
  addKind(flush, session, "stale-runs", "Mark runs that hang as crashed (2 days are kept)");
}

function addKind(
  flush: CommandUnknownOpts,
  session: SessionProvider,
  kind: FlushKind,
  description: string,
): void {
  flush.command(kind)
    .description(description)
    .argument("[days_to_keep]", "runs younger than this stay")
    .argument("[batch_size]", "how many are read at once (default: 200)")
    .allowExcessArguments()
    .action(async (_days, _batch, _options, command) => {
      const { args } = command;
      if (args.length > MAX_ARGUMENTS) {
        throw new UsageError(
          `accepts between 0 and ${MAX_ARGUMENTS} arg(s), received ${args.length}`,
        );
      }
      const options = parseFlushArguments(kind, args);
      const current = session();
      const output = await flushRuns(await findDeployment(current), kind, options);
      if (current.json) writeJson(current, { ok: true, output });
      else if (output !== "") current.context.writeOut(`${output}\n`);
    });
}
