import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { METADATA_CHOICES, requireRedactionConfirmed } from "../../../infrahub/mod.ts";
import {
  backUpDeploymentToArchive,
  backUpDeploymentToRepository,
  type DeploymentBackupRequest,
} from "./deployment_backup.ts";
import {
  encryptKeyOption,
  encryptOption,
  recipientOf,
  wantsEncryptedRepository,
} from "./encryption_options.ts";
import { requireReachable } from "./archive_upload.ts";
import { initOption } from "./repository_backup.ts";
import { printResult } from "../../report/mod.ts";
import {
  commandPath,
  durationOption,
  environmentOption,
  neo4jEditionOption,
  noWaitOption,
  percentArgument,
  streamTimeoutOption,
  UsageError,
} from "../../syntax/mod.ts";
import {
  archiveBucket,
  pauseForTransfer,
  requireKnownBackend,
  type SessionProvider,
  warnOfUnusedRepository,
} from "../../session/mod.ts";

/** How long one may think better of a downtime. */
const PAUSE_MS = 10_000;
const WAIT_TIMEOUT_MS = 3_600_000;
const SHRINK_WARNING_PERCENT = 50;

/** Adds `create` as it is without a sub-command. */
export function addCreateDeployment(
  create: CommandUnknownOpts,
  session: SessionProvider,
): CommandUnknownOpts {
  return create.command("deployment", { isDefault: true, hidden: true })
    .description("Back up the running deployment")
    .addOption(
      environmentOption("--force", "do not wait for running tasks; also confirms --redact"),
    )
    .addOption(environmentOption(
      "--redact",
      "DESTRUCTIVE: first replace all attribute values in the live database by random ones",
    ))
    .addOption(
      environmentOption("--neo4jmetadata <choice>", "users and roles in an Enterprise backup")
        .choices(METADATA_CHOICES).default("all" as const),
    )
    .addOption(environmentOption("--exclude-taskmanager", "leave out the task manager's database"))
    .addOption(environmentOption(
      "--with-storage",
      "back up as well what Infrahub keeps as files: artifacts and uploaded objects",
    ))
    .addOption(neo4jEditionOption())
    .addOption(durationOption(
      "--wait-timeout <duration>",
      "longest wait for running tasks; 0 for no limit",
      WAIT_TIMEOUT_MS,
    ))
    .addOption(streamTimeoutOption())
    .addOption(
      environmentOption(
        "--shrink-warning <percent>",
        "warn, and exit with 3, when a dump is smaller by more than this than in the last " +
          "complete backup; 0 for never",
      ).argParser(percentArgument).default(SHRINK_WARNING_PERCENT),
    )
    .addOption(environmentOption(
      "--keep-dump-compression",
      "store a Neo4j Community dump in a repository as compressed as it comes: a first backup is " +
        "smaller, but no later one shares anything with it",
    ))
    .addOption(noWaitOption())
    // No variable: it is about one backup.
    .addOption(new Option("--resume <id>", "add what is missing to an incomplete Plakar backup"))
    .addOption(encryptOption())
    .addOption(encryptKeyOption())
    .addOption(initOption())
    .addOption(durationOption(
      "--sleep <duration>",
      "wait after the backup, so that the archive can be fetched",
      0,
    ))
    .addOption(environmentOption("--s3-upload", "upload the archive to S3, and remove it here"))
    .addOption(environmentOption("--s3-keep-local", "keep the archive here after an upload"))
    .allowExcessArguments()
    .action(async (options, command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) {
        // Not ignored: a mistyped sub-command must not stop a deployment.
        throw new UsageError(
          `unknown command ${JSON.stringify(unknown)} for "${commandPath(create)}"\n` +
            `Run '${commandPath(create)} --help' for usage.`,
        );
      }
      const current = session();
      await printResult(current, async (facts) => {
        const backend = requireKnownBackend(current.globals, options.s3Upload ?? false);
        warnOfUnusedRepository(current, backend);
        const request: DeploymentBackupRequest = {
          options: {
            neo4jMetadata: options.neo4jmetadata,
            excludeTaskManager: options.excludeTaskmanager ?? false,
            withStorage: options.withStorage ?? false,
            force: options.force ?? false,
            redact: options.redact ?? false,
            waitTimeoutMs: options.waitTimeout,
            stallTimeoutMs: options.streamTimeout,
            reframeDump: backend === "plakar" && !(options.keepDumpCompression ?? false),
            // Without a terminal nobody is there to think better of it.
            pauseMs: options.force || !current.context.stderrIsTerminal ? 0 : PAUSE_MS,
            ...(options.neo4jEdition === undefined ? {} : { neo4jEdition: options.neo4jEdition }),
          },
          shrinkWarning: options.shrinkWarning,
          waitsForServices: options.wait,
          facts,
        };
        requireRedactionConfirmed(request.options);
        if (backend === "plakar") {
          const encrypt = wantsEncryptedRepository(options);
          return await backUpDeploymentToRepository(current, request, {
            encrypt,
            init: options.init ?? false,
            ...(options.resume === undefined ? {} : { resumeId: options.resume }),
          });
        }
        if (options.resume !== undefined) {
          throw new UsageError(
            "--resume is for the plakar backend: an archive is never incomplete",
          );
        }
        // Before anything is stopped: what an upload lacks is known by now.
        const upload = options.s3Upload
          ? { bucket: archiveBucket(current), keepLocal: options.s3KeepLocal ?? false }
          : undefined;
        const recipient = await recipientOf(options, current);
        if (upload !== undefined) await requireReachable(upload, current);
        return await backUpDeploymentToArchive(current, request, recipient, upload);
      });
      const isArchive = requireKnownBackend(current.globals) === "tarball";
      const hint = isArchive
        ? "Press Ctrl+C to exit early if file transfer is complete"
        : undefined;
      await pauseForTransfer(current, options.sleep, hint);
    });
}
