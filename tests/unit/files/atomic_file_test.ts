import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AtomicFile, writeFileAtomically } from "../../../src/files/mod.ts";
import { namesIn, withDirectory } from "./_support.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;

/** Runs with a umask that takes nothing, or everything of others. */
async function withUmask(mask: number, action: () => Promise<void>): Promise<void> {
  const before = Deno.umask(mask);
  try {
    await action();
  } finally {
    Deno.umask(before);
  }
}

for (const replace of [false, true]) {
  const options = { mode: 0o640, replace };

  Deno.test(`AtomicFile has its name when it is published, not before (replace: ${replace})`, async () => {
    await withDirectory(async (root) => {
      const target = `${root}/a.txt`;
      const file = await AtomicFile.create(target, options);
      await file.write(bytes("helo "));
      await file.write(bytes("world"));
      await file.overwriteStart(bytes("HELO"));
      await file.finish();
      assertEquals(file.hasName, false);
      const [name = "", ...others] = await namesIn(root);
      assertMatch(name, /^\.a\.txt\.[0-9a-f]{32}\.part$/);
      assertEquals(others, []);
      await file.publish();
      assertEquals(file.hasName, true);
      await file[Symbol.asyncDispose]();
      assertEquals(await namesIn(root), ["a.txt"]);
      assertEquals(await Deno.readTextFile(target), "HELO world");
    });
  });

  Deno.test(`AtomicFile leaves nothing when it is let go (replace: ${replace})`, async () => {
    await withDirectory(async (root) => {
      for (const finished of [false, true]) {
        const file = await AtomicFile.create(`${root}/a`, options);
        await file.write(bytes("half"));
        if (finished) await file.finish();
        await file[Symbol.asyncDispose]();
        await file[Symbol.asyncDispose]();
        assertEquals(await namesIn(root), []);
        await assertRejects(() => file.write(bytes("more")), TypeError, "is closed");
        await assertRejects(() => file.publish(), Deno.errors.NotFound);
      }
    });
  });

  Deno.test(`AtomicFile can be published again where its folder was missing (replace: ${replace})`, async () => {
    await withDirectory(async (root) => {
      const target = `${root}/folder/a`;
      await using file = await AtomicFile.create(target, {
        ...options,
        temporary: `${root}/tmp.1`,
      });
      await file.write(bytes("x"));
      await assertRejects(() => file.publish(), TypeError, "is not finished");
      await file.finish();
      await assertRejects(() => file.publish(), Deno.errors.NotFound);
      assertEquals([file.hasName, await namesIn(root)], [false, ["tmp.1"]]);
      await Deno.mkdir(`${root}/folder`);
      await file.publish();
      assertEquals([file.hasName, await namesIn(root)], [true, ["folder"]]);
      assertEquals(await Deno.readTextFile(target), "x");
    });
  });
}

Deno.test("AtomicFile is on the disk before it has its name, and its name before publish returns", async () => {
  const { sync } = Deno.FsFile.prototype;
  const { link, rename } = Deno;
  for (const replace of [false, true]) {
    const steps: string[] = [];
    await withDirectory(async (root) => {
      try {
        Deno.FsFile.prototype.sync = async function () {
          const { isDirectory } = await this.stat();
          steps.push(isDirectory ? "sync folder" : "sync file");
          await sync.call(this);
        };
        Deno.link = (from, to) => {
          steps.push("name");
          return link(from, to);
        };
        Deno.rename = (from, to) => {
          steps.push("name");
          return rename(from, to);
        };
        await writeFileAtomically(`${root}/a`, "x", { mode: 0o644, replace });
      } finally {
        Deno.FsFile.prototype.sync = sync;
        Object.assign(Deno, { link, rename });
      }
    });
    assertEquals(steps, ["sync file", "name", "sync folder"]);
  }
});

Deno.test("AtomicFile renames where there are no hard links, and still replaces nothing", async () => {
  const { link } = Deno;
  await withDirectory(async (root) => {
    try {
      Deno.link = () => Promise.reject(new Deno.errors.NotSupported("no hard links here"));
      const options = { mode: 0o644, replace: false };
      await writeFileAtomically(`${root}/a`, "first", options);
      const late = await AtomicFile.create(`${root}/b`, options);
      await late.finish();
      await Deno.writeTextFile(`${root}/b`, "another's");
      await assertRejects(() => late.publish(), Deno.errors.AlreadyExists);
      await late[Symbol.asyncDispose]();
    } finally {
      Deno.link = link;
    }
    assertEquals(await namesIn(root), ["a", "b"]);
    assertEquals(await Deno.readTextFile(`${root}/b`), "another's");
  });
});

Deno.test("AtomicFile replaces what it may, link or file, and never follows a link", async () => {
  await withDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/elsewhere`, "kept");
    await Deno.symlink(`${root}/elsewhere`, `${root}/a`);
    await writeFileAtomically(`${root}/a`, "one", { mode: 0o644, replace: true });
    await writeFileAtomically(`${root}/a`, "two", { mode: 0o644, replace: true });
    assertEquals(await Deno.readTextFile(`${root}/a`), "two");
    assertEquals((await Deno.lstat(`${root}/a`)).isSymlink, false);
    assertEquals(await Deno.readTextFile(`${root}/elsewhere`), "kept");
    assertEquals(await namesIn(root), ["a", "elsewhere"]);
  });
});

Deno.test("AtomicFile refuses a name that is taken, from the start or meanwhile", async () => {
  await withDirectory(async (root) => {
    const options = { mode: 0o644, replace: false };
    const late = await AtomicFile.create(`${root}/a`, options);
    await late.finish();
    await Deno.symlink(`${root}/nothing`, `${root}/a`); // a dangling link is a name as well
    await assertRejects(() => late.publish(), Deno.errors.AlreadyExists);
    await late[Symbol.asyncDispose]();
    await assertRejects(
      () => writeFileAtomically(`${root}/a`, "mine", options),
      Deno.errors.AlreadyExists,
    );
    assertEquals(await Deno.readLink(`${root}/a`), `${root}/nothing`);
    assertEquals(await namesIn(root), ["a"]);
  });
});

Deno.test("AtomicFile takes no temporary name that is there, and leaves it", async () => {
  await withDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/a.part`, "another's");
    const options = { mode: 0o644, replace: true, temporary: `${root}/a.part` };
    await assertRejects(() => AtomicFile.create(`${root}/a`, options), Deno.errors.AlreadyExists);
    assertEquals(await Deno.readTextFile(`${root}/a.part`), "another's");
  });
});

Deno.test("a file that cannot be written atomically leaves neither name", async () => {
  await withDirectory(async (root) => {
    await Deno.mkdir(`${root}/a/full`, { recursive: true });
    await assertRejects(() =>
      writeFileAtomically(`${root}/a`, "x", { mode: 0o644, replace: true })
    );
    assertEquals(await namesIn(root), ["a"]);
    assertEquals(await namesIn(`${root}/a`), ["full"]);
  });
});

Deno.test("the umask takes away from the mode, unless it is exact", async () => {
  await withDirectory(async (root) => {
    await withUmask(0o077, async () => {
      await writeFileAtomically(`${root}/a`, "x", { mode: 0o644, replace: true });
      await writeFileAtomically(`${root}/b`, "x", { mode: 0o644, replace: true, exactMode: true });
    });
    assertEquals([await modeOf(`${root}/a`), await modeOf(`${root}/b`)], [0o600, 0o644]);
  });
});

Deno.test("AtomicFile.setAttributes sets exact bits and the time", async () => {
  await withDirectory(async (root) => {
    const mtime = new Date("2026-01-01T00:00:00Z");
    await using file = await AtomicFile.create(`${root}/a`, { mode: 0o600, replace: false });
    await file.write(bytes("x"));
    await file.setAttributes({ mode: 0o664, mtime });
    await file.finish();
    await file.publish();
    assertEquals(await modeOf(`${root}/a`), 0o664);
    assertEquals((await Deno.stat(`${root}/a`)).mtime, mtime);
  });
});
