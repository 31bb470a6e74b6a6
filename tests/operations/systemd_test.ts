/** The units, judged by systemd itself. Installs systemd from Debian where it is missing. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findTool } from "../../scripts/tool.ts";

interface Outcome {
  readonly code: number;
  readonly text: string;
}

async function run(program: string, args: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    env: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function requireSystemd(): Promise<void> {
  try {
    await run("systemd-analyze", ["--version"]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await run("apt-get", ["update", "-qq"]);
    const installed = await run("apt-get", [
      "install",
      "-qq",
      "--no-install-recommends",
      "systemd",
    ]);
    assertEquals(installed.code, 0, installed.text);
  }
}

/** Has the tool install units into a new folder; the program in them is one that exists. */
async function install(args: readonly string[]): Promise<{ folder: string; files: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "units_" });
  const { argv: [program, ...first], env } = findTool();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...first, "systemd", "units", "--install", folder, "--executable=/bin/true", ...args],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return { folder, files: decoder.decode(stdout).trim().split("\n") };
}

const VARIANTS: readonly (readonly string[])[] = [
  [],
  ["--repo", "/var/backups/infrahub", "--passphrase-file", "/etc/infrahub-backup/passphrase"],
  ["--repo", "s3://backups/infrahub", "--on-calendar", "Mon..Fri *-*-* 02:30"],
  [
    "--repo=/var/backups/a b\"c\\d%e$f'g",
    "--name=infrahub-nightly",
    "--user=root",
    "--on-failure=tell@%n.service",
    "--metrics-file=/var/lib/node exporter/infrahub.prom",
    "--project=p",
    "--jobs=2",
    "--",
    "--shrink-warning=30",
    "--stream-timeout=1h",
  ],
];

Deno.test("systemd accepts the units", async (t) => {
  await requireSystemd();
  for (const variant of VARIANTS) {
    await t.step(variant.join(" ") || "(no options)", async () => {
      const { folder, files } = await install(variant);
      try {
        assertEquals(files.length, 2);
        const verified = await run("systemd-analyze", ["verify", "--man=no", ...files]);
        assertEquals([verified.code, verified.text], [0, ""]);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
});

Deno.test("systemd would tell of a mistake in a unit", async () => {
  await requireSystemd();
  const { folder, files: [service = ""] } = await install([]);
  try {
    const text = await Deno.readTextFile(service);
    await Deno.writeTextFile(service, text.replace("WatchdogSec=3min", "WatchdogSec=soon"));
    const { text: said } = await run("systemd-analyze", ["verify", "--man=no", service]);
    assertStringIncludes(said, "Failed to parse sec value");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("systemd finds little that the service is exposed to", async () => {
  await requireSystemd();
  const { folder, files: [service = ""] } = await install(["--repo", "/var/backups/infrahub"]);
  try {
    const { code, text } = await run("systemd-analyze", [
      "security",
      "--offline=true",
      "--threshold=50",
      "--no-pager",
      service,
    ]);
    const [, level = ""] = /Overall exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
    assert(Number(level) > 0, text);
    assertEquals(code, 0, text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
