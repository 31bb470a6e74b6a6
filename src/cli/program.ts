import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  actAsMenu,
  addExamples,
  allCommands,
  applyEnvironment,
  commandPath,
  createRootCommand,
  defaultCommandOf,
  flagValue,
  normaliseBooleans,
  TASK_MANAGER_PROGRAM,
} from "./syntax/mod.ts";
import { addCommands, superfluousRights } from "./commands/mod.ts";
import { onUnsyncableDirectory } from "../files/mod.ts";
import {
  type CliContext,
  EXIT_STATUS_HELP,
  EXIT_SUCCESS,
  redactUrls,
  type Right,
} from "./process/mod.ts";
import { configureLog, RunMonitor } from "./report/mod.ts";
import type { Session } from "./session/mod.ts";

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
  /** Takes away what is drawn on the terminal; errors may be written from then on. */
  readonly quiet: () => void;
  /** Tells the end of the run to whoever waits for it. */
  readonly end: (exitCode: number) => Promise<void>;
}

/** The commands of which metrics are kept, and the operation that they count for. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["create", "create"],
  ["create from-files", "create"],
  ["create from-commands", "create"],
  ["restore", "restore"],
  ["snapshots check", "check"],
]);

/** Width of help texts where the output is no terminal. */
const HELP_WIDTH = 100;

/** Builds the command tree; nothing is read from the command line or the environment yet. */
export function createProgram(context: CliContext): Program {
  const isTaskManager = context.program === TASK_MANAGER_PROGRAM;
  const root = createRootCommand(isTaskManager);
  let exitCode = EXIT_SUCCESS;
  const globals = () => root.opts();
  let denied: ReadonlySet<string> = new Set();
  let current: CommandUnknownOpts = root;
  const monitor = new RunMonitor(context);
  /** What commands and the log write goes around what is drawn on the terminal. */
  const watched: CliContext = {
    ...context,
    writeError: monitor.writeError,
    writeOut: (text) => {
      monitor.clear();
      context.writeOut(text);
    },
  };
  let words: readonly string[] = [];
  /** A global option's value, even if the command line could not be parsed so far. */
  const known = (
    name: "logFormat" | "metricsFile" | "repo" | "deployment" | "project" | "k8sNamespace",
    flag: string,
    variable: string,
  ) => {
    const source = root.getOptionValueSource(name);
    const isGiven = source !== undefined && source !== "default";
    return (isGiven ? undefined : flagValue(words, flag) ?? context.env(variable)) ||
      globals()[name];
  };
  const json = () => known("logFormat", "--log-format", "INFRAHUB_LOG_FORMAT") === "json";
  const configure = () => {
    const { logLevel, quiet } = globals();
    configureLog(watched, { json: json(), level: quiet ? "warning" : logLevel });
  };
  const session = (): Session => ({
    context: watched,
    globals: globals(),
    reporter: monitor.reporter(),
    command: routeOf(current),
    json: json(),
    isGiven: (option) => root.getOptionValueSource(option) === "cli",
    exitWith: (code) => void (exitCode = code),
    giveUp: (rights) => context.giveUp(rights.filter((right) => !reserved().has(right))),
    completed: monitor.completed,
  });
  const metricsFile = () => known("metricsFile", "--metrics-file", "INFRAHUB_METRICS_FILE");
  const place = () => {
    const deployment = known("deployment", "--deployment", "INFRAHUB_BACKUP_DEPLOYMENT") ||
      known("k8sNamespace", "--k8s-namespace", "INFRAHUB_K8S_NAMESPACE") ||
      known("project", "--project", "INFRAHUB_PROJECT");
    const repository = known("repo", "--repo", "INFRAHUB_REPO");
    return {
      ...(deployment ? { deployment } : {}),
      ...(repository ? { repository: redactUrls(repository) } : {}),
    };
  };
  const operation = () => OPERATIONS.get(routeOf(current));
  /** The rights that the run needs beside its command. */
  const reserved = (): ReadonlySet<Right> =>
    new Set<Right>([
      // A datagram to a socket that is a file counts as both.
      ...(monitor.isNotifying ? ["net", "write"] as const : []),
      ...(metricsFile() && operation() !== undefined ? ["write" as const] : []),
    ]);
  let text = "";
  /** Help, which comes in pieces, and the version. */
  const writeText = (piece: string) => {
    if (json()) text += piece;
    else context.writeOut(piece);
  };
  root
    .exitOverride()
    .configureOutput({
      writeOut: writeText,
      writeErr: (piece) => context.writeError(piece),
      // Errors are written once, by the caller, in the format of the log.
      outputError: () => {},
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("afterAll", EXIT_STATUS_HELP)
    .hook("preAction", async (_root, command) => {
      const warnings = applyEnvironment(command, context.env, denied);
      configure();
      for (const warning of warnings) monitor.reporter().warn(warning);
      current = command;
      const { logLevel, progressInterval, quiet } = globals();
      const isTold = !quiet && (logLevel === "info" || logLevel === "debug");
      let isUnsyncableTold = false;
      onUnsyncableDirectory((path) => {
        if (isUnsyncableTold) return;
        isUnsyncableTold = true;
        monitor.reporter().warn(
          `Folders such as ${path} cannot be synced there: a power cut may lose what was written ` +
            'last before it. Everything else is as anywhere; "repo validate" tells more',
        );
      });
      monitor.start({
        operation: routeOf(command),
        bars: isTold && !json(),
        lineIntervalMs: progressInterval,
      });
      const rights = superfluousRights({
        route: routeOf(command),
        globals: globals(),
        options: command.opts(),
        args: command.args,
        reserved: reserved(),
      });
      monitor.reporter().debug(`Given up for the rest of the run: ${rights.join(", ")}`);
      await context.giveUp(rights);
    });
  actAsMenu(root);
  addCommands(root, session, isTaskManager);
  addExamples(root);
  for (const command of allCommands(root)) {
    // Known before its options are parsed: a mistake in them is a failure of that command.
    command.hook("preSubcommand", (_command, subcommand) => void (current = subcommand));
  }
  return {
    root,
    json,
    exitCode: () => exitCode,
    debug: () => globals().logLevel === "debug",
    quiet: () => monitor.quiet(),
    end: async (code) => {
      await monitor.end({
        exitCode: code,
        metricsFile: metricsFile(),
        operation: operation(),
        place: place(),
      });
    },
    run: async (argv) => {
      words = argv;
      configure();
      const normalised = normaliseBooleans(root, argv);
      denied = normalised.denied;
      try {
        await root.parseAsync(normalised.argv, { from: "user" });
      } finally {
        if (text !== "") {
          context.writeOut(`${JSON.stringify({ type: "text", text: text.trimEnd() })}\n`);
        }
      }
    },
  };
}

/** How a command is called, without the program's name: `snapshots list`. */
function routeOf(command: CommandUnknownOpts): string {
  const { parent } = command;
  const named = parent && defaultCommandOf(parent) === command ? parent : command;
  return commandPath(named).split(" ").slice(1).join(" ");
}
