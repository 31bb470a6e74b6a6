import { assertEquals } from "@std/assert";
import { messageOf, problemOf } from "../../../src/errors/mod.ts";

Deno.test("messageOf gives the message of errors, and the text of whatever else was thrown", () => {
  assertEquals(messageOf(new TypeError("not so")), "not so");
  assertEquals(messageOf("just text"), "just text");
  assertEquals(messageOf(undefined), "undefined");
});

Deno.test("problemOf puts errors of the runtime in plain words, without its calls and paths", async () => {
  const folder = await Deno.makeTempDir();
  const rejected = async (action: Promise<unknown>) => {
    try {
      await action;
    } catch (error) {
      return problemOf(error);
    }
    return "nothing was thrown";
  };
  assertEquals(await rejected(Deno.lstat(`${folder}/none`)), "no such file or directory");
  await Deno.writeTextFile(`${folder}/file`, "");
  assertEquals(
    await rejected(Array.fromAsync(Deno.readDir(`${folder}/file`))),
    "Not a directory (os error 20)",
  );
  await Deno.mkdir(`${folder}/full/x`, { recursive: true });
  assertEquals(
    await rejected(Deno.rename(`${folder}/file`, `${folder}/full`)),
    "Is a directory (os error 21)",
  );
  await Deno.remove(folder, { recursive: true });
  assertEquals(problemOf(new Deno.errors.PermissionDenied("x")), "permission denied");
  assertEquals(problemOf(new Error("our own: 'quoted' text")), "our own: 'quoted' text");
});
