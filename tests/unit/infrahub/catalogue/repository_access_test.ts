import { assertEquals, assertRejects } from "@std/assert";
import {
  openExisting,
  openOrCreate,
} from "../../../../src/infrahub/catalogue/repository_access.ts";
import { RepositoryUnavailableError } from "../../../../src/infrahub/errors.ts";
import { recordingReporter, withTempDirectory } from "../_support.ts";

const ENGINE = { jobs: 1 };

function target(location: string, more: { encrypt?: boolean; hasPassphrase?: boolean } = {}) {
  const { encrypt = false, hasPassphrase = false } = more;
  return { location, engine: ENGINE, encrypt, hasPassphrase };
}

Deno.test("openOrCreate() creates where nothing is, and opens the same afterwards", async () => {
  await withTempDirectory(async (root) => {
    const location = `${root}/new`;
    const reporter = recordingReporter();
    let id: string;
    {
      await using created = await openOrCreate(target(location), reporter);
      id = created.id;
    }
    assertEquals(reporter.lines, [
      `info Creating new Plakar repository: ${location}`,
      `info Plakar repository created: ${location}`,
    ]);
    await using opened = await openOrCreate(target(location), reporter);
    await using existing = await openExisting({ location, engine: ENGINE });
    assertEquals([opened.id, existing.id, reporter.lines.length], [id, id, 2]);
  });
});

Deno.test("openOrCreate() puts no repository beside something else, nor where it cannot be read", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/diary`, "dear diary");
    await assertRejects(
      () => openOrCreate(target(root), recordingReporter()),
      RepositoryUnavailableError,
      `failed to open plakar repository ${root}: `,
    );
    assertEquals((await Array.fromAsync(Deno.readDir(root))).length, 1);
  });
});

Deno.test("openExisting() creates nothing", async () => {
  await withTempDirectory(async (root) => {
    const location = `${root}/new`;
    await assertRejects(
      () => openExisting({ location, engine: ENGINE }),
      RepositoryUnavailableError,
      `failed to open plakar repository ${location}: `,
    );
    assertEquals((await Array.fromAsync(Deno.readDir(root))).length, 0);
  });
});

Deno.test("openOrCreate() leaves nobody in the belief that a plain repository were encrypted", async () => {
  await withTempDirectory(async (root) => {
    const reporter = recordingReporter();
    await assertRejects(
      () => openOrCreate(target(`${root}/new`, { hasPassphrase: true }), reporter),
      RepositoryUnavailableError,
      "a passphrase was given, but not --encrypt: nothing would be encrypted",
    );
    assertEquals((await Array.fromAsync(Deno.readDir(root))).length, 0);
    await (await openOrCreate(target(`${root}/plain`), reporter)).close();
    await assertRejects(
      () => openOrCreate(target(`${root}/plain`, { encrypt: true }), reporter),
      RepositoryUnavailableError,
      "it is not encrypted, and cannot be encrypted any more",
    );
  });
});

Deno.test("openExisting() that fails in a run that was ended fails with the reason of that", async () => {
  await withTempDirectory(async (root) => {
    const engine = { ...ENGINE, signal: AbortSignal.abort(new Error("SIGTERM")) };
    await assertRejects(() => openExisting({ location: `${root}/new`, engine }), Error, "SIGTERM");
  });
});
