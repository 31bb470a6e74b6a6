/**
 * The ground on which the end-to-end tests stand: a Docker engine of its own, Docker Compose, and
 * images with real PostgreSQL and real Neo4j.
 *
 * ```sh
 * deno run -A scripts/e2e/stack.ts up              # install, start, build: ready for the tests
 * deno run -A scripts/e2e/stack.ts status          # what runs; exit code 1 when nothing does
 * eval "$(deno run -A scripts/e2e/stack.ts env)"   # docker and docker compose in your own shell
 * deno run -A scripts/e2e/stack.ts images          # make the images; the engine stops afterwards
 *                                                  # if nobody else uses it
 * deno run -A scripts/e2e/stack.ts down            # end the engine, containers and volumes go
 * deno run -A scripts/e2e/stack.ts down --purge    # its store as well
 * ```
 *
 * Needs Debian, root, Go and the package registries, and on a fresh machine some ten minutes; what
 * it makes is kept in the cache folder of `scripts/peers.ts`, under `e2e`. It ends nothing that it
 * did not start.
 *
 * @module
 */

import { report, StackError } from "./command.ts";
import {
  beginUse,
  endUse,
  engineEnvironment,
  engineStatus,
  keepEngine,
  removeStore,
  startEngine,
  stopEngine,
} from "./engine.ts";
import { cacheFolder, exclusively, runtimeFolder } from "./folders.ts";
import { ensureImages, imageArchive, neo4jJars } from "./images.ts";
import { composeFolder, hasCompose, HOST_PACKAGES, installPackages } from "./programs.ts";

export { run, StackError } from "./command.ts";
export { engineEnvironment } from "./engine.ts";
export { cacheFolder, exclusively } from "./folders.ts";

/**
 * Installs, starts and builds whatever is missing, and begins a use of the engine.
 *
 * @returns what `endUse` wants
 * @throws {StackError} when the machine lacks something that cannot be installed here.
 */
export async function bringUp(): Promise<string> {
  return await exclusively(async () => {
    await installPackages();
    await composeFolder();
    await startEngine();
    const use = await beginUse();
    await ensureImages();
    return use;
  });
}

/** Ends a use that {@linkcode bringUp} has begun; the engine ends with the last one. */
export async function bringDown(use: string): Promise<void> {
  await exclusively(() => endUse(use));
}

/**
 * Installs what databases need that run on this machine itself, without an engine.
 *
 * @returns the folder of Neo4j's jars
 * @throws {StackError} when the machine lacks something that cannot be installed here.
 */
export async function bringUpHost(): Promise<string> {
  return await exclusively(async () => {
    await installPackages(HOST_PACKAGES);
    return await neo4jJars();
  });
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function status(): Promise<number> {
  const engine = await engineStatus();
  print(`cache    ${cacheFolder()}`);
  print(`runtime  ${runtimeFolder()}`);
  print(`compose  ${await hasCompose() ? "built" : "missing"}`);
  print(`images   ${await imageArchive() ?? "missing"}`);
  if (engine === undefined) {
    print("engine   not running");
    return 1;
  }
  const { pid, version, storageDriver, containers } = engine;
  print(`engine   ${version}, ${storageDriver}, process ${pid}, ${containers} containers`);
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...flags] = args;
  const started = performance.now();
  switch (args.join(" ")) {
    case "up":
      await bringUp();
      await keepEngine();
      break;
    case "images":
      await bringDown(await bringUp());
      break;
    case "status":
      return await status();
    case "env":
      for (const [name, value] of Object.entries(await engineEnvironment())) {
        print(`export ${name}='${value}'`);
      }
      return 0;
    case "down":
    case "down --purge":
      await exclusively(async () => {
        if (!await stopEngine()) report("no engine runs");
        if (flags.includes("--purge")) await removeStore();
      });
      break;
    default:
      report("usage: stack.ts up | down [--purge] | images | status | env");
      return 2;
  }
  report(`${command}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    report(error.message);
    Deno.exit(1);
  }
}
