/** Where the programs of the real Infrahub are kept; nothing of them lies in the clone. */

import { peersFolder } from "../peers.ts";

/** Beside what the other test beds have built. */
export function infrahubFolder(): string {
  return `${peersFolder()}/infrahub`;
}
