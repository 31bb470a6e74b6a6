import { assertEquals } from "@std/assert";
import { followInside } from "../../../src/files/contained_link.ts";
import { withTempDirectory } from "../infrahub/_support.ts";

Deno.test("followInside() follows links to files below the directory, and no others", async () => {
  await withTempDirectory(async (top) => {
    const real = await Deno.realPath(top);
    const root = `${real}/root`;
    await Deno.mkdir(`${root}/folder`, { recursive: true });
    await Deno.writeTextFile(`${root}/folder/file`, "x");
    await Deno.writeTextFile(`${real}/root-and-more`, "a neighbour whose name begins alike");
    const rows: [string, string | undefined][] = [
      ["folder/file", `${root}/folder/file`],
      [`${root}/folder/../folder/file`, `${root}/folder/file`],
      ["second", `${root}/folder/file`],
      ["../root-and-more", undefined],
      ["/etc/passwd", undefined],
      ["folder", undefined],
      ["nowhere", undefined],
      ["link", undefined],
    ];
    await Deno.symlink("folder/file", `${root}/second`);
    for (const [target, want] of rows) {
      await Deno.symlink(target, `${root}/link`);
      assertEquals([target, (await followInside(root, `${root}/link`))?.path], [target, want]);
      await Deno.remove(`${root}/link`);
    }
    // The directory itself may be reached by a link.
    await Deno.symlink(root, `${real}/alias`);
    await Deno.symlink("second", `${root}/link`);
    const found = await followInside(`${real}/alias`, `${real}/alias/link`);
    assertEquals(found?.path, `${root}/folder/file`);
  });
});
