/**
 * Where commands run, and how their input and output become streams.
 *
 * The contract is {@linkcode Environment}: commands in the services of a deployment, wherever it
 * runs, and the services themselves. Docker Compose and this host are a file each, Kubernetes is a
 * folder, and `detect.ts` finds out which of them is meant; `remote` has what runs behind a client.
 * All rest on `command`, which runs a program on this host. What a dump is, and where it is stored, is
 * not known here.
 *
 * @module
 */

export {
  captureCommand,
  type CaptureCommandOptions,
  type CapturedCommand,
  CommandFailedError,
  type CommandFailure,
  type CommandInput,
  type CommandStream,
  feedCommand,
  type FeedCommandOptions,
  formatCommand,
  InvalidCommandError,
  InvalidSecretError,
  killRunningCommands,
  splitCommand,
  streamCommand,
  type StreamCommandOptions,
} from "./command/mod.ts";
export {
  detectEnvironment,
  type DetectOptions,
  type FoundEnvironments,
  listEnvironments,
} from "./detect.ts";
export {
  type ComposeContainer,
  DockerCompose,
  type DockerComposeOptions,
} from "./docker_compose.ts";
export { formatDuration, InvalidDurationError, parseDuration } from "./duration.ts";
export type {
  Environment,
  EnvironmentPlace,
  ExecOptions,
  RunOptions,
  ServiceHealth,
  ServiceName,
  ServiceStatus,
  StreamOptions,
} from "./environment.ts";
export { EnvironmentError } from "./environment_error.ts";
export { Host, type HostOptions } from "./host.ts";
export { Kubernetes, type KubernetesOptions, REPLICAS_ANNOTATION } from "./kubernetes/mod.ts";
