import { assertEquals, assertRejects } from "@std/assert";
import { fileSource, InvalidInputError } from "../../../../src/infrahub/mod.ts";
import { BackupFailedError } from "../../../../src/infrahub/errors.ts";
import { readAll, recordingReporter, withTempDirectory } from "../_support.ts";

const SIGNAL = new AbortController().signal;

Deno.test("fileSource streams the file as it is", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/p.dump`, "PGDMP content");
    const reporter = recordingReporter();
    const source = await fileSource(
      "postgres",
      "/prefect.dump",
      `${root}/p.dump`,
      "dump",
      reporter,
    );
    assertEquals([source.component, source.recordPath], ["postgres", "/prefect.dump"]);
    const input = await source.open(SIGNAL);
    assertEquals(new TextDecoder().decode(await readAll(input.content)), "PGDMP content");
    await input.finished;
    await input.verify?.(13);
    assertEquals(reporter.lines, []);
  });
});

Deno.test("fileSource warns of a file that changes its size while it is read", async () => {
  await withTempDirectory(async (root) => {
    const path = `${root}/p.dump`;
    await Deno.writeTextFile(path, "long content");
    const reporter = recordingReporter();
    const source = await fileSource("postgres", "/prefect.dump", path, "dump", reporter);
    const input = await source.open(SIGNAL);
    await Deno.truncate(path, 4);
    assertEquals((await readAll(input.content)).length, 4);
    await input.verify?.(4);
    assertEquals(reporter.lines, [
      `warn File changed its size while it was read, stored as read: ${path}`,
    ]);
  });
});

Deno.test("fileSource fails when the file has become empty", async () => {
  await withTempDirectory(async (root) => {
    const path = `${root}/p.dump`;
    await Deno.writeTextFile(path, "x");
    const source = await fileSource("postgres", "/p", path, "dump file", recordingReporter());
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
          () => fileSource("neo4j", "/n", `${root}/${name}`, "dump file", recordingReporter()),
          InvalidInputError,
          message,
        );
      });
    }
  });
});
