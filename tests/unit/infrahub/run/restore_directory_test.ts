import { assertEquals, assertRejects } from "@std/assert";
import { InvalidInputError } from "../../../../src/infrahub/mod.ts";
import { DamagedSnapshotError } from "../../../../src/infrahub/errors.ts";
import { RestoreDirectory } from "../../../../src/infrahub/run/restore_directory.ts";
import { withTempDirectory } from "../_support.ts";

const ATTRIBUTES = { mtime: new Date("2026-01-01T00:00:00Z") };

function content(text: string) {
  return async (write: (bytes: Uint8Array) => Promise<void>) => {
    const bytes = new TextEncoder().encode(text);
    await write(bytes.subarray(0, 1));
    await write(bytes.subarray(1));
    return bytes.length;
  };
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name).sort();
}

Deno.test("RestoreDirectory gives files their names all at once", async () => {
  await withTempDirectory(async (root) => {
    const target = await RestoreDirectory.at(`${root}/new/out/`);
    assertEquals(await target.write("/a.dump", ATTRIBUTES, content("hello")), {
      path: `${root}/new/out/a.dump`,
      bytes: 5,
    });
    await target.write("/sub/b.dump", ATTRIBUTES, content("world"));
    assertEquals(await names(`${root}/new/out`), ["a.dump.part", "sub"]);
    await target.commit();
    assertEquals(await names(`${root}/new/out`), ["a.dump", "sub"]);
    assertEquals(await Deno.readTextFile(`${root}/new/out/sub/b.dump`), "world");
    const info = await Deno.stat(`${root}/new/out/a.dump`);
    // For its owner alone: the mode of the entry is not taken over.
    assertEquals((info.mode ?? 0) & 0o7777, 0o600);
    assertEquals(info.mtime, ATTRIBUTES.mtime);
  });
});

Deno.test("RestoreDirectory removes everything it made when rolled back", async () => {
  await withTempDirectory(async (root) => {
    const target = await RestoreDirectory.at(`${root}/new/out`);
    await target.write("/sub/a.dump", ATTRIBUTES, content("hello"));
    await assertRejects(
      () =>
        target.write("/b.dump", ATTRIBUTES, async (write) => {
          await write(new Uint8Array(3));
          throw new Error("damaged");
        }),
      Error,
      "damaged",
    );
    await target.rollBack();
    assertEquals(await names(root), []);
  });
});

Deno.test("RestoreDirectory leaves a directory in place that was there before", async () => {
  await withTempDirectory(async (root) => {
    const target = await RestoreDirectory.at(root);
    await target.write("/a.dump", ATTRIBUTES, content("hello"));
    await target.rollBack();
    assertEquals(await names(root), []);
  });
});

Deno.test("RestoreDirectory refuses a directory with content, and a file", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "x");
    await assertRejects(
      () => RestoreDirectory.at(root),
      InvalidInputError,
      `target directory is not empty: ${root} contains "file"`,
    );
    await assertRejects(() => RestoreDirectory.at(`${root}/file`), InvalidInputError, "accessible");
  });
});

Deno.test("RestoreDirectory never writes outside, nor the same name twice", async () => {
  await withTempDirectory(async (root) => {
    const target = await RestoreDirectory.at(`${root}/out`);
    await assertRejects(
      () => target.write("/../evil", ATTRIBUTES, content("x")),
      DamagedSnapshotError,
    );
    await target.write("/a", ATTRIBUTES, content("first"));
    await assertRejects(
      () => target.write("/a", ATTRIBUTES, content("second")),
      Deno.errors.AlreadyExists,
    );
    await target.rollBack();
    assertEquals(await names(root), []);
  });
});
