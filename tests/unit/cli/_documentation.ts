import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CommanderError } from "@commander-js/extra-typings";
import { allCommands } from "../../../src/cli/syntax/command_line.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { usageErrorOf } from "../../../src/cli/syntax/usage_error.ts";
import { recordingContext } from "./_support.ts";

/** A block of code in a page. */
export interface CodeBlock {
  /** Without the fences. */
  readonly text: string;
  /** The paragraph or comment right before it. */
  readonly before: string;
  /** Line of the first fence, from 1. */
  readonly line: number;
}

/** All blocks of shell commands in a page. */
export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => {
    const earlier = page.slice(0, match.index);
    return {
      text: match[1] ?? "",
      before: earlier.trimEnd().split(/\n\s*\n/).at(-1) ?? "",
      line: earlier.split("\n").length,
    };
  });
}

/**
 * The simple commands of a shell script, as words: quotes are taken off, comments, redirections and
 * what is around the commands left out. As much of a shell as documentation needs.
 *
 * @throws when a quote is not closed
 */
export function shellCommands(script: string): string[][] {
  const commands: string[][] = [[]];
  const tokens = script.replaceAll("\\\n", " ").matchAll(
    /(#[^\n]*)|(\n|\|\||&&|[|;&()])|(\d?[<>]{1,2}&?\s*\S+)|((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|;&()<>])+)|(['"])/g,
  );
  for (const [, comment, separator, redirection, word, quote] of tokens) {
    if (quote !== undefined) throw new Error(`a quote is not closed in: ${script}`);
    if (comment !== undefined || redirection !== undefined) continue;
    if (separator !== undefined) commands.push([]);
    else if (word !== undefined) commands.at(-1)?.push(unquote(word));
  }
  return commands.filter((words) => words.length > 0);
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
}

/** Arguments of every call of the tool in a script; variables set for it are left out. */
export function toolCalls(script: string): string[][] {
  return shellCommands(script).flatMap((words) => {
    const start = words.findIndex((word) => !/^\w+=/.test(word) && word !== "sudo");
    return /(^|\/)infrahub-backup$/.test(words[start] ?? "") ? [words.slice(start + 1)] : [];
  });
}

/**
 * Parses a command line as the program would, and runs nothing.
 *
 * @throws what the program would refuse it with
 */
export async function requireParses(argv: readonly string[]): Promise<void> {
  const { root, run } = createProgram(recordingContext());
  let isRun = false;
  for (const command of allCommands(root)) {
    command.action(() => {
      isRun = true;
      requireNoCommand(command);
    });
  }
  try {
    await run(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return; // help, or the version
    throw usageErrorOf(error);
  }
  if (!isRun) throw new Error("no command was run");
}

/** A mistyped sub-command is an argument too many of the command above it. */
function requireNoCommand(command: CommandUnknownOpts): void {
  const [unknown] = command.args;
  if (unknown === undefined || command.registeredArguments.length > 0) return;
  throw new Error(`unknown command ${JSON.stringify(unknown)}`);
}
