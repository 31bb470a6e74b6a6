import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Option } from "@commander-js/extra-typings";
import { InvalidCommandError, splitCommand } from "../../../environment/mod.ts";
import {
  commandSource,
  type Component,
  type ComponentSource,
  recordPath,
  resolveEdition,
} from "../../../infrahub/mod.ts";
import { backUpToRepository, initOption } from "./repository_backup.ts";
import { encryptOption } from "./encryption_options.ts";
import { dumpFormatOption, rawDumps } from "./dump_format.ts";
import { printResult } from "../../report/mod.ts";
import { streamTimeoutOption, UsageError } from "../../syntax/mod.ts";
import { requireKnownBackend, type SessionProvider } from "../../session/mod.ts";

/** Adds `create from-commands`. */
export function addCreateFromCommands(create: CommandUnknownOpts, session: SessionProvider): void {
  create.command("from-commands")
    .description(
      "Make a backup of what commands write to their standard output. Commands run without a " +
        "shell; a component is stored only if its command exits with 0 and its dump is whole",
    )
    .requiredOption("--neo4j-command <command>", "command that writes the Neo4j dump")
    .option("--postgres-command <command>", "command that writes the PostgreSQL dump")
    .addOption(
      new Option(
        "--neo4j-edition <edition>",
        "enterprise (the command writes a tar) or community (a .dump)",
      ).default("enterprise"),
    )
    .option("--infrahub-version <version>", "version of Infrahub that the dumps come from")
    .addOption(dumpFormatOption())
    .addOption(streamTimeoutOption())
    .addOption(encryptOption())
    .addOption(initOption())
    .action(async (options) => {
      const current = session();
      await printResult(current, async () => {
        if (requireKnownBackend(current.globals) === "tarball") {
          throw new UsageError(
            '"create from-commands" stores into a repository only: ' +
              "use --backend plakar --repo <location>",
          );
        }
        const { edition } = resolveEdition(options.neo4jEdition);
        const source = (component: Component, flag: string, command: string): ComponentSource =>
          commandSource(
            component,
            recordPath(component, edition),
            argvOf(flag, command),
            options.streamTimeout,
          );
        const sources = [source("neo4j", "--neo4j-command", options.neo4jCommand)];
        if (options.postgresCommand !== undefined) {
          sources.push(source("postgres", "--postgres-command", options.postgresCommand));
        }
        return await backUpToRepository(current, {
          sources,
          neo4jEdition: edition,
          infrahubVersion: options.infrahubVersion ?? "",
          ...rawDumps(options),
        }, { encrypt: options.encrypt ?? false, init: options.init ?? false });
      });
    });
}

function argvOf(flag: string, command: string): string[] {
  try {
    return splitCommand(command);
  } catch (error) {
    if (!(error instanceof InvalidCommandError)) throw error;
    throw new UsageError(
      `invalid argument ${JSON.stringify(command)} for "${flag}" flag: ${error.message}`,
      { cause: error },
    );
  }
}
