/**
 * Tests of what compiling may break: everything has to be in the one file, and the permissions have
 * to be those that the program needs.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { basename, dirname } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { ROOT } from "../../scripts/tool.ts";
import { ServiceManager } from "../unit/cli/_service_manager.ts";
import { EXECUTABLE, Folder, LIMITED_EXECUTABLE, run, start } from "./executable.ts";

/** Several chunks, and neither constant nor periodic. */
function sampleDump(): Uint8Array {
  const words = new Uint32Array(3 << 20);
  let x = 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = i % 3 === 0 ? x : i;
  }
  return new Uint8Array(words.buffer);
}

/** Paths of all files below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    paths.push(...isDirectory ? await filesBelow(path) : [path]);
  }
  return paths;
}

function createArguments(repository: string, dump: string): string[] {
  return [
    "create",
    "from-commands",
    "--format=raw",
    "--backend=plakar",
    `--repo=${repository}`,
    `--neo4j-command=/bin/cat "${dump}"`,
    "--neo4j-edition=community",
  ];
}

/** The permissions that are recorded in an executable. */
async function recordedPermissions(executable: string): Promise<Record<string, unknown>> {
  const text = new TextDecoder("latin1").decode(await Deno.readFile(executable));
  // The runtime may have been taken from another executable, whose record comes first.
  const start = text.lastIndexOf('"permissions":{');
  assert(start >= 0, "no permissions are recorded");
  const end = text.indexOf("}", start);
  return JSON.parse(`{${text.slice(start, end + 1)}}`).permissions;
}

Deno.test("the executable knows its version and needs no environment for it", async () => {
  await using folder = await Folder.make();
  const { code, stdout, stderr } = await run(["--version"], { cwd: folder.path });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertStringIncludes(stdout, project.version);
});

Deno.test("the executable prints help for every command", async (t) => {
  await using folder = await Folder.make();
  const commands = [[], ["create", "from-commands"], ["snapshots", "check"], ["restore"]];
  for (const command of commands) {
    await t.step(command.join(" ") || "the program", async () => {
      const { code, stdout } = await run([...command, "--help"], { cwd: folder.path });
      assertEquals(code, 0);
      assertStringIncludes(stdout, ["Usage: infrahub-backup", ...command].join(" "));
    });
  }
});

Deno.test("the executable backs up, checks and restores with an empty environment", async () => {
  await using folder = await Folder.make();
  const cwd = folder.path;
  const dump = sampleDump();
  await Deno.writeFile(folder.at("dump"), dump);
  const repository = folder.at("repository");

  const created = await run(createArguments(repository, folder.at("dump")), { cwd });
  assertEquals(created.code, 0, created.stderr);
  const checked = await run(["snapshots", "check", "--repo", repository], { cwd });
  assertEquals(checked.code, 0, checked.stderr);
  const restored = await run(
    ["restore", "--backend=plakar", `--repo=${repository}`, `--to=${folder.at("restored")}`],
    { cwd },
  );
  assertEquals(restored.code, 0, restored.stderr);
  const bytes = await Deno.readFile(folder.at("restored/neo4j.dump"));
  assert(bytes.length === dump.length && bytes.every((byte, index) => byte === dump[index]));
});

Deno.test("the executable writes nothing but the repository, its cache and its state", async () => {
  await using folder = await Folder.make();
  const cwd = folder.at("cwd");
  for (const name of ["cwd", "home", "tmp"]) await Deno.mkdir(folder.at(name));
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  const env = { HOME: folder.at("home"), TMPDIR: folder.at("tmp") };

  const arguments_ = createArguments(folder.at("repository"), folder.at("dump"));
  assertEquals((await run(arguments_, { cwd, env })).code, 0);
  const cached = await filesBelow(folder.at("home"));
  assert(cached.length > 0, "no cache was written");
  // The cache, and that this repository has been used.
  const own = /\/home\/\.(cache\/infrahub-backup\/|local\/state\/infrahub-backup\/repository-)/;
  for (const path of cached) assertMatch(path, own);
  assertEquals(await filesBelow(folder.at("tmp")), []);
  assertEquals(await filesBelow(cwd), []);
});

Deno.test("the executable works where no home can be made", async () => {
  await using folder = await Folder.make();
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  // No folder can be made below a file, not even by root; and that of temporary files is missing.
  const env = {
    HOME: "/dev/null",
    XDG_CACHE_HOME: "/dev/null/cache",
    TMPDIR: folder.at("missing"),
  };
  const result = await run(createArguments(folder.at("repository"), folder.at("dump")), {
    cwd: "/",
    env,
  });
  assertEquals(result.code, 0, result.stderr);
});

Deno.test("the executable takes its options from INFRAHUB_ variables", async () => {
  await using folder = await Folder.make();
  const missing = await run(["snapshots", "list"], { cwd: folder.path });
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "--repo is required");
  const named = await run(["snapshots", "list"], {
    cwd: folder.path,
    env: { INFRAHUB_REPO: folder.at("nowhere") },
  });
  assertEquals(named.code, 1);
  assertStringIncludes(named.stderr, folder.at("nowhere"));
});

Deno.test("the executable ends its commands when it is asked to end", async () => {
  await using folder = await Folder.make();
  const repository = folder.at("repository");
  // Writes its process id, then for ever.
  const endless = `/bin/sh -c 'echo $$ > "${folder.at("pid")}"; exec cat /dev/zero'`;
  const child = start(
    ["create", "from-commands", "--format=raw", "--backend=plakar", `--repo=${repository}`].concat(
      `--neo4j-command=${endless}`,
    ),
    { cwd: folder.path },
  );
  const stdout = new Response(child.stdout).text();
  let log = "";
  let asked = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    log += text;
    if (!asked && log.includes("Creating snapshot for component")) {
      child.kill("SIGTERM");
      asked = true;
    }
  }
  assertEquals((await child.status).code, 143, log);
  assertEquals(await stdout, "");
  const pid = Number(
    await Deno.readTextFile(folder.at("pid")).catch((error: unknown) => {
      // Ended before it wrote its process id: then it is not running either.
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }),
  );
  if (pid > 0) {
    const { success } = await new Deno.Command("/bin/sh", {
      args: ["-c", `kill -0 ${pid}`],
      stderr: "null",
    }).output();
    assert(!success, "the command is still running");
  }
  const { stdout: list } = await run(["snapshots", "list", "--repo", repository], {
    cwd: folder.path,
  });
  assertEquals(list, "");
});

Deno.test("the executable tells its version before anybody notices", async () => {
  // Time of the processor, not of the clock: other programs may run on this machine.
  const times: number[] = [];
  for (let attempt = 0; attempt < 10; attempt++) {
    const { stderr } = await new Deno.Command("bash", {
      args: ["-c", `TIMEFORMAT='%U %S'; time "$0" --version >/dev/null`, EXECUTABLE],
    }).output();
    const [user = NaN, system = NaN] = new TextDecoder().decode(stderr).trim().split(" ").map(
      Number,
    );
    times.push(user + system);
  }
  const seconds = Math.min(...times);
  assert(seconds > 0 && seconds < 0.1, `it took ${seconds} s`);
});

Deno.test("the executable prints the manual page of the documentation", async () => {
  await using folder = await Folder.make();
  const { code, stdout } = await run(["manual"], { cwd: folder.path });
  assertEquals(code, 0);
  assertEquals(stdout, await Deno.readTextFile(`${ROOT}docs/infrahub-backup.1`));
});

Deno.test("the executable is what its units start", async () => {
  await using folder = await Folder.make();
  const { code, stdout } = await run(["systemd", "units"], { cwd: folder.path });
  assertEquals(code, 0);
  assertStringIncludes(stdout, `\nExecStart=${Deno.realPathSync(EXECUTABLE)} --backup-dir `);
});

Deno.test("the executable notifies a service manager, and leaves metrics", async () => {
  await using folder = await Folder.make();
  await using manager = await ServiceManager.open();
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  const metrics = folder.at("infrahub.prom");
  const result = await run(
    [...createArguments(folder.at("repository"), folder.at("dump")), `--metrics-file=${metrics}`],
    { cwd: folder.path, env: { NOTIFY_SOCKET: manager.address, TMPDIR: folder.path } },
  );
  assertEquals(result.code, 0, result.stderr);
  await manager.until((line) => line.endsWith("exit code 0"));
  assertEquals(manager.lines[0], "READY=1");
  assertStringIncludes(
    await Deno.readTextFile(metrics),
    `\ninfrahub_backup_last_run_success{operation="create",repository="${
      folder.at("repository")
    }"} 1\n`,
  );
});

Deno.test("the executable may do what the program needs, and nothing else", async () => {
  const permissions = await recordedPermissions(EXECUTABLE);
  const granted = Object.entries(permissions).filter(([name, value]) =>
    name.startsWith("allow_") && name !== "allow_import" && value !== null && value !== false
  );
  assertEquals(Object.fromEntries(granted), {
    // An empty list is a permission without limits.
    allow_read: [],
    allow_write: [],
    allow_run: [],
    allow_net: [],
    allow_sys: ["hostname", "uid", "homedir"],
    allow_env: [
      "INFRAHUB_*",
      "BACKUP_DIR",
      "PREFECT_SERVER_DATABASE_*",
      "PREFECT_API_DATABASE_*",
      "PG*",
      "XDG_CACHE_HOME",
      "XDG_STATE_HOME",
      "STATE_DIRECTORY",
      "HOME",
      "NO_COLOR",
      "NOTIFY_SOCKET",
      "WATCHDOG_USEC",
      "WATCHDOG_PID",
      "CREDENTIALS_DIRECTORY",
      "RUNTIME_DIRECTORY",
      "TMPDIR",
      "AWS_*",
      "USERPROFILE",
      "HOMEPATH",
      "HOMEDRIVE",
      "_X_AMZN_TRACE_ID",
    ],
  });
  assertEquals(permissions.prompt, false);
});

Deno.test("an executable that may start some programs starts no other", async () => {
  await using folder = await Folder.make();
  const { allow_run } = await recordedPermissions(LIMITED_EXECUTABLE);
  assertEquals(allow_run, ["cat"]);
  await Deno.writeTextFile(folder.at("dump"), "some bytes\n");
  const create = (command: string) =>
    run(
      [
        "create",
        "from-commands",
        "--format=raw",
        "--backend=plakar",
        `--repo=${folder.at("repository")}`,
        "--neo4j-edition=community",
        `--neo4j-command=${command} ${folder.at("dump")}`,
      ],
      { cwd: folder.path, env: { PATH: "/usr/bin:/bin" }, executable: LIMITED_EXECUTABLE },
    );
  const allowed = await create("cat");
  assertEquals(allowed.code, 0, allowed.stderr);
  const other = await create("sh");
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "compiled to start other programs only");
});

Deno.test("the executables' digests are beside them", async () => {
  const { code, stdout } = await new Deno.Command("sha256sum", {
    args: ["--check", "--strict", "SHA256SUMS"],
    cwd: dirname(Deno.realPathSync(EXECUTABLE)),
  }).output();
  assertEquals(code, 0);
  for (const path of [EXECUTABLE, LIMITED_EXECUTABLE]) {
    assertStringIncludes(new TextDecoder().decode(stdout), `${basename(path)}: OK\n`);
  }
});
