import { assertEquals } from "@std/assert";
import {
  decodeCachedHeader,
  encodeCachedHeader,
  type SnapshotHeader,
} from "../../../../src/kloset/snapshot/mod.ts";

const HEADER: SnapshotHeader = {
  identifier: "5e".repeat(32),
  timestamp: new Date("2026-11-28T23:59:59.123Z"),
  durationNs: 2n ** 62n + 1n,
  name: 'n\u00e4me "\ud83c\udf89"\n',
  category: "default",
  environment: "",
  perimeter: "",
  job: "",
  tags: ["infrahub.backup-id=20261128_235959", "a=b=c"],
  context: [{ key: "Hostname", value: "host" }],
  importer: { type: "infrahub", origin: "host", directory: "/" },
};

Deno.test("decodeCachedHeader() undoes encodeCachedHeader()", () => {
  const headers = [
    HEADER,
    { ...HEADER, timestamp: new Date(0), durationNs: -1n, tags: [], context: [] },
    { ...HEADER, name: "\ud800", timestamp: new Date(NaN) },
  ];
  for (const header of headers) {
    assertEquals(decodeCachedHeader(encodeCachedHeader(header)), header);
  }
});

Deno.test("decodeCachedHeader() knows what is of another layout", () => {
  // A map of MessagePack, as earlier versions kept headers.
  assertEquals(decodeCachedHeader(new Uint8Array([0x82, 0xa1, 0x61, 0x01])), undefined);
  assertEquals(decodeCachedHeader(new Uint8Array()), undefined);
});
