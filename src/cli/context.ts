/** What a run of the program takes from, and leaves in, the world around it. */
export interface CliContext {
  /** Reads one environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Writes a result to standard output. */
  readonly writeOut: (text: string) => void;
  /** Writes bytes to standard output, all of them. */
  readonly writeOutBytes: (bytes: Uint8Array) => Promise<void>;
  /** Writes logs, errors and help after errors to standard error. */
  readonly writeError: (text: string) => void;
  readonly stderrIsTerminal: boolean;
  /** Name of this host, recorded in snapshots. */
  readonly hostname: () => string;
  readonly now: () => Date;
  /** Aborted when the program is asked to end. */
  readonly signal: AbortSignal;
}

/** The context of the running process. */
export function processContext(signal: AbortSignal): CliContext {
  return {
    env: (name) => Deno.env.get(name),
    writeOut: (text) => writeAllSync(Deno.stdout, text),
    writeOutBytes: async (bytes) => {
      for (let written = 0; written < bytes.length;) {
        written += await Deno.stdout.write(bytes.subarray(written));
      }
    },
    writeError: (text) => writeAllSync(Deno.stderr, text),
    stderrIsTerminal: Deno.stderr.isTerminal(),
    hostname: () => Deno.hostname(),
    now: () => new Date(),
    signal,
  };
}

function writeAllSync(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}
