/** How real services check what is sent to them, and what happens at those that do not. */

import { assert, assertEquals } from "@std/assert";
import { S3Store } from "../../src/kloset/mod.ts";
import { noise } from "../faults/backups.ts";
import { type FaultPlan, FaultProxy } from "./fault_proxy.ts";
import { type S3Server, startServer } from "./servers.ts";

const ID = "ab".repeat(32);
const MIB = 1024 * 1024;
/** Three parts. */
const BYTES = noise(11 * MIB, 5);

for (const name of ["minio", "versitygw"] as const) {
  const server = await startServer(name);

  Deno.test(`${name}: the first body is sent with both checksums, later ones with the CRC-32`, async () => {
    const { first, parts } = await checksumsSent(server, "quick");
    assertEquals(first, ["content-md5", "x-amz-checksum-crc32"]);
    assertEquals(parts, Array(3).fill(["x-amz-checksum-crc32"]));
  });

  Deno.test(`${name}: a service that does not name the CRC-32 gets MD5`, async () => {
    const { parts } = await checksumsSent(server, "silent", () => "silent-checksum");
    assertEquals(parts, Array(3).fill(["content-md5"]));
  });

  Deno.test(`${name}: a service that refuses the CRC-32 gets MD5`, async () => {
    const { parts } = await checksumsSent(server, "refused", () => "refused-checksum");
    assertEquals(parts, Array(3).fill(["content-md5"]));
  });

  Deno.test(`${name}: a part whose CRC-32 is passed over is sent again with MD5`, async () => {
    const { parts } = await checksumsSent(
      server,
      "forgets",
      (_, line) => /partNumber=1\b/.test(line) ? "silent-checksum" : undefined,
    );
    const again = parts.filter((sums) => sums.includes("content-md5"));
    assertEquals(again, [["content-md5", "x-amz-checksum-crc32"]]);
    assertEquals(parts.length, 4);
  });

  Deno.test(`${name}: a body that changes on its way is sent again`, async () => {
    for (const check of ["md5", "crc32"] as const) {
      const seen = new Set<string>();
      // Each body once; the lists of parts are not checked, but understood or not.
      const once: FaultPlan = (_, line) => {
        if (!/^PUT .*\/r\//.test(line) || seen.has(line)) return undefined;
        seen.add(line);
        return "flipped-body";
      };
      await using proxy = new FaultProxy(server.host);
      const store = storeBehind(proxy, server, `flipped-${check}`);
      proxy.setPlan(
        check === "crc32" ? once : (number, line) => once(number, line) ?? "silent-checksum",
      );
      await store.create(new Uint8Array([1, 2, 3]));
      assertEquals(await store.readConfiguration(), new Uint8Array([1, 2, 3]));
      await writeBytes(store);
      assert(proxy.injected >= 4);
      assertEquals(seen.size, 4);
      assertEquals(await store.readAll("packfile", ID), BYTES);
    }
  });
}

function storeBehind(proxy: FaultProxy, server: S3Server, bucket: string): S3Store {
  const location = server.at(`${bucket}/r`).replace(server.host, proxy.host);
  return new S3Store(location, {
    env: () => undefined,
    retries: { attempts: 3, firstDelayMs: 0, maximumDelayMs: 0 },
  });
}

async function writeBytes(store: S3Store): Promise<void> {
  const writer = await store.openWriter("packfile", ID);
  await writer.write(BYTES);
  await writer.close();
}

/** Writes a small and a large object. @returns the headers of the first body, and of all parts */
async function checksumsSent(
  server: S3Server,
  bucket: string,
  plan?: FaultPlan,
): Promise<{ first: string[] | undefined; parts: string[][] }> {
  await using proxy = new FaultProxy(server.host);
  proxy.setPlan(plan);
  const store = storeBehind(proxy, server, bucket);
  await store.create(new Uint8Array([1]));
  await writeBytes(store);
  assertEquals(await store.readAll("packfile", ID), BYTES);
  const sums = (line: RegExp) =>
    proxy.heads.filter((head) => line.test(head)).map((head) =>
      [...head.matchAll(/\r\n(content-md5|x-amz-checksum-crc32):/gi)]
        .map(([, header = ""]) => header.toLowerCase()).toSorted()
    );
  return { first: sums(/^PUT [^?]*\/CONFIG/)[0], parts: sums(/^PUT .*partNumber=/) };
}
