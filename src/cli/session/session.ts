import type { Reporter } from "../../infrahub/mod.ts";
import type { Right } from "../process/mod.ts";
import type { ResultOutput } from "../report/mod.ts";
import type { GlobalOptions } from "../syntax/mod.ts";

/** A run of a command whose options are understood: what they say, and where everything goes. */
export interface Session extends ResultOutput {
  readonly globals: GlobalOptions;
  readonly reporter: Reporter;
  /** Whether a global option stands on the command line itself, and not in a variable. */
  readonly isGiven: (option: keyof GlobalOptions) => boolean;
  /** Gives up what the command does not need any more, but for what the run itself still needs. */
  readonly giveUp: (rights: readonly Right[]) => Promise<void>;
  /** What the program exits with when it does not fail. */
  readonly exitWith: (code: number) => void;
}

/** Gives a command its session; to be called once its options are known. */
export type SessionProvider = () => Session;
