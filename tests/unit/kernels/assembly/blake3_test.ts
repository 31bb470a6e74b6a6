import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BLAKE3_STATE_BYTES, Kernels } from "../../../../src/kernels/mod.ts";

const kernels = await Kernels.load();

// Length of the input (byte i is i % 251), its digest, its digest with KEY: the published vectors
// of BLAKE3, computed anew with two other implementations.
const KEY = new TextEncoder().encode("whats the Elvish word for friend");
const VECTORS: [number, string, string][] = [
  [
    0,
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
  ],
  [
    1,
    "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b",
  ],
  [
    2,
    "7b7015bb92cf0b318037702a6cdd81dee41224f734684c2c122cd6359cb1ee63",
    "5392ddae0e0a69d5f40160462cbd9bd889375082ff224ac9c758802b7a6fd20a",
  ],
  [
    3,
    "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f",
    "39e67b76b5a007d4921969779fe666da67b5213b096084ab674742f0d5ec62b9",
  ],
  [
    4,
    "f30f5ab28fe047904037f77b6da4fea1e27241c5d132638d8bedce9d40494f32",
    "7671dde590c95d5ac9616651ff5aa0a27bee5913a348e053b8aa9108917fe070",
  ],
  [
    5,
    "b40b44dfd97e7a84a996a91af8b85188c66c126940ba7aad2e7ae6b385402aa2",
    "73ac69eecf286894d8102018a6fc729f4b1f4247d3703f69bdc6a5fe3e0c8461",
  ],
  [
    6,
    "06c4e8ffb6872fad96f9aaca5eee1553eb62aed0ad7198cef42e87f6a616c844",
    "82d3199d0013035682cc7f2a399d4c212544376a839aa863a0f4c91220ca7a6d",
  ],
  [
    7,
    "3f8770f387faad08faa9d8414e9f449ac68e6ff0417f673f602a646a891419fe",
    "af0a7ec382aedc0cfd626e49e7628bc7a353a4cb108855541a5651bf64fbb28a",
  ],
  [
    8,
    "2351207d04fc16ade43ccab08600939c7c1fa70a5c0aaca76063d04c3228eaeb",
    "be2f5495c61cba1bb348a34948c004045e3bd4dae8f0fe82bf44d0da245a0600",
  ],
  [
    63,
    "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b",
    "bb1eb5d4afa793c1ebdd9fb08def6c36d10096986ae0cfe148cd101170ce37ae",
  ],
  [
    64,
    "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98",
    "ba8ced36f327700d213f120b1a207a3b8c04330528586f414d09f2f7d9ccb7e6",
  ],
  [
    65,
    "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee",
    "c0a4edefa2d2accb9277c371ac12fcdbb52988a86edc54f0716e1591b4326e72",
  ],
  [
    127,
    "d81293fda863f008c09e92fc382a81f5a0b4a1251cba1634016a0f86a6bd640d",
    "c64200ae7dfaf35577ac5a9521c47863fb71514a3bcad18819218b818de85818",
  ],
  [
    128,
    "f17e570564b26578c33bb7f44643f539624b05df1a76c81f30acd548c44b45ef",
    "b04fe15577457267ff3b6f3c947d93be581e7e3a4b018679125eaf86f6a628ec",
  ],
  [
    129,
    "683aaae9f3c5ba37eaaf072aed0f9e30bac0865137bae68b1fde4ca2aebdcb12",
    "d4a64dae6cdccbac1e5287f54f17c5f985105457c1a2ec1878ebd4b57e20d38f",
  ],
  [
    1023,
    "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e",
  ],
  [
    1024,
    "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4",
  ],
  [
    1025,
    "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69",
  ],
  [
    2048,
    "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    "879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1",
  ],
  [
    2049,
    "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    "9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5",
  ],
  [
    3072,
    "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2",
    "044a0e7b172a312dc02a4c9a818c036ffa2776368d7f528268d2e6b5df191770",
  ],
  [
    3073,
    "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    "68dede9bef00ba89e43f31a6825f4cf433389fedae75c04ee9f0cf16a427c95a",
  ],
  [
    4096,
    "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969",
    "befc660aea2f1718884cd8deb9902811d332f4fc4a38cf7c7300d597a081bfc0",
  ],
  [
    4097,
    "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995",
    "00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc",
  ],
  [
    5120,
    "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833",
    "2c493e48e9b9bf31e0553a22b23503c0a3388f035cece68eb438d22fa1943e20",
  ],
  [
    5121,
    "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff",
    "6ccf1c34753e7a044db80798ecd0782a8f76f33563accaddbfbb2e0ea4b2d024",
  ],
  [
    6144,
    "3e2e5b74e048f3add6d21faab3f83aa44d3b2278afb83b80b3c35164ebeca205",
    "3d6b6d21281d0ade5b2b016ae4034c5dec10ca7e475f90f76eac7138e9bc8f1d",
  ],
  [
    6145,
    "f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f",
    "9ac301e9e39e45e3250a7e3b3df701aa0fb6889fbd80eeecf28dbc6300fbc539",
  ],
  [
    7168,
    "61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a",
    "b42835e40e9d4a7f42ad8cc04f85a963a76e18198377ed84adddeaecacc6f3fc",
  ],
  [
    7169,
    "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817",
    "ed9b1a922c046fdb3d423ae34e143b05ca1bf28b710432857bf738bcedbfa511",
  ],
  [
    8192,
    "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63",
    "dc9637c8845a770b4cbf76b8daec0eebf7dc2eac11498517f08d44c8fc00d58a",
  ],
  [
    8193,
    "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b",
    "954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5",
  ],
  [
    16384,
    "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4",
    "9e9fc4eb7cf081ea7c47d1807790ed211bfec56aa25bb7037784c13c4b707b0d",
  ],
  [
    31744,
    "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
    "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419",
  ],
  [
    102400,
    "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
    "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7",
  ],
];

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index % 251);
}

Deno.test("Kernels.blake3() gives the published digests", async (t) => {
  for (const [length, plain, keyed] of VECTORS) {
    await t.step(`${length} bytes`, () => {
      assertEquals(hex(kernels.blake3(pattern(length))), plain);
      assertEquals(hex(kernels.blake3(pattern(length), KEY)), keyed);
    });
  }
});

Deno.test("Kernels.blake3() gives the MACs of a repository", async (t) => {
  const id = fromHex("c531c62d7b85492da4ce8599399750d9");
  const key = kernels.blake3(id);
  assertEquals(hex(key), "4d0353122f71444aa13af8357f284fea4e0b1c564d8f4a74abd2c05c039253fb");
  const treeRoot =
    "84a756657273696f6ece00000000a54f7264657232a5436f756e7400a4526f6f74c4200c99c987eb269c345ae9f5d1690a3ad9a0a12d64966ca013e75e3afda4434458";
  const cases = [
    { input: "", mac: "dc0fb277d7a24eabc5f3df09cbf155f09dabda8579b6bd9768fc1eb492329958" },
    { input: "616263", mac: "6987fadcc42a6fd7a651963879328c40d490bb77f8e5f35033e668d6504c1b47" },
    { input: treeRoot, mac: "646cfff4246f18a47540cc5989ce70e7f40cf1b17a294164b99dca860fe50606" },
  ];
  for (const { input, mac } of cases) {
    await t.step(`${input.length / 2} bytes`, () => {
      assertEquals(hex(kernels.blake3(fromHex(input), key)), mac);
    });
  }
  await t.step("3,000,000 bytes in three arrays", () => {
    const content = new Uint8Array(3_000_000).map((_, index) => (index * 7) % 251);
    const parts = [
      content.subarray(0, 1),
      content.subarray(1, 1_999_999),
      content.subarray(1_999_999),
    ];
    assertEquals(
      hex(kernels.blake3(parts, key)),
      "05042227fb22dd146354f5c7772dac9f65271a6b6bbecf10d0f13806fef3aa94",
    );
  });
});

Deno.test("Kernels.blake3Update() gives one digest however the bytes are split", () => {
  const most = 300_000;
  const data = kernels.allocate(most + 64);
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  fc.assert(
    fc.property(
      fc.nat(63),
      fc.array(
        fc.oneof(
          fc.nat(200_000),
          fc.nat(3000),
          fc.constantFrom(0, 1, 64, 1023, 1024, 1025, 4096, 16384, 65536, 65537, 131072),
        ),
        { maxLength: 12 },
      ),
      fc.boolean(),
      (offset, steps, keyed) => {
        const key = keyed ? KEY : undefined;
        const lengths = [];
        let total = 0;
        for (const step of steps) {
          const length = Math.min(step, most - total);
          lengths.push(length);
          total += length;
        }
        const content = pattern(total);
        kernels.bytes(data, offset, offset + total).set(content);
        kernels.blake3Init(state, key);
        let at = offset;
        for (const length of lengths) {
          kernels.blake3Update(state, data, at, at + length);
          at += length;
          // A digest on the way must not disturb what follows.
          assertEquals(
            hex(kernels.blake3Digest(state)),
            hex(kernels.blake3(content.subarray(0, at - offset), key)),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
  kernels.free(state);
  kernels.free(data);
});

Deno.test("Kernels.blake3Update() hashes long inputs alike in large and in odd steps", () => {
  const length = 5 * 1024 ** 2 + 77;
  const data = kernels.allocate(length);
  kernels.bytes(data).set(pattern(length));
  const states = [1, 2, 3].map(() => kernels.allocate(BLAKE3_STATE_BYTES));
  const digests = states.map((state, index) => {
    const step = [length, 1024, 70_001][index]!;
    kernels.blake3Init(state);
    for (let start = 0; start < length; start += step) {
      kernels.blake3Update(state, data, start, Math.min(length, start + step));
    }
    return hex(kernels.blake3Digest(state));
  });
  assertEquals(digests[0], "6072828675031a1e61dbea3484bf5e525fa4bf325449cc491517b2ff5b7d9019");
  assertEquals(digests, digests.map(() => digests[0]));
  for (const region of [data, ...states]) kernels.free(region);
});

Deno.test("Kernels.blake3Init() makes a used state fresh", () => {
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  const data = kernels.allocate(100_000);
  kernels.blake3Init(state, KEY);
  kernels.blake3Update(state, data, 0, data.length);
  kernels.blake3Init(state);
  assertEquals(hex(kernels.blake3Digest(state)), VECTORS[0]![1]);
  kernels.free(state);
  kernels.free(data);
});

Deno.test("Kernels.blake3Init() refuses wrong keys and states", () => {
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  for (const length of [0, 31, 33]) {
    assertThrows(() => kernels.blake3Init(state, new Uint8Array(length)), RangeError);
  }
  assertThrows(
    () => kernels.blake3Init({ offset: state.offset, length: BLAKE3_STATE_BYTES - 1 }),
    RangeError,
  );
  kernels.free(state);
});

Deno.test("Kernels.blake3Join() gives the digest of the whole from parts hashed by themselves", () => {
  const most = 400_000;
  const data = kernels.allocate(most);
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  const partState = kernels.allocate(BLAKE3_STATE_BYTES);
  let joined = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          length: fc.oneof(
            fc.nat(200_000),
            fc.nat(3000),
            fc.constantFrom(0, 1, 1023, 1024, 1025, 2048, 4096, 65536, 65537, 131072),
          ),
          // What is not hashed as a part is added as it is.
          isPart: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      fc.boolean(),
      (steps, keyed) => {
        const key = keyed ? KEY : undefined;
        const whole = pattern(most);
        kernels.bytes(data).set(whole);
        kernels.blake3Init(state, key);
        let at = 0;
        for (const { length, isPart } of steps) {
          const end = Math.min(most, at + length);
          if (isPart) {
            const values = kernels.blake3Part(partState, key, at, data, at, end);
            joined += values.length;
            kernels.blake3Join(state, values, data, at, end);
          } else {
            kernels.blake3Update(state, data, at, end);
          }
          at = end;
          assertEquals(
            hex(kernels.blake3Digest(state)),
            hex(kernels.blake3(whole.subarray(0, at), key)),
          );
        }
      },
    ),
    {
      numRuns: 100,
      // Whole subtrees side by side, and the smallest part that has one.
      examples: [
        [[{ length: 131072, isPart: true }, { length: 131072, isPart: true }], true],
        [[{ length: 1025, isPart: true }, { length: 2048, isPart: true }], false],
      ],
    },
  );
  assert(joined > 0);
  for (const region of [data, state, partState]) kernels.free(region);
});

Deno.test("Kernels.blake3Part() hashes what stands far behind in an input", () => {
  // The counters of these chunks do not fit 32 bits; the digest must differ from that without them.
  const length = 5000;
  const data = kernels.allocate(length);
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  kernels.bytes(data).set(pattern(length));
  const at = (position: number) =>
    hex(kernels.blake3Part(state, KEY, position, data, 0, length).subarray(0, 32));
  const far = 2 ** 42;
  assertEquals(at(far), at(far));
  assertEquals(new Set([at(0), at(4 * 1024), at(far), at(far + 4 * 1024)]).size, 4);
  for (const region of [data, state]) kernels.free(region);
});

Deno.test("Kernels.blake3Join() refuses values that are not of these bytes", () => {
  const length = 100_000;
  const data = kernels.allocate(length);
  const state = kernels.allocate(BLAKE3_STATE_BYTES);
  const partState = kernels.allocate(BLAKE3_STATE_BYTES);
  kernels.bytes(data).set(pattern(length));
  const values = kernels.blake3Part(partState, KEY, 0, data, 0, length);
  const tooMany = new Uint8Array(values.length + 32);
  for (
    const wrong of [values.subarray(32), tooMany, new Uint8Array(1024 ** 2), values.subarray(1)]
  ) {
    kernels.blake3Init(state, KEY);
    assertThrows(
      () => kernels.blake3Join(state, wrong, data, 0, length),
      RangeError,
      "Cannot join",
    );
  }
  kernels.blake3Init(state, KEY);
  assertThrows(() => kernels.blake3Join(state, values, data, 0, 1024), RangeError, "Cannot join");
  for (const region of [data, state, partState]) kernels.free(region);
});
