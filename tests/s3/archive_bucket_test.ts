/** What a long transfer of an archive tells about itself. */

import { assert, assertEquals } from "@std/assert";
import { ArchiveBucket, type ComponentProgress } from "../../src/infrahub/mod.ts";
import { noise } from "../faults/backups.ts";
import { TemporaryDirectory } from "../faults/temporary_directory.ts";
import { recordingReporter } from "../unit/infrahub/_support.ts";
import { credentialsInProcess, startServer } from "./servers.ts";

const LENGTH = 40_000_000;

Deno.test("an archive's upload and download tell how far they have come", async () => {
  const server = await startServer("minio");
  await using folder = await TemporaryDirectory.make();
  try {
    const bytes = noise(LENGTH, 8);
    await Deno.writeFile(folder.at("there.tar.gz"), bytes);
    await Deno.mkdir(`${server.data}/archives`);
    using _credentials = credentialsInProcess(server);
    const bucket = new ArchiveBucket("archives", {
      env: (name) => name === "AWS_ENDPOINT_URL_S3" ? server.endpoint : undefined,
    });
    const told: ComponentProgress[] = [];
    const options = {
      reporter: { ...recordingReporter(), progress: (one: ComponentProgress) => told.push(one) },
      signal: new AbortController().signal,
    };
    await bucket.upload(folder.at("there.tar.gz"), "a.tar.gz", options);
    assertEquals(told.at(-1), { component: "upload", bytes: LENGTH, bytesTotal: LENGTH });
    assert(told.length > 1);
    await bucket.download("a.tar.gz", folder.at("back.tar.gz"), options);
    assertEquals(told.at(-1), { component: "download", bytes: LENGTH, bytesTotal: LENGTH });
    assertEquals(await Deno.readFile(folder.at("back.tar.gz")), bytes);
  } finally {
    await server.stop();
  }
});
