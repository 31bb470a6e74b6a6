import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { formatDuration } from "../../../environment/mod.ts";
import { messageOf } from "../../../errors/mod.ts";
import { readTextIfThere, writeFileAtomically } from "../../../files/mod.ts";
import { InfrahubBackupError } from "../../../infrahub/mod.ts";
import { requireCalendar } from "./calendar.ts";
import { checkServiceCommand } from "./service_command.ts";
import { PROGRAM, UsageError } from "../../syntax/mod.ts";
import { writeJson } from "../../report/mod.ts";
import { type Session, type SessionProvider } from "../../session/mod.ts";
import { systemdUnits, type UnitFile, UnitValueError } from "./unit_files.ts";
import { redactUrls } from "../../process/mod.ts";

/** Where the executable is supposed to be, when it is not what runs now. */
const INSTALLED = `/usr/local/bin/${PROGRAM}`;

/** Where archives are kept when no directory is named: a service has no directory of its own. */
const BACKUP_DIRECTORY = "/var/backups/infrahub";

/** Global options that become something else than an argument of the service. */
const NOT_FORWARDED: readonly string[] = [
  "version",
  "backend",
  "backupDir",
  "repo",
  "passphraseFile",
  "cacheDir",
];

/** Adds `systemd units`. */
export function addSystemdUnits(
  systemd: CommandUnknownOpts,
  root: CommandUnknownOpts,
  session: SessionProvider,
): void {
  systemd.command("units")
    .description(
      "Print, or install, a service that makes a backup and a timer that starts it. Global options " +
        "and arguments of create are those of the service's command",
    )
    .argument("[arguments...]", 'more arguments of "create", after --')
    .option("--on-calendar <expression>", "when backups are made, see systemd.time(7)", "daily")
    .option("--install <directory>", "write the units there, such as /etc/systemd/system")
    .option("--force", "replace units that are there and are others")
    .option("--name <name>", "name of both units, without a suffix", PROGRAM)
    .option("--user <user>", "user that backups are made as", "root")
    .option(
      "--on-failure <unit>",
      "unit that is started when a backup fails, such as tell@%n.service",
    )
    .option(
      "--executable <path>",
      `the program (default: this executable; from the sources, ${INSTALLED})`,
    )
    .action(async (args, options) => {
      const current = session();
      if (!/^[A-Za-z0-9:_.@-]+$/.test(options.name)) {
        throw new UsageError(`invalid argument ${JSON.stringify(options.name)} for "--name" flag`);
      }
      const target = targetOf(current);
      const { metricsFile, passphraseFile } = current.globals;
      const argv = [...target.options, ...forwarded(root, current), "create", ...args];
      await checkServiceCommand(argv);
      const units = unitsOf({
        name: options.name,
        command: [
          options.executable ?? (Deno.build.standalone ? Deno.execPath() : INSTALLED),
          ...argv,
        ],
        onCalendar: options.onCalendar,
        user: options.user,
        mountPaths: target.paths,
        writablePaths: [
          ...target.paths,
          ...(metricsFile ? [folderOf(absolute(metricsFile, current))] : []),
        ],
        ...(passphraseFile ? { passphraseFile: absolute(passphraseFile, current) } : {}),
        ...(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
      });
      await requireCalendar(options.onCalendar, current.context.signal);
      if (options.install === undefined) printUnits(current, units);
      else await installUnits(current, units, options.install, options.force ?? false);
    });
}

/** Where backups go: options that name it, and paths that have to be writable for it. */
function targetOf(session: Session): { options: string[]; paths: string[] } {
  const { globals, isGiven } = session;
  const { repo } = globals;
  const backend = !isGiven("backend") && repo ? "plakar" : globals.backend;
  if (backend !== "plakar") {
    const directory = absolute(globals.backupDir || BACKUP_DIRECTORY, session);
    return { options: ["--backup-dir", directory], paths: [directory] };
  }
  if (!repo) throw new UsageError("--repo is required when using plakar backend");
  if (redactUrls(repo) !== repo) {
    throw new UsageError(
      "a unit file can be read by everybody: name the repository without its keys, and put " +
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into the service's environment file",
    );
  }
  const path = repo.replace(/^(fs|file):\/\//, "");
  if (path.includes("://")) return { options: ["--backend", "plakar", "--repo", repo], paths: [] };
  const directory = absolute(path, session);
  return { options: ["--backend", "plakar", "--repo", directory], paths: [directory] };
}

/** The other global options that are set, as arguments. */
function forwarded(root: CommandUnknownOpts, { context }: Session): string[] {
  return root.options.flatMap((option) => {
    const name = option.attributeName();
    const source = root.getOptionValueSource(name);
    if (NOT_FORWARDED.includes(name) || (source !== "cli" && source !== "env")) return [];
    const flag = option.long ?? "";
    const value: unknown = root.getOptionValue(name);
    if (value === true) return [flag];
    if (name === "metricsFile") return [flag, absolute(String(value), { context })];
    if (name === "progressInterval") return [flag, formatDuration(Number(value))];
    if (typeof value === "object" && value !== null) {
      return Object.entries(value).flatMap(([key, item]) => [flag, `${key}=${item}`]);
    }
    return [flag, String(value)];
  });
}

function unitsOf(options: Parameters<typeof systemdUnits>[0]): UnitFile[] {
  try {
    return systemdUnits(options);
  } catch (error) {
    if (error instanceof UnitValueError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function printUnits(session: Session, units: readonly UnitFile[]): void {
  if (session.json) return writeJson(session, { ok: true, units });
  session.context.writeOut(
    units.map(({ name, content }) => `# ${name}\n${content}`).join("\n"),
  );
}

async function installUnits(
  session: Session,
  units: readonly UnitFile[],
  directory: string,
  force: boolean,
): Promise<void> {
  const folder = absolute(directory, session).replace(/\/+$/, "");
  // All are looked at before any is written.
  for (const { name, content } of units) {
    const there = await readUnit(`${folder}/${name}`);
    if (there !== undefined && there !== content && !force) {
      throw new InfrahubBackupError(
        `${folder}/${name} exists and is another: use --force to replace it`,
      );
    }
  }
  const paths: string[] = [];
  for (const { name, content } of units) {
    const path = `${folder}/${name}`;
    try {
      await writeFileAtomically(path, content, { mode: 0o644, replace: true });
    } catch (error) {
      throw new InfrahubBackupError(`cannot write ${path}: ${messageOf(error)}`, { cause: error });
    }
    paths.push(path);
  }
  const timer = units.at(-1)?.name ?? "";
  session.reporter.info(
    `To start it: systemctl daemon-reload && systemctl enable --now ${timer}`,
  );
  if (session.json) writeJson(session, { ok: true, files: paths });
  else session.context.writeOut(paths.map((path) => `${path}\n`).join(""));
}

async function readUnit(path: string): Promise<string | undefined> {
  try {
    return await readTextIfThere(path);
  } catch (error) {
    throw new InfrahubBackupError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function absolute(path: string, { context }: Pick<Session, "context">): string {
  return path.startsWith("/") ? path : `${context.workingDirectory()}/${path}`;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
