import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  archiveFiles,
  communityDumpAt,
  type ComponentSource,
  fileSource,
  formatSize,
  type Neo4jEdition,
  recordPath,
  type Reporter,
  resolveEdition,
  tarSource,
} from "../../../infrahub/mod.ts";
import { archiveRecords, givenDeployment } from "./own_backups.ts";
import { archiveResult } from "./backup_result.ts";
import { backUpToRepository, initOption } from "./repository_backup.ts";
import {
  type EncryptionChoice,
  encryptKeyOption,
  encryptOption,
  recipientOf,
  wantsEncryptedRepository,
} from "./encryption_options.ts";
import { type CommandResult, printResult } from "../../report/mod.ts";
import {
  backupDirectory,
  requireKnownBackend,
  type Session,
  type SessionProvider,
  warnOfUnusedRepository,
} from "../../session/mod.ts";
import { dumpFormatOption, rawDumps } from "./dump_format.ts";
import { UsageError } from "../../syntax/mod.ts";
import { VERSION } from "../../process/mod.ts";

/** Adds `create from-files`. */
export function addCreateFromFiles(create: CommandUnknownOpts, session: SessionProvider): void {
  create.command("from-files")
    .description("Make a backup of dumps that lie on the disk; needs no running deployment")
    .requiredOption("--neo4j-path <path>", "Neo4j dump: a directory, or a single file")
    .option("--postgres-path <file>", "PostgreSQL dump of the task manager database")
    .option(
      "--neo4j-edition <edition>",
      "enterprise or community (default: community for a .dump file, else enterprise)",
    )
    .option("--infrahub-version <version>", "version of Infrahub that the dumps come from")
    .addOption(dumpFormatOption())
    .addOption(encryptOption())
    .addOption(encryptKeyOption())
    .addOption(initOption())
    .action(async (options, command) => {
      const current = session();
      const isEncryptExported = command.getOptionValueSource("encrypt") === "env";
      await printResult(current, () => backUpFiles(current, { ...options, isEncryptExported }));
    });
}

/** The options above. */
interface FileOptions extends EncryptionChoice {
  readonly neo4jPath: string;
  readonly postgresPath?: string | undefined;
  readonly neo4jEdition?: string | undefined;
  readonly infrahubVersion?: string | undefined;
  readonly init?: true | undefined;
  /** Whether `--encrypt` comes from its variable. */
  readonly isEncryptExported: boolean;
  readonly format: string;
}

async function backUpFiles(session: Session, options: FileOptions): Promise<CommandResult> {
  const { context, globals, reporter } = session;
  const { postgresPath, infrahubVersion = "" } = options;
  const backend = requireKnownBackend(globals);
  warnOfUnusedRepository(session, backend);
  const encrypt = backend === "plakar" && wantsEncryptedRepository(options);
  if (options.neo4jPath === "") throw new UsageError("neo4j backup path is required");
  const { edition: neo4jEdition, guessed } = resolveEdition(
    options.neo4jEdition,
    options.neo4jPath,
  );
  if (guessed) reporter.info("Neo4j edition derived from path", { neo4j_edition: neo4jEdition });
  const neo4jPath = neo4jEdition === "community"
    ? await communityDumpAt(options.neo4jPath)
    : options.neo4jPath;
  // All are looked at before the repository or the archive is begun.
  const sources = [await neo4jSource(neo4jPath, neo4jEdition, reporter)];
  if (postgresPath) {
    const path = recordPath("postgres", neo4jEdition);
    sources.push(await fileSource("postgres", path, postgresPath, "postgres dump file"));
  }
  await session.giveUp(["run"]);
  if (backend === "plakar") {
    return await backUpToRepository(
      session,
      { sources, neo4jEdition, infrahubVersion, ...rawDumps(options) },
      { encrypt, init: options.init ?? false },
    );
  }
  const deployment = givenDeployment(session);
  const recipient = await recipientOf(archiveEncryption(options, reporter), session);
  const archive = await archiveFiles(neo4jPath, postgresPath || undefined, {
    directory: backupDirectory(session),
    neo4jEdition,
    infrahubVersion,
    toolVersion: VERSION,
    redacted: false,
    host: context.hostname(),
    ...archiveRecords(session),
    ...(deployment === undefined ? {} : { deployment }),
    ...rawDumps(options),
    ...(recipient === undefined ? {} : { recipient }),
    now: context.now(),
    reporter,
    signal: context.signal,
  });
  reporter.info(`Backup created: ${archive.path}`);
  reporter.info(`Backup size: ${formatSize(archive.bytes)}`);
  return archiveResult(archive, deployment);
}

/**
 * How an archive of files is encrypted. `INFRAHUB_ENCRYPT` alone, exported for backups that OpsMill is
 * to look into, does not count, as in the Go tool: its owner could not read the archive any more. A
 * key of one's own counts wherever it comes from.
 */
function archiveEncryption(options: FileOptions, reporter: Reporter): EncryptionChoice {
  const { encrypt, encryptKey, isEncryptExported } = options;
  if (!encrypt || encryptKey || !isEncryptExported) return options;
  reporter.warn(
    "INFRAHUB_ENCRYPT is not honoured here: the archive is NOT ENCRYPTED. Use --encrypt-key for a " +
      "key of your own, or --encrypt for OpsMill alone",
  );
  return {};
}

/** A Community dump is one file; everything of the Enterprise edition goes into a tar. */
async function neo4jSource(
  path: string,
  edition: Neo4jEdition,
  reporter: Reporter,
): Promise<ComponentSource> {
  const record = recordPath("neo4j", edition);
  const what = "neo4j backup path";
  return edition === "community"
    ? await fileSource("neo4j", record, path, what)
    : await tarSource("neo4j", record, path, what, reporter);
}
