import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  openExisting,
  openOrCreate,
} from "../../../../src/infrahub/catalogue/repository_access.ts";
import { KnownRepositories } from "../../../../src/infrahub/catalogue/known_repositories.ts";
import { Kernels } from "../../../../src/kernels/mod.ts";
import {
  encodeEnvelope,
  encodeLock,
  ResourceType,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { LockedError } from "../../../../src/kloset/mod.ts";
import { Codec, MacFunction } from "../../../../src/kloset/unit/mod.ts";
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
      `warn NEW REPOSITORY: there was none at ${location}, and it holds this backup only. If there ` +
      "should have been one, look for its mount and at the spelling",
    ]);
    await using opened = await openOrCreate(target(location), reporter);
    await using existing = await openExisting({ location, engine: ENGINE });
    assertEquals([opened.id, existing.id, reporter.lines.length], [id, id, 3]);
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

Deno.test("openOrCreate() makes no other repository where one is not there any more", async (t) => {
  await withTempDirectory(async (root) => {
    const location = `${root}/mount/backups`;
    const reporter = recordingReporter();
    const known = new KnownRepositories(`${root}/state/tool`, reporter);
    const first = await openOrCreate({ ...target(location), known }, reporter);
    await first.close();
    assertEquals(((await Deno.stat(`${root}/state/tool`)).mode ?? 0) & 0o777, 0o700);
    for (const rest of ["the mount is missing", "its root is empty", "lost+found alone"]) {
      await t.step(rest, async () => {
        await Deno.mkdir(`${root}/mount`, { recursive: true });
        await Deno.remove(`${root}/mount`, { recursive: true });
        if (rest !== "the mount is missing") await Deno.mkdir(location, { recursive: true });
        if (rest === "lost+found alone") await Deno.mkdir(`${location}/lost+found`);
        const { message } = await assertRejects(
          () => openOrCreate({ ...target(location), known }, reporter),
          RepositoryUnavailableError,
          `repository ${first.id} was there on `,
        );
        assertMatch(message, /is its mount missing\? --init makes a new one$/);
      });
    }
    reporter.lines.length = 0;
    const second = await openOrCreate({ ...target(location), known, init: true }, reporter);
    await second.close();
    // Asked for: no warning. From now on it is this one that is expected.
    assertEquals(reporter.lines.filter((line) => line.startsWith("warn")), []);
    await (await openOrCreate({ ...target(location), known }, reporter)).close();
    assertEquals(reporter.lines.filter((line) => line.startsWith("warn")), []);
    assertEquals((await known.find(`fs://${location}`))?.id, second.id);

    await Deno.rename(location, `${root}/other`);
    await (await openOrCreate({ ...target(location), init: true }, reporter)).close();
    await (await openOrCreate({ ...target(location), known }, reporter)).close();
    assertMatch(reporter.lines.at(-1) ?? "", /^warn The repository at .* is another one than on /);
  });
});

Deno.test("openOrCreate() goes on where nothing can be remembered", async () => {
  await withTempDirectory(async (root) => {
    await Deno.writeTextFile(`${root}/file`, "");
    const reporter = recordingReporter();
    const known = new KnownRepositories(`${root}/file/state`, reporter);
    const location = `${root}/new`;
    await (await openOrCreate({ ...target(location), known, init: true }, reporter)).close();
    await (await openOrCreate({ ...target(location), known }, reporter)).close();
    assertEquals(reporter.lines.filter((line) => line.startsWith("warn")), []);
  });
});

Deno.test("openOrCreate() refuses, or waits, while a maintenance keeps others from writing", async () => {
  await withTempDirectory(async (root) => {
    const location = `${root}/locked`;
    const reporter = recordingReporter();
    await using made = await openOrCreate(target(location), reporter);
    const kernels = await Kernels.load();
    const { repositoryId } = made.configuration;
    const mac = new MacFunction(kernels, {
      algorithm: "BLAKE3",
      key: kernels.blake3(repositoryId),
    });
    const codec = new Codec(kernels, { compression: "LZ4", encryption: undefined });
    const payload = codec.encode(encodeLock({
      version: VERSION_1_0_0,
      timestampNs: BigInt(Date.now()) * 1_000_000n,
      hostname: "keeper",
      exclusive: true,
    }));
    const lock = `${location}/locks/${"11".repeat(32)}`;
    await Deno.writeFile(lock, encodeEnvelope(ResourceType.LOCK, VERSION_1_0_0, payload, mac.of));
    await assertRejects(
      () => openOrCreate(target(location), reporter),
      LockedError,
      "keeper holds an exclusive lock",
    );
    const waiting = openOrCreate({ ...target(location), lockPatienceMs: 60_000 }, {
      ...reporter,
      warn: () => Deno.removeSync(lock),
    });
    await using opened = await waiting;
    assertEquals(opened.id, made.id);
  });
});
