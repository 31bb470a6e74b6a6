/**
 * A Docker engine of its own for the tests: own store, socket and process id, no network that it
 * shares with an engine of the machine.
 *
 * @module
 */

import { exists, report, run, StackError } from "./command.ts";
import { cacheFolder, runtimeFolder } from "./folders.ts";
import { composeFolder } from "./programs.ts";

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** In the run-time folder: who uses the engine, a file for each; and that it is to outlive them. */
const USES = "uses";
const STAYS = "stays";

/** What an engine says of itself. */
export interface EngineStatus {
  /** The process id of dockerd. */
  readonly pid: number;
  readonly version: string;
  /** For example `overlay2`. */
  readonly storageDriver: string;
  readonly containers: number;
}

function storeFolder(): string {
  return `${cacheFolder()}/docker`;
}

/** The environment in which `docker` and `docker compose` talk to the engine of the tests. */
export async function engineEnvironment(): Promise<Record<string, string>> {
  return {
    DOCKER_HOST: `unix://${runtimeFolder()}/docker.sock`,
    DOCKER_CONFIG: await composeFolder(),
    DOCKER_CONTEXT: "",
    // The images are built by the engine's own builder; buildx is not there.
    DOCKER_BUILDKIT: "0",
  };
}

/** The running dockerd, by its process id file and its command line. */
async function runningPid(): Promise<number | undefined> {
  let pid: number;
  try {
    pid = Number(await Deno.readTextFile(`${runtimeFolder()}/docker.pid`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    // The id may belong to another process by now.
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    return commandLine.split("\0").includes(`--data-root=${storeFolder()}`) ? pid : undefined;
  } catch (error) {
    // ESRCH (which Deno has no class for): it ended between open and read.
    if (error instanceof Deno.errors.NotFound || !await exists(`/proc/${pid}`)) return undefined;
    throw error;
  }
}

async function waitUntil(
  condition: () => Promise<boolean>,
  timeoutMs: number,
  failure: () => Promise<string>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!await condition()) {
    if (performance.now() > deadline) throw new StackError(await failure());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function logTail(): Promise<string> {
  const log = await Deno.readTextFile(`${runtimeFolder()}/dockerd.log`);
  return log.trim().split("\n").slice(-15).join("\n");
}

/** What the engine says of itself; undefined when none runs. */
export async function engineStatus(): Promise<EngineStatus | undefined> {
  const pid = await runningPid();
  if (pid === undefined) return undefined;
  const env = await engineEnvironment();
  const format = "{{.ServerVersion}} {{.Driver}} {{.Containers}}";
  const answer = await run("docker", ["info", "--format", format], { env });
  const [version = "", storageDriver = "", containers = "0"] = answer.trim().split(" ");
  return { pid, version, storageDriver, containers: Number(containers) };
}

/**
 * Starts the engine unless it runs. It outlives this process.
 *
 * @throws {StackError} when it does not answer in time; with the end of its log.
 */
export async function startEngine(): Promise<void> {
  if (await runningPid() !== undefined) return;
  if (Deno.uid() !== 0) throw new StackError("Cannot start a Docker engine: run as root");
  const runtime = runtimeFolder();
  await Deno.mkdir(runtime, { recursive: true, mode: 0o700 });
  await Deno.mkdir(storeFolder(), { recursive: true });
  await Deno.writeTextFile(`${runtime}/daemon.json`, "{}\n");
  const flags = [
    `--config-file=${runtime}/daemon.json`,
    `--data-root=${storeFolder()}`,
    `--exec-root=${runtime}/exec`,
    `--pidfile=${runtime}/docker.pid`,
    `--host=unix://${runtime}/docker.sock`,
    // Nothing of the host's packet filter or default bridge is touched: the deployments of the
    // tests have internal networks, and name lookups in them work without it.
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--userland-proxy=false",
    "--log-level=warn",
  ];
  report("starting dockerd");
  // setsid: an interrupt typed in the terminal must not reach it.
  const shell = `setsid dockerd "$@" > "$0" 2>&1 < /dev/null &`;
  await run("sh", ["-c", shell, `${runtime}/dockerd.log`, ...flags]);
  const env = await engineEnvironment();
  await waitUntil(
    async () => {
      if (await runningPid() === undefined) return false;
      try {
        await run("docker", ["info"], { env });
        return true;
      } catch (error) {
        // The socket is not there yet.
        if (error instanceof StackError) return false;
        throw error;
      }
    },
    START_TIMEOUT_MS,
    async () => `dockerd did not answer within ${START_TIMEOUT_MS / 1000} s:\n${await logTail()}`,
  );
}

/** dockerd leaves a network namespace mounted in its run-time folder. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((target) => target.startsWith(`${folder}/`));
  for (const target of mounts.toReversed()) await run("umount", [target]);
}

/**
 * Removes every container, volume and network of the engine and ends it. Images stay.
 *
 * @returns whether one ran
 * @throws {StackError} when it does not end in time.
 */
export async function stopEngine(): Promise<boolean> {
  const pid = await runningPid();
  if (pid === undefined) return false;
  const env = await engineEnvironment();
  const containers = (await run("docker", ["ps", "-aq"], { env })).split("\n").filter(Boolean);
  if (containers.length > 0) await run("docker", ["rm", "-f", "-v", ...containers], { env });
  const volumes = (await run("docker", ["volume", "ls", "-q"], { env })).split("\n").filter(
    Boolean,
  );
  if (volumes.length > 0) await run("docker", ["volume", "rm", "-f", ...volumes], { env });
  await run("docker", ["network", "prune", "-f"], { env });
  report("stopping dockerd");
  Deno.kill(pid, "SIGTERM");
  await waitUntil(
    async () => await runningPid() === undefined,
    STOP_TIMEOUT_MS,
    async () => `dockerd (process ${pid}) did not end:\n${await logTail()}`,
  );
  await unmountBelow(runtimeFolder());
  await Deno.remove(runtimeFolder(), { recursive: true });
  return true;
}

/**
 * Says that this process uses the running engine. Several runs may share it, of several clones; it
 * ends with the last of them.
 *
 * @returns what {@linkcode endUse} wants
 */
export async function beginUse(): Promise<string> {
  const folder = `${runtimeFolder()}/${USES}`;
  await Deno.mkdir(folder, { recursive: true });
  const use = `${folder}/${Deno.pid}-${crypto.randomUUID()}`;
  await Deno.writeTextFile(use, "");
  return use;
}

/** Ends a use, and the engine with it where nobody else uses it. */
export async function endUse(use: string): Promise<void> {
  if (await exists(use)) await Deno.remove(use);
  await stopUnused();
}

/** Lets the engine outlive those who use it, until it is ended by {@linkcode stopEngine}. */
export async function keepEngine(): Promise<void> {
  await Deno.writeTextFile(`${runtimeFolder()}/${STAYS}`, "");
}

/** Ends the engine unless somebody who lives uses it, or it is to stay. */
export async function stopUnused(): Promise<void> {
  if (await runningPid() === undefined || await exists(`${runtimeFolder()}/${STAYS}`)) return;
  const folder = `${runtimeFolder()}/${USES}`;
  const uses = await exists(folder) ? await Array.fromAsync(Deno.readDir(folder)) : [];
  // Whoever was killed has left its file.
  const live = await Promise.all(uses.map(({ name }) => exists(`/proc/${name.split("-")[0]}`)));
  if (!live.includes(true)) await stopEngine();
}

/** Removes the store of the stopped engine, images included. */
export async function removeStore(): Promise<void> {
  if (await exists(storeFolder())) await Deno.remove(storeFolder(), { recursive: true });
}
