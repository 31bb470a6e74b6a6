import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  DeploymentError,
  DeploymentRefusedError,
} from "../../../../src/infrahub/deployment/deployment.ts";
import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import {
  findLocalStorage,
  findStorage,
  openStorageTarget,
  PUT_BACK_NAME,
  storageSource,
} from "../../../../src/infrahub/storage/mod.ts";
import { Host } from "../../../../src/environment/mod.ts";
import { readAll, withTempDirectory } from "../_support.ts";
import { failure, fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

const NO = failure(["x"], 1, "no");
const SERVER = "infrahub-server";

/** The files of a directory and below, with their content. */
async function filesIn(directory: string, under = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) {
      Object.assign(files, await filesIn(`${directory}/${name}`, `${under}${name}/`));
    } else files[`${under}${name}`] = await Deno.readTextFile(`${directory}/${name}`);
  }
  return files;
}

async function fill(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = `${directory}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, content);
  }
  return directory;
}

/** This host's programs, with what they are told; one of them may fail. */
function onThisHost() {
  const host = new Host();
  return { host, ...fakeDeployment(host) };
}

async function readTar(directory: string): Promise<Uint8Array> {
  const { deployment } = onThisHost();
  const source = storageSource(deployment, directory, {
    stallTimeoutMs: 0,
    ready: () => Promise.resolve(),
  });
  const { content, finished } = await source.open(deployment.signal);
  const bytes = await readAll(content);
  await finished;
  return bytes;
}

Deno.test("findStorage() goes by Infrahub's own variables", async (t) => {
  const rows = [
    ["", { kind: "local", path: "/opt/infrahub/storage" }],
    ["INFRAHUB_STORAGE_LOCAL_PATH=/srv/objects/\n", { kind: "local", path: "/srv/objects" }],
    ["INFRAHUB_STORAGE_DRIVER=local\n", { kind: "local", path: "/opt/infrahub/storage" }],
    [
      "INFRAHUB_STORAGE_DRIVER=s3\nINFRAHUB_STORAGE_BUCKET_NAME=objects\n",
      { kind: "s3", bucket: "objects" },
    ],
    ["INFRAHUB_STORAGE_DRIVER=tape\n", "unknown kind of storage"],
    ["INFRAHUB_STORAGE_LOCAL_PATH=objects\n", "unusable storage directory"],
    ["INFRAHUB_STORAGE_LOCAL_PATH=/\n", "unusable storage directory"],
    ["INFRAHUB_STORAGE_LOCAL_PATH=/a/../b\n", "unusable storage directory"],
    [NO, "cannot find out where Infrahub keeps its objects"],
  ] as const;
  for (const [answer, expected] of rows) {
    await t.step(String(answer), async () => {
      const { deployment } = fakeDeployment(new FakeEnvironment().on(SERVER, /^env$/, answer));
      if (typeof expected !== "string") {
        return assertEquals(await findStorage(deployment), expected);
      }
      await assertRejects(() => findStorage(deployment), DeploymentError, expected);
    });
  }
});

Deno.test("findLocalStorage() refuses what a backup cannot read, and says what to do", async () => {
  const environment = new FakeEnvironment()
    .on(SERVER, /^env$/, "", "", "INFRAHUB_STORAGE_DRIVER=s3", NO)
    .on(SERVER, "[ -d", "", NO);
  const { deployment } = fakeDeployment(environment);
  assertEquals(await findLocalStorage(deployment), "/opt/infrahub/storage");
  for (
    const message of [
      "there is no storage directory /opt/infrahub/storage in infrahub-server",
      "Infrahub keeps its objects in S3, which --with-storage does not back up: leave it out",
      "cannot find out where Infrahub keeps its objects",
    ]
  ) {
    await assertRejects(() => findLocalStorage(deployment), DeploymentRefusedError, message);
  }
});

Deno.test("objects come back from the tar of a backup, and those in use are gone", async () => {
  await withTempDirectory(async (root) => {
    const old = { "1-uuid": "one", "a/2 uuid\n": "two", "-n": "three", ".hidden": "four" };
    const from = await fill(`${root}/from`, {
      ...old,
      ".infrahub-restore-12345678.part/x": "left by a restore that was killed",
    });
    const tar = await readTar(from);
    const to = await fill(`${root}/to`, { "9-uuid": "nine", "a/2 uuid\n": "other" });
    const { deployment, lines } = onThisHost();
    const journal = new UndoJournal(deployment);
    const target = await openStorageTarget(deployment, to, journal, {
      stallTimeoutMs: 0,
      onReplace: () => {},
    });
    await target.write(tar);
    assertEquals((await filesIn(to))["9-uuid"], "nine");
    await target.close();
    assertEquals(await filesIn(to), old);
    assertEquals([journal.pending, lines.at(-1)], [[], "info Stored objects restored"]);
    assertEquals(await readTar(to).then((bytes) => bytes.length), tar.length);
  });
});

Deno.test("objects of a storage without any, and into one that is not there", async () => {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/from`);
    const tar = await readTar(`${root}/from`);
    for (const to of [await fill(`${root}/to`, { "9-uuid": "nine" }), `${root}/new`]) {
      const { deployment } = onThisHost();
      const target = await openStorageTarget(deployment, to, new UndoJournal(deployment), {
        stallTimeoutMs: 0,
        onReplace: () => {},
      });
      await target.write(tar);
      await target.close();
      assertEquals(await filesIn(to), {});
    }
  });
});

Deno.test("an exchange that is cut anywhere is taken back, twice if need be", async (t) => {
  const before = { "1": "one", "2": "two", "3": "three" };
  const backup = { "2": "TWO", "4": "FOUR" };
  // Wrappers around `mv` and `rmdir` that fail from their nth call on.
  for (let limit = 0; limit < 5; limit++) {
    await t.step(`after ${limit} steps`, async () => {
      await withTempDirectory(async (root) => {
        const to = await fill(`${root}/to`, before);
        const tar = await readTar(await fill(`${root}/from`, backup));
        const programs = await fill(`${root}/bin`, { count: "" });
        for (const name of ["mv", "rmdir"]) {
          const real = (await new Deno.Command("sh", { args: ["-c", `command -v ${name}`] })
            .output()).stdout;
          await Deno.writeTextFile(
            `${programs}/${name}`,
            `#!/bin/sh\necho >>'${programs}/count'\n` +
              `[ -e '${root}/whole' ] || [ $(wc -l <'${programs}/count') -le ${limit} ] || exit 9\n` +
              `exec ${new TextDecoder().decode(real).trim()} "$@"\n`,
            { mode: 0o755 },
          );
        }
        const host = new Host();
        const cut = new Proxy(host, {
          get(_, key) {
            if (key === "run") {
              return (service: string, argv: readonly string[]) =>
                argv[0] === "sh"
                  ? host.run(service, argv, {
                    env: { PATH: `${programs}:${Deno.env.get("PATH")}` },
                  })
                  : host.run(service, argv);
            }
            const value: unknown = Reflect.get(host, key);
            return typeof value === "function" ? value.bind(host) : value;
          },
        });
        const { deployment } = fakeDeployment(cut);
        const journal = new UndoJournal(deployment);
        let replaced = 0;
        const target = await openStorageTarget(deployment, to, journal, {
          stallTimeoutMs: 0,
          onReplace: () => replaced++,
        });
        await target.write(tar);
        if (limit === 4) {
          await target.close();
          assertEquals(await filesIn(to), backup);
          return;
        }
        await assertRejects(() => target.close(), DeploymentError, "failed to exchange the stored");
        assertEquals([replaced, journal.pending.includes(PUT_BACK_NAME)], [1, true]);
        // As long as nothing can be moved it cannot be taken back either, and nothing is lost by it.
        await journal.undo();
        await Deno.writeTextFile(`${root}/whole`, "");
        await journal.undo();
        assertEquals([await filesIn(to), journal.pending], [before, []]);
      });
    });
  }
});

Deno.test("openStorageTarget() leaves everything as it was when the tar cannot be unpacked", async () => {
  await withTempDirectory(async (root) => {
    const to = await fill(`${root}/to`, { "1": "one" });
    const { deployment } = onThisHost();
    const journal = new UndoJournal(deployment);
    const options = { stallTimeoutMs: 0, onReplace: () => {} };
    const target = await openStorageTarget(deployment, to, journal, options);
    await target.write(new TextEncoder().encode("no tar".repeat(200)));
    const error = await assertRejects(() => target.close(), DeploymentError);
    assertStringIncludes(error.message, "failed to unpack the stored objects: ");
    await journal.undo();
    assertEquals(await filesIn(to), { "1": "one" });
    const other = await openStorageTarget(deployment, to, journal, options);
    await other.abort(new Error("given up"));
    assertEquals([await filesIn(to), journal.pending], [{ "1": "one" }, []]);
  });
});

Deno.test("storageSource() passes over what is newer than the graph, and no other failure", async () => {
  await withTempDirectory(async (root) => {
    for (
      const [code, isFailure] of [[0, false], [1, false], [2, true]] as const
    ) {
      const folder = await fill(`${root}/${code}`, { x: "x" });
      await Deno.writeTextFile(`${folder}/tar`, `#!/bin/sh\necho tar\nexit ${code}\n`, {
        mode: 0o755,
      });
      const host = new Host();
      const environment = new FakeEnvironment().on(SERVER, "--version", "");
      environment.streamOut = (service, argv, options) =>
        host.streamOut(service, argv, { ...options, env: { PATH: `${folder}:/bin:/usr/bin` } });
      const { deployment } = fakeDeployment(environment);
      const source = storageSource(deployment, folder, {
        stallTimeoutMs: 0,
        ready: () => Promise.resolve(),
      });
      const { content, finished } = await source.open(deployment.signal);
      const read = readAll(content).then(() => finished);
      if (isFailure) await assertRejects(() => read);
      else await read;
    }
  });
});
