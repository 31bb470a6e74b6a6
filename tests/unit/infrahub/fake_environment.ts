import type {
  CommandInput,
  CommandStream,
  Environment,
  ExecOptions,
  RunOptions,
  ServiceHealth,
  ServiceName,
  ServiceStatus,
  StreamOptions,
} from "../../../src/environment/mod.ts";
import { CommandFailedError } from "../../../src/environment/mod.ts";
import type { Clock, Deployment } from "../../../src/infrahub/mod.ts";
import { recordingReporter } from "./_support.ts";

/** Something that reached a service. */
export interface Call {
  readonly kind: "run" | "out" | "in" | "start" | "stop" | "status";
  readonly service: ServiceName;
  /** Arguments joined by spaces; empty for start, stop and status. */
  readonly command: string;
  readonly argv: readonly string[];
  readonly user: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Kept apart, so that a test can see that they are nowhere else. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** How a command is answered: standard output, or an error, or by looking at the call. */
export type Answer =
  | string
  | Error
  | "stall"
  | ((call: Call, options: ExecOptions & { input?: string }) => Promise<string> | string);

interface Rule {
  readonly kind: Call["kind"] | undefined;
  readonly service: ServiceName;
  readonly pattern: RegExp | string;
  readonly answers: Answer[];
}

/**
 * A deployment that answers by rules. The first rule that fits counts; of several answers each is
 * given once, and the last for ever. A command that no rule fits fails.
 */
export class FakeEnvironment implements Environment {
  readonly kind: Environment["kind"];
  readonly target: string;
  readonly calls: Call[] = [];
  readonly statuses = new Map<ServiceName, ServiceStatus | Error>();
  /** Of a service with a check, what it says, one after the other; without when they are used up. */
  readonly healths = new Map<ServiceName, ServiceHealth[]>();
  readonly #rules: Rule[] = [];

  constructor(kind: Environment["kind"] = "docker", target = "fake") {
    this.kind = kind;
    this.target = target;
  }

  /** Adds a rule; a text fits commands that contain it. */
  on(service: ServiceName, pattern: RegExp | string, ...answers: Answer[]): this {
    this.#rules.push({ kind: undefined, service, pattern, answers });
    return this;
  }

  /** Adds a rule for start or stop. */
  onService(kind: "start" | "stop", service: ServiceName, ...answers: Answer[]): this {
    this.#rules.push({ kind, service, pattern: "", answers });
    return this;
  }

  /** `service: command` of all that was run, streamed, started and stopped. */
  get log(): string[] {
    return this.calls.filter(({ kind }) => kind !== "status").map(({ kind, service, command }) =>
      kind === "start" || kind === "stop" ? `${kind} ${service}` : `${service}: ${command}`
    );
  }

  /** The call whose command contains `text`; fails when there is none. */
  find(text: string): Call {
    const call = this.calls.find(({ command }) => command.includes(text));
    if (call === undefined) throw new Error(`no command with ${text} in\n${this.log.join("\n")}`);
    return call;
  }

  async run(
    service: ServiceName,
    argv: readonly string[],
    options: RunOptions = {},
  ): Promise<string> {
    return await this.#answer("run", service, argv, options);
  }

  async streamOut(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandStream> {
    await Promise.resolve();
    const answer = this.#answer("out", service, argv, options);
    answer.catch(() => {});
    const finished = answer.then(() => {});
    finished.catch(() => {});
    return {
      stdout: new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue(new TextEncoder().encode(await answer));
          controller.close();
        },
      }, { highWaterMark: 0 }),
      finished,
    };
  }

  async streamIn(
    service: ServiceName,
    argv: readonly string[],
    options: StreamOptions,
  ): Promise<CommandInput> {
    await Promise.resolve();
    const decoder = new TextDecoder();
    let input = "";
    return {
      write: (bytes) => {
        input += decoder.decode(bytes, { stream: true });
        return Promise.resolve();
      },
      close: () => this.#answer("in", service, argv, options, input),
      abort: () => {
        this.#note("in", service, ["aborted", ...argv], options);
        return Promise.resolve();
      },
    };
  }

  status(service: ServiceName): Promise<ServiceStatus> {
    this.#note("status", service, [], {});
    const status = this.statuses.get(service) ?? "running";
    return status instanceof Error ? Promise.reject(status) : Promise.resolve(status);
  }

  health(service: ServiceName): Promise<ServiceHealth> {
    return Promise.resolve(this.healths.get(service)?.shift() ?? "unknown");
  }

  async start(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#answer("start", services.join(" "), [], signal ? { signal } : {});
  }

  async stop(services: readonly ServiceName[], signal?: AbortSignal): Promise<void> {
    await this.#answer("stop", services.join(" "), [], signal ? { signal } : {});
  }

  #note(
    kind: Call["kind"],
    service: ServiceName,
    argv: readonly string[],
    { user, env = {}, secrets = {} }: ExecOptions,
  ): Call {
    const call: Call = { kind, service, command: argv.join(" "), argv, user, env, secrets };
    this.calls.push(call);
    return call;
  }

  async #answer(
    kind: Call["kind"],
    service: ServiceName,
    argv: readonly string[],
    options: ExecOptions,
    input?: string,
  ): Promise<string> {
    options.signal?.throwIfAborted();
    const call = this.#note(kind, service, argv, options);
    const isService = kind === "start" || kind === "stop";
    const rule = this.#rules.find((candidate) =>
      candidate.service === service && candidate.kind === (isService ? kind : undefined) &&
      (typeof candidate.pattern === "string"
        ? call.command.includes(candidate.pattern)
        : candidate.pattern.test(call.command))
    );
    if (rule === undefined) {
      if (isService) return "";
      throw failure(argv, 127, `no rule for ${service}: ${call.command}`);
    }
    const answer = rule.answers.length > 1 ? rule.answers.shift() : rule.answers[0];
    if (answer === "stall") return await untilAborted(options.signal);
    if (answer instanceof Error) throw answer;
    if (typeof answer === "function") {
      return await answer(call, { ...options, ...(input === undefined ? {} : { input }) });
    }
    return answer ?? "";
  }
}

/** An error as a command that exits with `exitCode` gives it. */
export function failure(
  argv: readonly string[],
  exitCode: number,
  stderrTail: string,
): CommandFailedError {
  return new CommandFailedError({
    argv,
    problem: `exited with code ${exitCode}`,
    exitCode,
    stderrTail,
  });
}

function untilAborted(signal: AbortSignal | undefined): Promise<string> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** A clock that jumps ahead whenever somebody sleeps on it. */
export class JumpingClock implements Clock {
  #now = 0;
  /** Called before each jump. */
  onSleep: (milliseconds: number) => void = () => {};

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // Sleepers of longer than this are time limits: they never win against what they limit.
    if (milliseconds >= TIME_LIMIT_MS) {
      await untilAborted(signal);
      return;
    }
    this.onSleep(milliseconds);
    this.#now += milliseconds;
    await Promise.resolve();
  }
}

const TIME_LIMIT_MS = 60_000;

/** A deployment on a fake environment, with all that it reports. */
export function fakeDeployment(environment: Environment = new FakeEnvironment()) {
  const controller = new AbortController();
  const reporter = recordingReporter();
  const clock = new JumpingClock();
  const deployment: Deployment = { environment, reporter, clock, signal: controller.signal };
  return { deployment, reporter, clock, controller, lines: reporter.lines };
}
