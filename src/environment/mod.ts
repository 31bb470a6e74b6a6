/**
 * Where commands run, and how their input and output become streams.
 *
 * The contract is {@linkcode Environment}: commands in the services of a deployment, wherever it
 * runs, and the services themselves. It rests on {@linkcode captureCommand},
 * {@linkcode streamCommand} and {@linkcode feedCommand}, which run a command on this host. What a
 * dump is, and where it is stored, is not known here.
 *
 * @module
 */

export { killRunningCommands } from "./command/mod.ts";
export { type CommandStream, streamCommand } from "./command/mod.ts";
export type { StreamCommandOptions } from "./command/mod.ts";
export { CommandFailedError, type CommandFailure } from "./command/mod.ts";
export { formatCommand, InvalidCommandError, splitCommand } from "./command/mod.ts";
export { formatDuration, InvalidDurationError, parseDuration } from "./duration.ts";
export { captureCommand, type CaptureCommandOptions, type CapturedCommand } from "./command/mod.ts";
export { feedCommand, type FeedCommandOptions } from "./command/mod.ts";
export type {
  CommandInput,
  Environment,
  ExecOptions,
  RunOptions,
  ServiceName,
  ServiceStatus,
  StreamOptions,
} from "./environment.ts";
export { EnvironmentError } from "./environment_error.ts";
export { InvalidSecretError } from "./command/mod.ts";
export {
  type ComposeContainer,
  DockerCompose,
  type DockerComposeOptions,
} from "./docker_compose.ts";
export { Kubernetes, type KubernetesOptions, REPLICAS_ANNOTATION } from "./kubernetes/mod.ts";
export { Host, type HostOptions } from "./host.ts";
export {
  detectEnvironment,
  type DetectOptions,
  type FoundEnvironments,
  listEnvironments,
} from "./detect.ts";
