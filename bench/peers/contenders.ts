import { Plakar } from "../../tests/interop/plakar.ts";
import { installPeer, PeerError } from "../../scripts/peers.ts";
import type { Contender } from "./contender.ts";
import { OurTool } from "./our_tool.ts";
import { Peer } from "./peer.ts";

async function versionOf(argv: readonly string[], env: Record<string, string>): Promise<string> {
  const [program = "", ...args] = argv;
  const { stdout } = await new Deno.Command(program, { args, clearEnv: true, env, stdin: "null" })
    .output();
  return new TextDecoder().decode(stdout).trim().split("\n")[0] ?? "";
}

/** The daemon that the driver has just started, a child of this process. */
async function daemonOf(executable: string): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const argv = (await Deno.readTextFile(`/proc/${name}/cmdline`)).split("\0");
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (parent === Deno.pid && argv[0] === executable && argv[1] === "cached") {
        return Number(name);
      }
    } catch {
      // Another process has ended since the folder was read; Deno has no class for that error.
    }
  }
  throw new Error(`The daemon of ${executable} does not run`);
}

async function startPlakar(): Promise<Contender> {
  const executable = await installPeer("plakar");
  const plakar = await Plakar.start(executable);
  const { home } = plakar;
  const env = {
    HOME: home,
    TMPDIR: `${home}/tmp`,
    XDG_CACHE_HOME: `${home}/cache`,
    XDG_CONFIG_HOME: `${home}/config`,
    XDG_DATA_HOME: `${home}/data`,
  };
  const at = (repository: string, ...args: string[]) => [executable, "at", repository, ...args];
  return new Peer(await versionOf([executable, "version"], env), {
    name: "plakar",
    env,
    daemon: await daemonOf(executable),
    init: (repository) => at(repository, "create", "-plaintext"),
    backup: (repository) => at(repository, "backup", "-no-progress", "stdin:stream"),
    newest: async (repository) => (await plakar.snapshots(repository))[0]?.id ?? "",
    check: (repository) => at(repository, "check"),
    restore: (repository, id) => at(repository, "cat", `${id}:/stream`),
    dispose: () => plakar[Symbol.asyncDispose](),
  });
}

async function startRestic(folder: string): Promise<Contender> {
  const restic = await installPeer("restic");
  const at = (repository: string, ...args: string[]) => [
    restic,
    `--repo=${repository}`,
    `--cache-dir=${folder}/restic-cache`,
    ...args,
  ];
  return new Peer(await versionOf([restic, "version"], {}), {
    name: "restic",
    env: { RESTIC_PASSWORD: "bench" },
    init: (repository) => at(repository, "init"),
    backup: (repository) =>
      at(repository, "backup", "--stdin", "--stdin-filename=stream", "--quiet"),
    newest: () => Promise.resolve("latest"),
    check: (repository) => at(repository, "check", "--read-data"),
    restore: (repository, snapshot) => at(repository, "dump", snapshot, "stream"),
  });
}

async function startBorg(folder: string): Promise<Contender> {
  const borg = await installPeer("borg");
  let count = 0;
  const env = {
    BORG_BASE_DIR: `${folder}/borg`,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
  };
  return new Peer(await versionOf([borg, "--version"], env), {
    name: "borg",
    env,
    init: (repository) => [borg, "init", "--encryption=none", repository],
    backup: (
      repository,
    ) => [borg, "create", "--compression=lz4", `${repository}::${++count}`, "-"],
    newest: () => Promise.resolve(String(count)),
    check: (repository) => [borg, "check", "--verify-data", repository],
    restore: (repository, archive) => [borg, "extract", "--stdout", `${repository}::${archive}`],
  });
}

/**
 * The program of this repository, and the programs of others that can be had here.
 *
 * @param folder for their caches
 * @param others whether the programs of others are wanted
 * @param onMissing told why one is left out, and how to install it
 */
export async function startContenders(
  folder: string,
  others: boolean,
  onMissing: (message: string) => void,
): Promise<Contender[]> {
  const contenders: Contender[] = [await OurTool.start(folder)];
  for (const start of others ? [startPlakar, startRestic, startBorg] : []) {
    try {
      contenders.push(await start(folder));
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      onMissing(error.message);
    }
  }
  return contenders;
}
