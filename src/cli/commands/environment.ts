import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CommandFailedError, type FoundEnvironments } from "../../environment/mod.ts";
import { findPlace } from "../../infrahub/mod.ts";
import { writeJson } from "../report/mod.ts";
import {
  connect,
  deploymentName,
  deploymentRuns,
  detectOptions,
  type Session,
  type SessionProvider,
  tellOf,
} from "../session/mod.ts";
import { actAsMenu } from "../syntax/mod.ts";

/** Adds `environment` and what is below it. */
export function addEnvironment(root: CommandUnknownOpts, session: SessionProvider): void {
  const environment = root.command("environment")
    .description("Find deployments of Infrahub");
  actAsMenu(environment);
  addDetect(environment, session);
  addList(environment, session);
}

function addDetect(environment: CommandUnknownOpts, session: SessionProvider): void {
  environment.command("detect")
    .description("Show which deployment the other commands would act on")
    .option("--json", "print it on standard output as JSON")
    .allowExcessArguments()
    .action(async (options) => {
      const current = session();
      const { deployment } = await connect(current);
      const { kind, target } = deployment.environment;
      current.reporter.info(`Target: ${target}`);
      const name = deploymentName(current);
      const place = await findPlace(deployment, current.context.hostname());
      const unfinished =
        await deploymentRuns(current, { place, ...(name === undefined ? {} : { name }) })?.find() ??
          [];
      for (const run of unfinished) {
        current.reporter.warn(
          tellOf(run) + (run.isAlive ? "" : '; "restore --recover" puts it right'),
        );
      }
      if (options.json || current.json) {
        writeJson(current, {
          kind,
          target,
          ...(unfinished.length === 0 ? {} : {
            unfinished: unfinished.map((run) => ({
              command: run.command,
              host: run.host,
              pid: run.pid,
              started_at: run.startedAt.toISOString(),
              alive: run.isAlive,
              left: run.leftovers.map(({ kind }) => kind),
            })),
          }),
        });
      }
    });
}

function addList(environment: CommandUnknownOpts, session: SessionProvider): void {
  environment.command("list")
    .description("List all deployments that can be found")
    .option("--json", "print them on standard output as JSON")
    .allowExcessArguments()
    .action(async (options) => {
      const current = session();
      const found = await current.context.listEnvironments(detectOptions(current));
      reportProblems(current, found.problems);
      if (options.json || current.json) {
        writeJson(current, {
          docker_compose_projects: found.projects,
          kubernetes_namespaces: found.namespaces,
        });
      } else {
        printFound(current, found);
      }
    });
}

function printFound({ context, reporter }: Session, found: FoundEnvironments): void {
  const { projects, namespaces } = found;
  if (projects.length + namespaces.length === 0) {
    reporter.info("No Infrahub deployments detected");
  }
  for (
    const [heading, names] of [
      ["Docker Compose projects:", projects],
      ["Kubernetes namespaces:", namespaces],
    ] as const
  ) {
    if (names.length === 0) continue;
    reporter.info(heading);
    for (const name of names) context.writeOut(`  ${name}\n`);
  }
}

/** A client that is not installed has nothing to list; one that fails may have. */
function reportProblems({ reporter }: Session, problems: readonly Error[]): void {
  for (const problem of problems) {
    const isMissing = problem instanceof CommandFailedError &&
      problem.commandExitCode === undefined;
    const report = isMissing ? reporter.debug : reporter.warn;
    const [reason = ""] = problem.message.split("\n");
    report(`Some deployments may not have been found: ${reason.replace(/; stderr:$/, "")}`);
  }
}
