import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { listGroups } from "../../../../src/infrahub/catalogue/mod.ts";
import { bytesSource } from "../../../../src/infrahub/dump/mod.ts";
import { createBackup } from "../../../../src/infrahub/run/mod.ts";
import {
  createRepository,
  openRepository,
  openStore,
  RepositoryExistsError,
  type Store,
} from "../../../../src/kloset/mod.ts";
import { neo4jDump, postgresDump } from "../../../fixtures/small_dumps.ts";
import { recordingReporter, withTempDirectory } from "../_support.ts";

const NOW = new Date(2026, 10, 30, 2, 0, 0);

/** A store that cannot keep two runs apart. */
function withoutClaims(path: string): Store {
  const store = openStore(path);
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "claim") return undefined;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function backUp(
  store: Store,
  hostname: string,
  onOpen: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string> {
  await using repository = await openRepository(store, { jobs: 1, hostname });
  const sources = [
    bytesSource("neo4j", "/neo4j.dump", neo4jDump(`graph of ${hostname}`)),
    bytesSource("postgres", "/prefect.dump", postgresDump(`tasks of ${hostname}`)),
  ].map((source) => ({
    ...source,
    open: async (signal: AbortSignal) => {
      await onOpen();
      return await source.open(signal);
    },
  }));
  const { backupId } = await createBackup({
    repository,
    sources,
    neo4jEdition: "community",
    infrahubVersion: "1.5",
    toolVersion: "0",
    hostname,
    now: NOW,
    reporter: recordingReporter(),
    signal: new AbortController().signal,
  });
  return backupId;
}

for (const [what, open] of [["claims", openStore], ["no claims", withoutClaims]] as const) {
  Deno.test(`two runs that begin in one second are two groups, on a store with ${what}`, async () => {
    await withTempDirectory(async (root) => {
      const path = `${root}/repository`;
      await (await createRepository(openStore(path), { jobs: 1 })).close();
      const ids = await Promise.all([
        backUp(open(path), "prod", () => new Promise((resolve) => setTimeout(resolve, 200))),
        backUp(open(path), "staging"),
      ]);
      await using repository = await openRepository(openStore(path), { jobs: 1 });
      const groups = await listGroups(repository, recordingReporter());
      assertEquals(groups.map(({ status, members }) => [status, members.length]), [
        ["complete", 3],
        ["complete", 3],
      ]);
      assertEquals(new Set(groups.map(({ name }) => name)).size, 2);
      for (const { origin, members } of groups) {
        for (const { snapshotId } of members) {
          const { header } = await repository.openSnapshot(snapshotId);
          assertEquals(header.importer.origin, origin.host);
        }
      }
      if (what === "claims") assertEquals(new Set(ids).size, 2);
      else {
        for (const { name } of groups) assertMatch(name, /^20261130_020000\.[0-9a-f]{8}$/);
      }
    });
  });
}

for (const hasLinks of [true, false]) {
  const what = hasLinks ? "with" : "without";
  Deno.test(`of several creations of one repository one succeeds, ${what} hard links`, async () => {
    await withTempDirectory(async (root) => {
      const { link } = Deno;
      if (!hasLinks) {
        Deno.link = () => Promise.reject(new Deno.errors.NotSupported("no links here"));
      }
      try {
        const results = await Promise.allSettled(
          Array.from({ length: 6 }, async () => {
            await (await createRepository(openStore(`${root}/r`), { jobs: 1 })).close();
          }),
        );
        const failures = results.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
        assertEquals(failures.length, 5);
        for (const failure of failures) {
          assertEquals(failure instanceof RepositoryExistsError, true, String(failure));
        }
      } finally {
        Deno.link = link;
      }
      const names = (await Array.fromAsync(Deno.readDir(`${root}/r`))).map(({ name }) => name);
      assertEquals(names.sort(), ["CONFIG", "locks", "packfiles", "states"]);
      await (await openRepository(openStore(`${root}/r`), { jobs: 1 })).close();
    });
  });
}

Deno.test("a run whose repository was replaced meanwhile commits nothing", async () => {
  await withTempDirectory(async (root) => {
    const path = `${root}/repository`;
    await (await createRepository(openStore(path), { jobs: 1 })).close();
    await (await createRepository(openStore(`${root}/other`), { jobs: 1 })).close();
    const running = backUp(
      openStore(path),
      "prod",
      () => Deno.copyFile(`${root}/other/CONFIG`, `${path}/CONFIG`),
    );
    await assertRejects(() => running, Error, "is not the one that was opened there");
    const states = await openStore(path).list("state");
    assertEquals(states, []);
  });
});
