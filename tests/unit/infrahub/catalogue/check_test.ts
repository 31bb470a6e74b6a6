import { assert, assertEquals } from "@std/assert";
import { checkSnapshots, type ComponentProgress } from "../../../../src/infrahub/mod.ts";
import { createRepository, openRepository, openStore } from "../../../../src/kloset/mod.ts";
import { withTempDirectory } from "../_support.ts";
import { fakeDeployment } from "../fake_environment.ts";

const LENGTH = 3_000_000;

Deno.test("checkSnapshots() tells how much it has verified, and what is shared once", async () => {
  await withTempDirectory(async (root) => {
    const location = `${root}/repository`;
    {
      await using repository = await createRepository(openStore(location), { jobs: 1 });
      for (const name of ["first", "second"]) {
        const importer = { type: "test", origin: "here", directory: "/" };
        const writer = await repository.createSnapshot({ name, importer });
        await writer.addFile("/same", new Blob([new Uint8Array(LENGTH).fill(7)]).stream());
        await writer.commit();
      }
    }
    const told: ComponentProgress[] = [];
    const { deployment, reporter } = fakeDeployment();
    await using repository = await openRepository(openStore(location), { jobs: 1 });
    const report = await checkSnapshots({
      repository,
      ids: [],
      fast: false,
      reporter: { ...reporter, progress: (progress) => told.push(progress) },
      signal: deployment.signal,
    });
    assertEquals([report.snapshots.length, report.damage], [2, []]);
    assert(told.length > 0);
    assertEquals(told.at(-1), { component: "snapshots", bytes: LENGTH });
    const counts = told.map(({ bytes }) => bytes);
    assertEquals(counts, counts.toSorted((a, b) => a - b));
  });
});
