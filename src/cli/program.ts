import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { applyEnvironment, normaliseBooleans } from "./command_line.ts";
import { addCompletion } from "./completion.ts";
import type { CliContext } from "./context.ts";
import { addCreate } from "./create.ts";
import { addEnvironment } from "./environment.ts";
import { EXIT_STATUS_HELP, EXIT_SUCCESS } from "./exit_codes.ts";
import { addKeygen } from "./keygen.ts";
import { configureLog, logReporter } from "./log.ts";
import { actAsMenu } from "./menu.ts";
import { addRestore } from "./restore.ts";
import { createRootCommand, TASK_MANAGER_PROGRAM } from "./root_command.ts";
import type { Session } from "./session.ts";
import { addSnapshots } from "./snapshots.ts";
import { addFlush, addTasks } from "./tasks.ts";
import { addVersion } from "./version_command.ts";

/** The program's commands, ready to run. */
export interface Program {
  readonly root: CommandUnknownOpts;
  /** Whether logs, results and errors are JSON, as far as is known so far. */
  readonly json: () => boolean;
  /** Whether details for whoever looks for a fault are shown. */
  readonly debug: () => boolean;
  /** What to exit with after a run that did not fail. */
  readonly exitCode: () => number;
  /** Parses the command line, without the program's name, and runs what it names. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}

/** Width of help texts where the output is no terminal. */
const HELP_WIDTH = 100;

/** Builds the command tree; nothing is read from the command line or the environment yet. */
export function createProgram(context: CliContext): Program {
  const isTaskManager = context.program === TASK_MANAGER_PROGRAM;
  const root = createRootCommand(isTaskManager);
  let exitCode = EXIT_SUCCESS;
  const globals = () => root.opts();
  let denied: ReadonlySet<string> = new Set();
  const json = () => {
    const { logFormat } = globals();
    // A command line that could not be parsed never got to the variables.
    const given = root.getOptionValueSource("logFormat") !== "default";
    return ((given ? logFormat : context.env("INFRAHUB_LOG_FORMAT")) || logFormat) === "json";
  };
  const configure = () => {
    const { logLevel, quiet } = globals();
    configureLog(context, { json: json(), level: quiet ? "warning" : logLevel });
  };
  const session = (): Session => ({
    context,
    globals: globals(),
    reporter: logReporter(),
    json: json(),
    isGiven: (option) => root.getOptionValueSource(option) === "cli",
    exitWith: (code) => void (exitCode = code),
  });
  root
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.writeOut(text),
      writeErr: (text) => context.writeError(text),
      // Errors are written once, by the caller, in the format of the log.
      outputError: () => {},
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("afterAll", EXIT_STATUS_HELP)
    .hook("preAction", (_root, command) => {
      applyEnvironment(command, context.env, denied);
      configure();
    });
  actAsMenu(root);
  if (isTaskManager) {
    addFlush(root, session);
  } else {
    addCreate(root, session);
    addRestore(root, session);
    addKeygen(root, session);
    addSnapshots(root, session);
    addTasks(root, session);
  }
  addEnvironment(root, session);
  addVersion(root, session);
  addCompletion(root, session);
  return {
    root,
    json,
    exitCode: () => exitCode,
    debug: () => globals().logLevel === "debug",
    run: async (argv) => {
      configure();
      const normalised = normaliseBooleans(root, argv);
      denied = normalised.denied;
      await root.parseAsync(normalised.argv, { from: "user" });
    },
  };
}
