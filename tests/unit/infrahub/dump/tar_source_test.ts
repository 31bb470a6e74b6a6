import { assert, assertEquals, assertRejects } from "@std/assert";
import { unpackTar } from "modern-tar";
import { InvalidInputError, type Reporter, tarSource } from "../../../../src/infrahub/mod.ts";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import { readAll, recordingReporter, withTempDirectory } from "../_support.ts";

const MIB = 1024 * 1024;
const SIGNAL = new AbortController().signal;

async function openTar(path: string, reporter: Reporter = recordingReporter()) {
  const source = await tarSource("neo4j", "/neo4j-backup.tar", path, "neo4j backup path", reporter);
  return await source.open(SIGNAL);
}

async function tarOf(path: string, reporter?: Reporter): Promise<Uint8Array> {
  const input = await openTar(path, reporter);
  const bytes = await readAll(input.content);
  await input.finished;
  return bytes;
}

async function makeTree(root: string): Promise<void> {
  await Deno.mkdir(`${root}/b/deep`, { recursive: true });
  await Deno.writeTextFile(`${root}/c`, "content of c");
  await Deno.writeTextFile(`${root}/a`, "");
  await Deno.writeTextFile(`${root}/b/ü ${"n".repeat(150)}`, "long name");
  await Deno.writeFile(`${root}/b/deep/big`, new Uint8Array(3 * MIB).fill(7));
  await Deno.chmod(`${root}/c`, 0o640);
  await Deno.symlink("../c", `${root}/b/link`);
}

Deno.test("tarSource writes a sorted tar with the Enterprise prefix", async () => {
  await withTempDirectory(async (root) => {
    await makeTree(root);
    const entries = await unpackTar(await tarOf(root));
    assertEquals(entries.map(({ header }) => [header.name, header.type]), [
      ["infrahubops/", "directory"],
      ["infrahubops/a", "file"],
      ["infrahubops/b/", "directory"],
      ["infrahubops/b/deep/", "directory"],
      ["infrahubops/b/deep/big", "file"],
      ["infrahubops/b/link", "file"],
      [`infrahubops/b/ü ${"n".repeat(150)}`, "file"],
      ["infrahubops/c", "file"],
    ]);
    const last = entries.at(-1);
    assertEquals(new TextDecoder().decode(last?.data), "content of c");
    assertEquals([last?.header.mode, last?.header.uid, last?.header.gid], [0o640, 0, 0]);
    assertEquals(new TextDecoder().decode(entries[5]?.data), "content of c");
  });
});

Deno.test("tarSource is read by tar, byte for byte", async () => {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/in`);
    await Deno.mkdir(`${root}/out`);
    await makeTree(`${root}/in`);
    await Deno.writeFile(`${root}/t.tar`, await tarOf(`${root}/in`));
    const args = ["-xf", `${root}/t.tar`, "-C", `${root}/out`, "--strip-components=1"];
    const tar = await new Deno.Command("tar", { args }).output();
    assert(tar.success, new TextDecoder().decode(tar.stderr));
    const diff = await new Deno.Command("diff", { args: ["-r", `${root}/in`, `${root}/out`] })
      .output();
    assertEquals(new TextDecoder().decode(diff.stdout), "");
  });
});

Deno.test("tarSource gives equal bytes for equal content, whatever the times", async () => {
  await withTempDirectory(async (root) => {
    await makeTree(root);
    const first = await tarOf(root);
    await Deno.utime(`${root}/c`, 1, 1);
    await Deno.utime(`${root}/b`, 1, 1);
    assertEquals(await tarOf(root), first);
  });
});

Deno.test("tarSource wraps a single file", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/neo4j.backup`, "artifact");
    const entries = await unpackTar(await tarOf(`${root}/neo4j.backup`));
    assertEquals(entries.map(({ header }) => header.name), [
      "infrahubops/",
      "infrahubops/neo4j.backup",
    ]);
  });
});

Deno.test("tarSource skips pipes with a warning", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "x");
    await new Deno.Command("mkfifo", { args: [`${root}/pipe`] }).output();
    const reporter = recordingReporter();
    const entries = await unpackTar(await tarOf(root, reporter));
    assertEquals(entries.map(({ header }) => header.name), ["infrahubops/", "infrahubops/file"]);
    assertEquals(reporter.lines, [`warn Skipping ${root}/pipe: neither a file nor a directory`]);
  });
});

/** Reads a large file's tar until its content begins, changes the file, and reads the rest. */
async function tarChangedWhileRead(path: string, change: () => Promise<void>): Promise<void> {
  const input = await openTar(path);
  const reader = input.content.getReader();
  let changed = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    // Larger than a header: the content has begun. Back pressure keeps the source within a few
    // MiB of us, so that it has not seen the end yet.
    if (!changed && value.length > 1024) {
      changed = true;
      await change();
    }
  }
  await input.finished;
}

Deno.test("tarSource fails when a file changes while it is read", async (t) => {
  const changes: [string, (path: string) => Promise<void>][] = [
    ["shrinks", (path) => Deno.truncate(path, 16 * MIB)],
    ["grows", (path) => Deno.writeTextFile(path, "more", { append: true })],
    ["gets another time", (path) => Deno.utime(path, 1, 1)],
  ];
  for (const [name, change] of changes) {
    await t.step(name, async () => {
      await withTempDirectory(async (root) => {
        const path = `${root}/file`;
        await Deno.writeFile(path, new Uint8Array(24 * MIB).fill(7));
        await assertRejects(
          () => tarChangedWhileRead(path, () => change(path)),
          BackupFailedError,
          "File changed while it was read",
        );
      });
    });
  }
});

Deno.test("tarSource refuses links to what it does not hold", async (t) => {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/outside`);
    await Deno.writeTextFile(`${root}/outside/secret`, "not ours");
    for (const target of ["../outside/secret", "nowhere", "/etc", "link"]) {
      await t.step(target, async () => {
        await Deno.mkdir(`${root}/in`);
        await Deno.writeTextFile(`${root}/in/a`, "a");
        await Deno.symlink(target, `${root}/in/link`);
        await assertRejects(
          () => openTar(`${root}/in`),
          InvalidInputError,
          `${root}/in/link is a symbolic link to ${target}, which is no file inside ${root}/in`,
        );
        await Deno.remove(`${root}/in`, { recursive: true });
      });
    }
  });
});

Deno.test("tarSource refuses a name that is not UTF-8", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/ok.backup`, "x");
    // The runtime has no such names: a shell makes it.
    await new Deno.Command("sh", {
      args: ["-c", `printf x > "$0/$(printf 'caf\\351').backup"`, root],
    }).output();
    await assertRejects(() => openTar(root), InvalidInputError, "is not UTF-8");
  });
});

Deno.test("tarSource announces files of more than 8 GiB, and ends when cancelled", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/huge`, "");
    await Deno.truncate(`${root}/huge`, 9 * 1024 * MIB);
    const input = await openTar(root);
    const reader = input.content.getReader();
    let head = "";
    while (head.length < 2048) head += new TextDecoder().decode((await reader.read()).value);
    assert(head.includes(` size=${9 * 1024 * MIB}\n`));
    await reader.cancel(new Error("enough"));
    await assertRejects(() => input.finished, Error, "enough");
  });
});

Deno.test("tarSource ends when aborted", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeFile(`${root}/file`, new Uint8Array(32 * MIB));
    const controller = new AbortController();
    const source = await tarSource("neo4j", "/n", root, "path", recordingReporter());
    const input = await source.open(controller.signal);
    controller.abort(new Error("interrupted"));
    await assertRejects(() => readAll(input.content), Error, "interrupted");
    await assertRejects(() => input.finished, Error, "interrupted");
  });
});

Deno.test("tarSource refuses a path without files, or that is not there", async () => {
  await withTempDirectory(async (root) => {
    await assertRejects(
      () => openTar(root),
      InvalidInputError,
      `neo4j backup path contains no files: ${root}`,
    );
    await assertRejects(
      () => openTar(`${root}/missing`),
      InvalidInputError,
      `neo4j backup path not accessible: ${root}/missing: no such file or directory`,
    );
  });
});
