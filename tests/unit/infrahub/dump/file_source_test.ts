import { assertEquals, assertRejects } from "@std/assert";
import { fileSource, InvalidInputError } from "../../../../src/infrahub/mod.ts";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import { readAll, withTempDirectory } from "../_support.ts";

const SIGNAL = new AbortController().signal;

Deno.test("fileSource streams the file as it is", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/p.dump`, "PGDMP content");
    const source = await fileSource("postgres", "/prefect.dump", `${root}/p.dump`, "dump");
    assertEquals([source.component, source.recordPath], ["postgres", "/prefect.dump"]);
    const input = await source.open(SIGNAL);
    assertEquals(new TextDecoder().decode(await readAll(input.content)), "PGDMP content");
    await input.finished;
    await input.verify?.(13);
  });
});

Deno.test("fileSource fails when the file changes while it is read", async (t) => {
  const changes: [string, (path: string) => Promise<void>][] = [
    ["shrinks", (path) => Deno.truncate(path, 4)],
    ["grows", (path) => Deno.writeTextFile(path, " and more", { append: true })],
    ["is written anew, as long as before", async (path) => {
      await Deno.writeTextFile(path, "other content");
      await Deno.utime(path, 1, 1);
    }],
  ];
  for (const [name, change] of changes) {
    await t.step(name, async () => {
      await withTempDirectory(async (root) => {
        const path = `${root}/p.dump`;
        await Deno.writeTextFile(path, "PGDMP content");
        const source = await fileSource("postgres", "/prefect.dump", path, "dump");
        const input = await source.open(SIGNAL);
        await change(path);
        const { length } = await readAll(input.content);
        await assertRejects(
          async () => await input.verify?.(length),
          BackupFailedError,
          "dump changed while it was read",
        );
      });
    });
  }
});

Deno.test("fileSource is content with a file whose name is gone or stands for another", async () => {
  await withTempDirectory(async (root) => {
    const path = `${root}/p.dump`;
    await Deno.writeTextFile(path, "PGDMP content");
    const source = await fileSource("postgres", "/prefect.dump", path, "dump");
    const input = await source.open(SIGNAL);
    await Deno.writeTextFile(`${root}/next`, "the next dump");
    await Deno.rename(`${root}/next`, path);
    assertEquals(new TextDecoder().decode(await readAll(input.content)), "PGDMP content");
    await input.verify?.(13);
  });
});

Deno.test("fileSource fails when the file has become empty", async () => {
  await withTempDirectory(async (root) => {
    const path = `${root}/p.dump`;
    await Deno.writeTextFile(path, "x");
    const source = await fileSource("postgres", "/p", path, "dump file");
    await Deno.truncate(path, 0);
    const input = await source.open(SIGNAL);
    assertEquals((await readAll(input.content)).length, 0);
    await assertRejects(
      async () => await input.verify?.(0),
      BackupFailedError,
      `dump file is empty: ${path}`,
    );
  });
});

Deno.test("fileSource refuses what is no dump", async (t) => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/empty`, "");
    await new Deno.Command("mkfifo", { args: [`${root}/pipe`] }).output();
    const rows: [string, string][] = [
      ["missing", `dump file not accessible: ${root}/missing: no such file or directory`],
      ["empty", `dump file is empty: ${root}/empty`],
      ["pipe", `dump file is not a regular file: ${root}/pipe`],
      [".", `dump file is not a regular file: ${root}/.`],
    ];
    for (const [name, message] of rows) {
      await t.step(name, async () => {
        await assertRejects(
          () => fileSource("neo4j", "/n", `${root}/${name}`, "dump file"),
          InvalidInputError,
          message,
        );
      });
    }
  });
});
