import { assertEquals, assertRejects } from "@std/assert";
import { Kernels } from "../../../../src/kernels/mod.ts";
import { MacFunction, StreamMac } from "../../../../src/kloset/unit/mod.ts";
import { WorkerPool } from "../../../../src/kloset/workers/mod.ts";
import { noise } from "../../../faults/backups.ts";
import { bytesOf } from "../_hex.ts";

const kernels = await Kernels.load();
const KEY = new Uint8Array(32).fill(9);

Deno.test("MacFunction computes HMAC-SHA256 and keyed BLAKE3", () => {
  // RFC 4231, test case 2.
  const sha = new MacFunction(kernels, {
    algorithm: "SHA256",
    key: new TextEncoder().encode("Jefe"),
  });
  const text = new TextEncoder().encode("what do ya want for nothing?");
  assertEquals(
    sha.of(text.slice(0, 9), text.slice(9)),
    bytesOf("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
  );
  // The official test vectors, for an empty input.
  const blake3 = new MacFunction(kernels, {
    algorithm: "BLAKE3",
    key: new TextEncoder().encode("whats the Elvish word for friend"),
  });
  assertEquals(
    blake3.of(new Uint8Array()),
    bytesOf("92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"),
  );
});

for (const algorithm of ["BLAKE3", "SHA256"] as const) {
  Deno.test(`StreamMac gives the MAC of all parts, in the order of the calls (${algorithm})`, async () => {
    const pool = new WorkerPool(kernels, 2);
    const mac = new StreamMac(pool, { algorithm, key: KEY });
    const parts = [300_000, 0, 5, 1024, 70_000, 200_001].map(noise);
    const regions = parts.map((bytes) => {
      const region = kernels.allocate(Math.max(bytes.length, 1));
      kernels.bytes(region, 0, bytes.length).set(bytes);
      return region;
    });
    try {
      // None is awaited before the next one is added.
      await Promise.all(
        parts.map((bytes, i) =>
          i % 2 === 0 ? mac.updateRegion(regions[i]!, bytes.length) : mac.updateBytes(bytes)
        ),
      );
      assertEquals(mac.digest(), new MacFunction(kernels, { algorithm, key: KEY }).of(...parts));
    } finally {
      mac.dispose();
      for (const region of regions) kernels.free(region);
      pool.close();
    }
  });
}

Deno.test("StreamMac fails once a part before has failed", async () => {
  const pool = new WorkerPool(kernels, 1);
  const mac = new StreamMac(pool, { algorithm: "BLAKE3", key: KEY });
  const region = kernels.allocate(100);
  const first = mac.updateRegion(region, 100);
  const second = mac.updateBytes(noise(10, 1));
  const failures = Promise.allSettled([first, second]);
  pool.close();
  await failures;
  await assertRejects(() => first, Error, "closed");
  await assertRejects(() => second, Error, "closed");
  mac.dispose();
  kernels.free(region);
});
