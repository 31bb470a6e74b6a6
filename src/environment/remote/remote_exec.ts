import {
  captureCommand,
  type CommandInput,
  type CommandStream,
  feedCommand,
  secretInput,
  streamCommand,
  withoutVariables,
} from "../command/mod.ts";
import type { ExecOptions, RunOptions, ServiceName, StreamOptions } from "../environment.ts";
import { endMarkedArgv, newMark } from "./remote_end.ts";

/** A command to be run inside a service. */
export interface RemoteCommand {
  readonly argv: readonly string[];
  readonly user: string | undefined;
  /** Variables, sorted by name. */
  readonly env: readonly (readonly [string, string])[];
  /** Whether it gets anything on its standard input. */
  readonly hasInput: boolean;
}

/** Makes the command line of a client (`docker`, `kubectl`) that runs a command in a service. */
export type ClientArgv = (command: RemoteCommand) => readonly string[];

/** Default of {@linkcode RunOptions.timeoutMs}. */
export const RUN_TIMEOUT_MS = 60_000;

/** What ending a remote command may take at most, in milliseconds. */
const END_TIMEOUT_MS = 10_000;

interface Prepared {
  readonly argv: readonly string[];
  readonly shownArgv: readonly string[];
  readonly input?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly endRemote?: () => Promise<void>;
}

/** Runs commands in services through a client program: the part that such environments share. */
export abstract class RemoteExec {
  /** Finds out how a service is reached. */
  protected abstract client(service: ServiceName, signal?: AbortSignal): Promise<ClientArgv>;

  /** See {@linkcode Environment.run}. */
  async run(
    service: ServiceName,
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<string> {
    const { timeoutMs = RUN_TIMEOUT_MS } = options;
    const client = await this.client(service, options.signal);
    // What is over within a minute is not worth a mark; what may take hours must not go on alone.
    const isLong = timeoutMs === 0 || timeoutMs > RUN_TIMEOUT_MS;
    const prepared = prepare(client, argv, options, { isLong, isFed: false });
    return (await captureCommand({ ...prepared, timeoutMs })).stdout;
  }

  /** See {@linkcode Environment.streamOut}. */
  async streamOut(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream> {
    const { stallTimeoutMs } = options;
    const client = await this.client(service, options.signal);
    const prepared = prepare(client, argv, options, { isLong: true, isFed: false });
    return streamCommand({ ...prepared, stallTimeoutMs });
  }

  /** See {@linkcode Environment.streamIn}. */
  async streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    const { stallTimeoutMs } = options;
    const client = await this.client(service, options.signal);
    const prepared = prepare(client, argv, options, { isLong: true, isFed: true });
    return feedCommand({ ...prepared, stallTimeoutMs });
  }
}

function prepare(
  client: ClientArgv,
  argv: readonly string[],
  options: ExecOptions,
  { isLong, isFed }: { isLong: boolean; isFed: boolean },
): Prepared {
  const { user, env = {}, secrets, unset = [], signal } = options;
  const inherited = unset.filter((name) => !(name in env));
  const secret = secretInput(argv, secrets, inherited);
  const wrapped = secret?.argv ?? withoutVariables(argv, inherited);
  const hasInput = isFed || secret !== undefined;
  const mark = isLong ? newMark() : undefined;
  const marked = mark ? { ...env, [mark.name]: mark.value } : env;
  return {
    argv: client({ argv: wrapped, user, env: sorted(marked), hasInput }),
    shownArgv: client({ argv, user, env: sorted(env), hasInput }),
    ...(secret ? { input: secret.input } : {}),
    ...(signal ? { signal } : {}),
    ...(mark
      ? {
        endRemote: async () => {
          const end = client({ argv: endMarkedArgv(mark), user, env: [], hasInput: false });
          try {
            await captureCommand({ argv: end, timeoutMs: END_TIMEOUT_MS });
          } catch {
            // The service is gone, or cannot be reached: the failure that brought us here is told.
          }
        },
      }
      : {}),
  };
}

function sorted(env: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(env).sort(([a], [b]) => a < b ? -1 : 1);
}
