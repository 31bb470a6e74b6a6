import { assertEquals, assertRejects } from "@std/assert";
import { AlreadyExistsError, ArchiveIoError } from "../../../../src/archive/errors.ts";
import { TemporaryFile } from "../../../../src/archive/io/temporary_file.ts";
import { bytesOf, namesIn, withTempDirectory } from "../_support.ts";

Deno.test("TemporaryFile has its name when it is published, with its first bytes as last written", async () => {
  await withTempDirectory(async (directory) => {
    {
      await using file = await TemporaryFile.create(`${directory}/a`, "what", 0o640);
      await file.write(bytesOf("....first"));
      await file.overwriteStart(bytesOf("head"));
      const names = await namesIn(directory);
      assertEquals(names.map((name) => /^\.a\.[0-9a-f]{32}\.part$/.test(name)), [true]);
      await file.finish();
      await file.publish();
    }
    assertEquals(await namesIn(directory), ["a"]);
    assertEquals(await Deno.readTextFile(`${directory}/a`), "headfirst");
  });
});

Deno.test("TemporaryFile leaves nothing when it is let go before", async () => {
  await withTempDirectory(async (directory) => {
    {
      await using file = await TemporaryFile.create(`${directory}/a`, "what", 0o600);
      await file.write(bytesOf("half"));
    }
    assertEquals(await namesIn(directory), []);
  });
});

Deno.test("TemporaryFile takes no name that somebody has, before or meanwhile", async () => {
  await withTempDirectory(async (directory) => {
    {
      await using file = await TemporaryFile.create(`${directory}/a`, "what", 0o600);
      await file.finish();
      await Deno.writeTextFile(`${directory}/a`, "another's");
      await assertRejects(() => file.publish(), AlreadyExistsError, "what: it exists already");
    }
    assertEquals(await Deno.readTextFile(`${directory}/a`), "another's");
    assertEquals(await namesIn(directory), ["a"]);
    await assertRejects(
      () => TemporaryFile.create(`${directory}/a`, "what", 0o600),
      AlreadyExistsError,
    );
    await assertRejects(
      () => TemporaryFile.create(`${directory}/absent/a`, "what", 0o600),
      ArchiveIoError,
      "what: no such file or directory",
    );
  });
});
