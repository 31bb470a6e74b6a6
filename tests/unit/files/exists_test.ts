import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { exists, existsSync, readTextIfThere, removeIfThere } from "../../../src/files/mod.ts";
import { namesIn, withDirectory } from "./_support.ts";

Deno.test("exists tells files, folders and dangling links from nothing, and fails otherwise", async () => {
  await withDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "");
    await Deno.symlink(`${root}/nowhere`, `${root}/link`);
    const rows: [string, boolean][] = [
      [root, true],
      [`${root}/file`, true],
      [`${root}/link`, true],
      [`${root}/nowhere`, false],
    ];
    for (const [path, expected] of rows) {
      assertEquals([await exists(path), existsSync(path)], [expected, expected], path);
    }
    // What cannot be looked at is not missing.
    await assertRejects(() => exists(`${root}/file/x`), Deno.errors.NotADirectory);
    assertThrows(() => existsSync(`${root}/file/x`), Deno.errors.NotADirectory);
  });
});

Deno.test("readTextIfThere and removeIfThere pass over what is missing, and over nothing else", async () => {
  await withDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "text");
    assertEquals(await readTextIfThere(`${root}/none`), undefined);
    assertEquals(await readTextIfThere(`${root}/file`), "text");
    await assertRejects(() => readTextIfThere(root));
    await Deno.mkdir(`${root}/full/x`, { recursive: true });
    await assertRejects(() => removeIfThere(`${root}/full`));
    await removeIfThere(`${root}/none`);
    await removeIfThere(`${root}/file`);
    assertEquals(await namesIn(root), ["full"]);
  });
});
