import { type ComponentState, describeProgress } from "./progress.ts";

const BAR_WIDTH = 24;
const NAME_WIDTH = 12;
const DIM = "\x1b[2m";
const GREEN = "\x1b[32m";
const CYAN = "\x1b[36m";
const RESET = "\x1b[0m";
const ERASE_BELOW = "\x1b[J";

/** A terminal that has bars at its bottom. */
export interface BarTerminal {
  readonly write: (text: string) => void;
  /** Characters in a line. */
  readonly columns: () => number;
  readonly coloured: boolean;
}

/**
 * Bars at the bottom of a terminal, one per component, that everything else is written above of. The
 * full part of a bar is new to the repository, the half-toned one is known; a restore, which knows
 * its length, shows how much is done.
 */
export class ProgressBars {
  readonly #terminal: BarTerminal;
  #lines: string[] = [];

  constructor(terminal: BarTerminal) {
    this.#terminal = terminal;
  }

  /** Shows these states in place of the earlier ones. */
  show(states: readonly ComponentState[]): void {
    // One column less: a full line would make some terminals go on to the next.
    const width = Math.max(1, this.#terminal.columns() - 1);
    const lines = states.map((state) => barLine(state, width, this.#terminal.coloured));
    this.#terminal.write(this.#erased() + lines.map((line) => `${line}\n`).join(""));
    this.#lines = lines;
  }

  /** Writes text above the bars. */
  writeAbove(text: string): void {
    this.#terminal.write(
      this.#erased() + text +
        (text.endsWith("\n") ? this.#lines.map((l) => `${l}\n`).join("") : ""),
    );
    if (!text.endsWith("\n")) this.#lines = [];
  }

  /** Takes the bars away. */
  clear(): void {
    if (this.#lines.length > 0) this.#terminal.write(this.#erased());
    this.#lines = [];
  }

  #erased(): string {
    return this.#lines.length === 0 ? "" : `\x1b[${this.#lines.length}A\r${ERASE_BELOW}`;
  }
}

function barLine(state: ComponentState, width: number, coloured: boolean): string {
  const bar = barOf(state);
  const name = state.component.padEnd(NAME_WIDTH);
  const text = describeProgress(state);
  if (name.length + BAR_WIDTH + 3 + text.length > width) return `${name} ${text}`.slice(0, width);
  const paint = (colour: string, part: string) =>
    coloured && part !== "" ? `${colour}${part}${RESET}` : part;
  return `${name} ${paint(GREEN, bar.full)}${paint(CYAN, bar.half)}${
    paint(DIM, bar.rest)
  }  ${text}`;
}

function barOf({ bytes, bytesTotal, bytesNew }: ComponentState) {
  const part = (count: number, of: number) =>
    of > 0 ? Math.min(BAR_WIDTH, Math.round(count / of * BAR_WIDTH)) : 0;
  // What is new is never rounded to nothing.
  const length = bytesTotal === undefined ? (bytes > 0 ? BAR_WIDTH : 0) : part(bytes, bytesTotal);
  const fresh = bytesNew === undefined
    ? length
    : Math.min(length, bytesNew > 0 ? Math.max(1, part(bytesNew, bytesTotal ?? bytes)) : 0);
  return {
    full: "█".repeat(fresh),
    half: "▒".repeat(length - fresh),
    rest: "·".repeat(BAR_WIDTH - length),
  };
}
