import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { run } from "../../../../../src/cli/mod.ts";
import { recordingContext } from "../../_support.ts";

async function units(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const context = recordingContext(variables);
  const code = await run(["systemd", "units", ...args], context);
  return { code, out: context.out(), err: context.err() };
}

/** Values of a setting, in order. */
function settings(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

Deno.test("systemd units prints a hardened service and a timer", async () => {
  const { code, out, err } = await units(["--repo", "backups"]);
  assertEquals([code, err], [0, ""]);
  assertMatch(
    out,
    /^# infrahub-backup\.service\n\[Unit\]\n[^]*\n# infrahub-backup\.timer\n\[Unit\]\n/,
  );
  for (
    const [name, value] of [
      ["Type", "notify"],
      [
        "ExecStart",
        "/usr/local/bin/infrahub-backup --backend plakar --repo /nowhere/backups create",
      ],
      ["ReadWritePaths", "/nowhere/backups"],
      ["RequiresMountsFor", "/nowhere/backups"],
      ["StateDirectory", "infrahub-backup"],
      ["ProtectSystem", "strict"],
      ["NoNewPrivileges", "yes"],
      ["MemoryHigh", "1G"],
      ["SuccessExitStatus", "143"],
      ["WatchdogSec", "3min"],
      ["OnCalendar", "daily"],
    ] as const
  ) assertEquals(settings(out, name), [value], name);
  // Nothing is started on a failure, and no credential looked for, unless that is asked for.
  assertEquals([settings(out, "OnFailure"), settings(out, "LoadCredential")], [[], []]);
  assertMatch(out, /^#OnFailure=/m);
});

Deno.test("systemd units takes the command from global options, variables and arguments", async () => {
  const { out } = await units(
    [
      "--backup-dir=/b",
      "--host-unit=cache=redis",
      "--host-unit=database=neo4j.service",
      "--host",
      "--progress-interval=90s",
      "--metrics-file=m/x.prom",
      "--passphrase-file=/etc/p",
      "--on-failure=tell@%n.service",
      "--user=backup",
      "--",
      "--stream-timeout=1h",
      "--jobs=2",
    ],
    { INFRAHUB_PROJECT: "p 1", INFRAHUB_QUIET: "1" },
  );
  assertEquals(settings(out, "ExecStart"), [
    '/usr/local/bin/infrahub-backup --backup-dir /b --project "p 1" --host --host-unit cache=redis ' +
    "--host-unit database=neo4j.service --quiet --progress-interval 1m30s " +
    "--metrics-file /nowhere/m/x.prom create --stream-timeout=1h --jobs=2",
  ]);
  assertEquals(settings(out, "ReadWritePaths"), ["/b", "/nowhere/m"]);
  assertEquals(settings(out, "LoadCredential"), ["infrahub-backup-passphrase:/etc/p"]);
  assertEquals(settings(out, "OnFailure"), ["tell@%n.service"]);
  assertEquals(settings(out, "User"), ["backup"]);
});

Deno.test("systemd units has nothing expanded that stands on its command line", async () => {
  const commands = ["--neo4j-command=a $HOME", "--postgres-command=50%", 'q"\\'];
  const { out } = await units([
    ...["--repo", "/r", "--", "from-commands", ...commands.slice(0, 2)],
    ...["--infrahub-version", commands[2]!],
  ]);
  const [command = ""] = settings(out, "ExecStart");
  assertStringIncludes(
    command,
    'create from-commands "--neo4j-command=a $$HOME" --postgres-command=50%% ' +
      '--infrahub-version "q\\"\\\\"',
  );
});

Deno.test("systemd units refuses what would not work, or be read by everybody", async (t) => {
  const rows: [string[], string][] = [
    [["--repo", "s3://key:secret@host/bucket"], "a unit file can be read by everybody"],
    [["--backend", "plakar"], "--repo is required"],
    [["--repo", "/r", "--on-calendar", "daily\nUser=x"], "not possible in a unit file"],
    [["--repo", "/r", "--on-calendar", "evry day"], 'invalid argument "evry day" for "--on-cal'],
    [["--repo", "/r", "--on-calendar", ""], "not possible in a unit file"],
    [["--repo", "/r", "--name", "../x"], 'invalid argument "../x"'],
    [["--repo", "/r", "--user", ""], "not possible in a unit file"],
    [["--repo", "/r", "--", "--forse"], "the service's command is not possible: unknown flag"],
    [["--repo", "/r", "--", "--stream-timeout=soon"], 'invalid argument "soon"'],
    [["--repo", "/r", "--", "--stream-timeout"], "flag needs an argument: --stream-timeout"],
    [["--repo", "/r", "--", "from-files"], 'required flag(s) "neo4j-path" not set'],
    [["--repo", "/r", "--", "everything"], 'unknown command "everything"'],
    [["--repo", "/r", "--", "--quiet=perhaps"], 'invalid argument "perhaps"'],
    [["--repo", "/r", "--", "--help"], "would only print help"],
  ];
  for (const [args, message] of rows) {
    await t.step(args.join(" "), async () => {
      const { code, out, err } = await units(args);
      assertEquals([code, out], [1, ""]);
      assertStringIncludes(err, message);
      assertEquals(err.includes("secret@"), false);
    });
  }
});

Deno.test("systemd units --install replaces nothing that is another, unless forced", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const install = ["--repo", "/r", "--install", folder];
    const paths = ["service", "timer"].map((kind) => `${folder}/infrahub-backup.${kind}`);
    assertEquals((await units(install)).out, paths.map((path) => `${path}\n`).join(""));
    assertEquals((await units(install)).code, 0);
    const [service = ""] = paths;
    const before = await Deno.readTextFile(service);
    const changed = [...install, "--on-calendar=hourly"];
    const { code, err } = await units(changed);
    assertEquals([code, await Deno.readTextFile(service)], [1, before]);
    assertStringIncludes(err, "exists and is another: use --force to replace it");
    assertEquals((await units([...changed, "--force"])).code, 0);
    assertStringIncludes(await Deno.readTextFile(paths[1] ?? ""), "OnCalendar=hourly");
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
