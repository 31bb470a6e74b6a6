import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { allCommands } from "./command_line.ts";
import { defaultCommandOf } from "./default_command.ts";
import { commandPath } from "./menu.ts";

/** Arguments after the program's name, by the route of the command that they are an example of. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "": [
    "create --backend plakar --repo /var/backups/infrahub",
    "snapshots list --repo /var/backups/infrahub",
    "restore --backend plakar --repo /var/backups/infrahub",
  ],
  "create": [
    "create",
    "create --backend plakar --repo /var/backups/infrahub",
    "create --project infrahub --force --metrics-file /var/lib/node_exporter/infrahub.prom",
    "create --k8s-namespace infrahub --backend plakar --repo s3://backups/infrahub",
  ],
  "create from-files": [
    "create from-files --backend plakar --repo /var/backups/infrahub --neo4j-path ./neo4j.dump " +
    "--postgres-path ./prefect.dump",
  ],
  "create from-commands": [
    "create from-commands --backend plakar --repo /var/backups/infrahub --neo4j-edition community " +
    "--neo4j-command 'neo4j-admin database dump --to-stdout neo4j' " +
    "--postgres-command 'pg_dump -Fc -Z0 -d prefect'",
  ],
  "restore": [
    "restore infrahub_backups/infrahub_backup_20260318_143000.tar.gz",
    "restore --backend plakar --repo /var/backups/infrahub --dry-run",
    "restore --backend plakar --repo /var/backups/infrahub --backup-id 20260318_143000",
    "restore --backend plakar --repo /var/backups/infrahub --to ./restored",
  ],
  "upload": ["upload --s3-bucket backups infrahub_backups/infrahub_backup_20260318_143000.tar.gz"],
  "keygen": ["keygen --output /root/infrahub.key"],
  "snapshots": ["snapshots list --repo /var/backups/infrahub"],
  "snapshots list": [
    "snapshots list --repo /var/backups/infrahub",
    "snapshots list --repo /var/backups/infrahub --log-format json",
  ],
  "snapshots show": ["snapshots show --repo /var/backups/infrahub 3f2a"],
  "snapshots cat": ["snapshots cat --repo /var/backups/infrahub 3f2a > prefect.dump"],
  "snapshots check": [
    "snapshots check --repo /var/backups/infrahub",
    "snapshots check --repo /var/backups/infrahub --backup-id 20260318_143000 --fast",
  ],
  "repo": ["repo validate --repo s3://backups/infrahub"],
  "repo validate": ["repo validate --repo s3://backups/infrahub"],
  "repo unlock": ["repo unlock --repo /var/backups/infrahub"],
  "tasks": ["tasks flush stale-runs"],
  "tasks flush": ["tasks flush flow-runs 30"],
  "tasks flush flow-runs": ["tasks flush flow-runs 30 200"],
  "tasks flush stale-runs": ["tasks flush stale-runs 2"],
  "systemd": ["systemd units --repo /var/backups/infrahub"],
  "systemd units": [
    "systemd units --repo /var/backups/infrahub --on-calendar '*-*-* 02:00'",
    "systemd units --repo /var/backups/infrahub --install /etc/systemd/system -- --force",
  ],
  "environment": ["environment list"],
  "environment detect": ["environment detect --project infrahub"],
  "environment list": ["environment list --json"],
  "version": ["version"],
  "completion": [
    "completion bash > /usr/share/bash-completion/completions/infrahub-backup",
    'completion zsh > "${fpath[1]}/_infrahub-backup"',
    "completion fish > ~/.config/fish/completions/infrahub-backup.fish",
  ],
  "manual": ["manual > /usr/local/share/man/man1/infrahub-backup.1"],
  // The program with the name of the Go tool's second one.
  "flush": ["flush flow-runs 30"],
  "flush flow-runs": ["flush flow-runs 30 200"],
  "flush stale-runs": ["flush stale-runs 2"],
};

/** Adds its examples to the help of every command. */
export function addExamples(root: CommandUnknownOpts): void {
  for (const command of allCommands(root)) {
    command.addHelpText("after", () => {
      const lines = examplesOf(command);
      return lines.length === 0
        ? ""
        : `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
    });
  }
}

/** Command lines that show what a command is for, from the program's name on. */
export function examplesOf(command: CommandUnknownOpts): string[] {
  const { parent } = command;
  if (parent && defaultCommandOf(parent) === command) return examplesOf(parent);
  const [program = "", ...route] = commandPath(command).split(" ");
  // The second program has less commands than the first, and nothing to show at its root.
  const isKnown = command.parent !== null ||
    command.commands.some((one) => one.name() === "create");
  const lines = isKnown ? EXAMPLES[route.join(" ")] ?? [] : [];
  return lines.map((line) => `${program} ${line}`);
}
