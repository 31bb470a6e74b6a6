// All that the module exports. Every function works on the memory it is pointed to and keeps no
// data of its own, so many threads may run them at once on one shared memory.

export { blake3Digest, blake3Init, blake3Join, blake3Part, blake3Update } from "./blake3";
export { copy } from "./copy";
export { counterBlocks, xor } from "./counter";
export { cdcReset, cdcScan } from "./fastcdc";
export { histogram } from "./histogram";
export { lz4Decode, lz4Encode } from "./lz4";
export { polyval } from "./polyval";
