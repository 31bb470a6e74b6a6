import { assertEquals, assertRejects } from "@std/assert";
import {
  namesIn,
  requireReadableNames,
  UnreadableNameError,
} from "../../../src/files/directory_names.ts";
import { withTempDirectory } from "../infrahub/_support.ts";

/** Makes a file whose name is Latin-1: the runtime cannot, a shell can. */
async function makeLatin1(directory: string): Promise<void> {
  const script = `printf x > "$0/$(printf 'caf\\351').backup"`;
  const { success } = await new Deno.Command("sh", { args: ["-c", script, directory] }).output();
  assertEquals(success, true);
}

Deno.test("namesIn() sorts by code unit", async () => {
  await withTempDirectory(async (root) => {
    for (const name of ["b", "a", "B", "ä", "a b"]) await Deno.writeTextFile(`${root}/${name}`, "");
    assertEquals(await namesIn(root), ["B", "a", "a b", "b", "ä"]);
    await requireReadableNames(root);
  });
});

Deno.test("requireReadableNames() finds a name that is not UTF-8, however deep", async () => {
  await withTempDirectory(async (root) => {
    await Deno.mkdir(`${root}/deep/er`, { recursive: true });
    await makeLatin1(`${root}/deep/er`);
    await assertRejects(() => requireReadableNames(root), UnreadableNameError, "is not UTF-8");
  });
});

Deno.test("namesIn() does not leave out what the runtime shows under another name", async () => {
  await withTempDirectory(async (root) => {
    await makeLatin1(root);
    // Older runtimes do not show it at all: for these there is the test above.
    const shown = await Array.fromAsync(Deno.readDir(root));
    if (shown.length > 0) await assertRejects(() => namesIn(root), UnreadableNameError);
    else assertEquals(await namesIn(root), []);
  });
});
