/**
 * The program, with a probe in it: each time that it has given rights up, and whenever it writes a
 * result, the probe tries to start a program, to connect, to write where `PROBE_FILE` of the working
 * directory would be, to read a variable and to ask for the host's name, and tells on standard error
 * what it was let do. Run from the sources, and compiled beside the executable.
 *
 * @module
 */

import { handleSignals, processContext, run } from "../../src/cli/mod.ts";

/** Nobody listens there: what is let through is refused by the kernel, and not by the runtime. */
const NOBODY = { hostname: "127.0.0.1", port: 1 };

async function isLet(attempt: () => unknown): Promise<boolean> {
  try {
    await attempt();
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
  return true;
}

const ATTEMPTS: readonly [string, () => unknown][] = [
  ["run", () => new Deno.Command("true").output()],
  ["net", async () => (await Deno.connect(NOBODY)).close()],
  ["write", () => Deno.writeTextFile("probe-was-here", "")],
  ["env", () => Deno.env.get("HOME")],
  ["sys", () => Deno.hostname()],
  ["ffi", () => Deno.dlopen("/nowhere", {})],
];

async function probe(moment: string): Promise<void> {
  const allowed: string[] = [];
  for (const [name, attempt] of ATTEMPTS) if (await isLet(attempt)) allowed.push(name);
  const line = `PROBE ${JSON.stringify({ moment, allowed })}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

const controller = new AbortController();
handleSignals(controller);
const context = processContext(controller.signal);
const probes: Promise<void>[] = [];
const code = await run(Deno.args, {
  ...context,
  program: "infrahub-backup",
  giveUp: async (rights) => {
    await context.giveUp(rights);
    await probe("given up");
  },
  writeOut: (text) => {
    probes.push(probe("result"));
    context.writeOut(text);
  },
  writeOutBytes: async (bytes) => {
    await probe("result");
    await context.writeOutBytes(bytes);
  },
});
await Promise.all(probes);
Deno.exit(code);
