import { ToolError } from "../../../errors/mod.ts";

/** What the units of a periodic backup are made from. */
export interface UnitOptions {
  /** Name of both units, without a suffix. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** When it runs, as systemd.time(7) has it. */
  readonly onCalendar: string;
  readonly user: string;
  /** Paths that the run writes to; they have to exist when it starts. */
  readonly writablePaths: readonly string[];
  /** Paths of backups: what is mounted there is mounted before the run starts. */
  readonly mountPaths: readonly string[];
  /** File that holds the passphrase of the repository. */
  readonly passphraseFile?: string;
  /** Unit that is started when a backup fails; may have specifiers. */
  readonly onFailure?: string;
}

/** A file to be put into a folder of systemd. */
export interface UnitFile {
  readonly name: string;
  readonly content: string;
}

/** A text that cannot stand in a unit file. */
export class UnitValueError extends ToolError {}

/** What the credential with the passphrase is called; `passphrase.ts` looks for it under this name. */
const PASSPHRASE_CREDENTIAL = "infrahub-backup-passphrase";

/**
 * The service and the timer of a periodic backup.
 *
 * @throws {UnitValueError} when a value has a line break or another control character
 */
export function systemdUnits(options: UnitOptions): UnitFile[] {
  return [
    { name: `${options.name}.service`, content: service(options) },
    { name: `${options.name}.timer`, content: timer(options) },
  ];
}

function service(options: UnitOptions): string {
  const { mountPaths, onFailure, passphraseFile, writablePaths } = options;
  return `[Unit]
Description=Backup of Infrahub
Documentation=man:infrahub-backup(1)
Wants=network-online.target
After=network-online.target docker.service
${
    mountPaths.length === 0 ? "" : `# Without their mounts, backups would go to the disk below.
RequiresMountsFor=${mountPaths.map(quoted).join(" ")}
`
  }# Who is told of a failure; %n is the name of this unit. Exit code 3, a suspiciously small backup,
# counts as one: somebody has to look.
${
    onFailure === undefined
      ? "#OnFailure=notify-admin@%n.service"
      : `OnFailure=${checked(onFailure)}`
  }

[Service]
Type=notify
NotifyAccess=main
User=${plain(options.user)}
ExecStart=${options.command.map(execArgument).join(" ")}
# INFRAHUB_*, AWS_* and others, one NAME=value per line; for its owner's eyes only.
EnvironmentFile=-/etc/${plain(options.name)}/environment
Environment=INFRAHUB_CACHE_DIR=%C/${plain(options.name)}
${
    passphraseFile === undefined
      ? `#LoadCredential=${PASSPHRASE_CREDENTIAL}:/etc/${plain(options.name)}/passphrase`
      : `LoadCredential=${PASSPHRASE_CREDENTIAL}:${plain(passphraseFile)}`
  }

# Ended by "systemctl stop", it puts everything back first, and asks for more time as long as it
# works. Only the program itself is told to end: it ends the commands that it runs.
KillMode=mixed
TimeoutStopSec=15min
SuccessExitStatus=143
# A sign of life comes at half of this.
WatchdogSec=3min
LimitCORE=0

Nice=10
IOSchedulingPriority=7
MemoryHigh=1G

UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
${writablePaths.map((path) => `ReadWritePaths=${quoted(path)}\n`).join("")}CacheDirectory=${
    plain(options.name)
  }
CacheDirectoryMode=0700
StateDirectory=${plain(options.name)}
StateDirectoryMode=0700
RuntimeDirectory=${plain(options.name)}
RuntimeDirectoryMode=0700
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# Reading and writing files of databases, and running their programs as their users.
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID
# Not MemoryDenyWriteExecute: the program's own code is compiled while it runs.
`;
}

function timer({ onCalendar }: UnitOptions): string {
  return `[Unit]
Description=Periodic backup of Infrahub
Documentation=man:infrahub-backup(1)

[Timer]
OnCalendar=${plain(onCalendar)}
# A backup that was missed while the host was off is made up for.
Persistent=yes
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
`;
}

/** A value that is taken as it is, specifiers such as `%n` included. */
function checked(text: string): string {
  if (text === "" || /\p{Cc}/u.test(text)) {
    throw new UnitValueError(`not possible in a unit file: ${JSON.stringify(text)}`);
  }
  return text;
}

/** A value in which nothing is taken for a specifier. */
function plain(text: string): string {
  return checked(text).replaceAll("%", "%%");
}

/** One of several values: nothing in it ends it. */
function quoted(text: string): string {
  const safe = plain(text);
  return /^[A-Za-z0-9%+,./:=@_-]+$/.test(safe)
    ? safe
    : `"${safe.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** An argument of a command line: no variable in it is expanded. */
function execArgument(text: string): string {
  return text === "" ? '""' : quoted(text).replaceAll("$", "$$$$");
}
