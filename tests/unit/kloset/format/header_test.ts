import { assertEquals } from "@std/assert";
import { assertFailsCleanly } from "../../../faults/mutations.ts";
import {
  decodeHeader,
  encodeHeader,
  FormatError,
  type Header,
  NIL_UUID,
  SummaryBuilder,
  VERSION_1_0_0,
} from "../../../../src/kloset/format/mod.ts";
import { hex, TIME_NS, toHex } from "./_vectors.ts";

const mac = (byte: number) => new Uint8Array(32).fill(byte);

const HEADER: Header = {
  version: VERSION_1_0_0,
  identifier: mac(1),
  timestampNs: TIME_NS,
  durationNs: 1_500_000_000n,
  identity: { identifier: NIL_UUID, publicKey: undefined },
  name: "backup_prefect",
  category: "",
  environment: "",
  perimeter: "",
  job: "",
  replicas: 1,
  dataset: "",
  dataClasses: [],
  classifications: [],
  tags: ["component=prefect"],
  context: [{ key: "Hostname", value: "host" }],
  sources: [{
    importer: { type: "infrahub", origin: "host", directory: "/" },
    context: [],
    root: mac(2),
    xattrs: mac(3),
    errors: mac(4),
    indexes: [{ name: "dirpack", type: "btree", value: mac(5) }],
    summary: new SummaryBuilder().finish(),
  }],
};

const name = (text: string) =>
  (0xa0 + text.length).toString(16) + toHex(new TextEncoder().encode(text));

Deno.test("encodeHeader writes the 17 fields of version 1.1.3 in order", () => {
  const text = (value: string) => name(value);
  const blob = (byte: string) => "c420" + byte.repeat(32);
  assertEquals(
    toHex(encodeHeader(HEADER)),
    "de0011" + name("version") + "ce00010000" + name("identifier") + blob("01") +
      name("timestamp") + "d7ff1d6f34546553f100" + name("duration") + "d30000000059682f00" +
      name("identity") + "82" + name("identifier") + "c410" + "00".repeat(16) +
      name("public_key") + "c0" + name("name") + text("backup_prefect") + name("category") + "a0" +
      name("environment") + "a0" + name("perimeter") + "a0" + name("job") + "a0" +
      name("replicas") + "ce00000001" + name("dataset") + "a0" + name("data_classes") + "90" +
      name("classifications") + "90" + name("tags") + "91" + text("component=prefect") +
      name("context") + "91" + "82" + name("key") + text("Hostname") + name("value") +
      text("host") + name("sources") + "91" + "85" + name("importer") + "83" + name("type") +
      text("infrahub") + name("origin") + text("host") + name("directory") + text("/") +
      name("context") + "90" + name("root") + "83" + name("root") + blob("02") + name("xattrs") +
      blob("03") + name("errors") + blob("04") + name("indexes") + "91" + "83" + name("name") +
      text("dirpack") + name("type") + text("btree") + name("value") + blob("05") +
      name("summary") + "81" + name("below") + "81" + name("errors") + "cf0000000000000000",
  );
});

Deno.test("decodeHeader undoes encodeHeader for every field", () => {
  const full: Header = {
    ...HEADER,
    identity: { identifier: new Uint8Array(16).fill(9), publicKey: hex("010203") },
    category: "category",
    environment: "environment",
    perimeter: "perimeter",
    job: "job",
    dataset: "dataset",
    dataClasses: ["class"],
    classifications: [{ analyzer: "a", classes: [{ name: "b", probability: 0.5 }] }],
    sources: [...HEADER.sources, { ...HEADER.sources[0]!, context: [{ key: "k", value: "v" }] }],
  };
  assertEquals(decodeHeader(encodeHeader(HEADER)), HEADER);
  assertEquals(decodeHeader(encodeHeader(full)), full);
});

Deno.test("decodeHeader reads the 15 fields of earlier versions", () => {
  const earlier = toHex(encodeHeader(HEADER))
    .replace(/^de0011/, "8f")
    .replace(name("dataset") + "a0" + name("data_classes") + "90", "");
  assertEquals(decodeHeader(hex(earlier)), HEADER);
});

Deno.test("decodeHeader survives damage", () => {
  assertFailsCleanly(encodeHeader(HEADER), decodeHeader, FormatError);
});
