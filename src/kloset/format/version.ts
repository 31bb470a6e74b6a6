/** Version word 1.0.0: what every resource but states is written with. */
export const VERSION_1_0_0 = 0x00010000;

/** Version word 1.1.0: states that start with their parent. */
export const VERSION_1_1_0 = 0x00010100;

/** A version word (major << 16 | minor << 8 | patch) as text, for example `1.1.0`. */
export function formatVersion(version: number): string {
  return `${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`;
}
