/**
 * The program as an operator runs it, against a test deployment.
 *
 * @module
 */

import { findTool } from "../../scripts/tool.ts";
import type { Deployment } from "./deployment.ts";

/** How a run ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program on a deployment, to its end. */
export async function runTool(
  deployment: Deployment,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const { argv: [program, ...first], env } = findTool();
  const command = new Deno.Command(program, {
    args: [...first, "--project", deployment.project, ...args],
    clearEnv: true,
    env: {
      // The executable needs nothing; docker has to be found, and to find its engine.
      PATH: Deno.env.get("PATH") ?? "",
      ...env,
      ...deployment.environment,
      ...options.env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the program; it must exit with 0. */
export async function runToolOk(
  deployment: Deployment,
  args: readonly string[],
): Promise<Outcome> {
  const outcome = await runTool(deployment, args);
  if (outcome.code !== 0) {
    throw new Error(
      `"${args.join(" ")}" exited ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`,
    );
  }
  return outcome;
}
