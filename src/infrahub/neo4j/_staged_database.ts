import { CommandFailedError } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { findNeo4jDirectories } from "./_directories.ts";
import {
  attempt,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  DeploymentError,
  type UndoAction,
  type UndoHandle,
  type UndoJournal,
} from "../deployment/mod.ts";
import type { FrozenNeo4j } from "./freeze.ts";
import type { Leftover } from "../unfinished/mod.ts";

const REMOVE_TIMEOUT_MS = 600_000;
/** Exit code of {@linkcode EXCHANGE}. */
const UNCHANGED = 3;

/**
 * Every run has a name of its own: what a killed one has left must never be taken for what was
 * loaded, and is not removed by itself, for it may be another run's that goes on.
 */
const STAGE = "infrahub-restore-";

/** Has the watchdog wait, or ends with 3 where Neo4j is not held any more. */
const KEEP_HELD = `if [ -n "$watchdog" ]; then
  : >"$watchdog/busy" || exit 3
  if [ ! -e "$watchdog/armed" ]; then
    rm -f "$watchdog/busy"
    echo 'Neo4j is not held any more' >&2
    exit 3
  fi
fi`;

/**
 * Arguments: directory of databases, directory of transaction logs, the database's name, the staged
 * one's, the name that the former one gets, the watchdog's work directory or nothing.
 *
 * The watchdog is told first, and only then asked whether it still holds Neo4j: it looks at the same
 * two files in the other order. Exit code 3: everything is as it was. The logs come first, because a server that finds a database without
 * its own logs refuses to open it, while one that finds none at all makes an empty one.
 */
const EXCHANGE = `databases=$1 transactions=$2 name=$3 stage=$4 former=$5 watchdog=$6
for directory in "$databases" "$transactions"; do
  if [ ! -d "$directory/$stage" ]; then
    echo "$directory/$stage is not there" >&2
    exit 3
  fi
done
${KEEP_HELD}
exchange() {
  [ ! -e "$1/$name" ] || mv "$1/$name" "$1/$former" || return 1
  mv "$1/$stage" "$1/$name"
}
put_back() {
  if [ ! -e "$1/$stage" ]; then mv "$1/$name" "$1/$stage" || return 1; fi
  if [ -e "$1/$former" ]; then mv "$1/$former" "$1/$name" || return 1; fi
}
status=0
if ! exchange "$transactions" || ! exchange "$databases"; then
  if put_back "$databases" && put_back "$transactions"; then status=3; else status=4; fi
fi
[ -z "$watchdog" ] || rm -f "$watchdog/busy"
exit $status
`;

/**
 * Arguments as above. Takes the exchange back, be it whole or half: the machine may have lost its
 * power between two renames. What is not known to be replaced is not touched, so that it can be done
 * again.
 */
const EXCHANGE_BACK = `databases=$1 transactions=$2 name=$3 stage=$4 former=$5 watchdog=$6
${KEEP_HELD}
put_back() {
  [ -e "$1/$former" ] || return 0
  [ ! -e "$1/$name" ] || mv "$1/$name" "$1/$stage" || return 1
  mv "$1/$former" "$1/$name"
}
# The former database may have had no logs: those that are there are the new one's.
if [ -e "$databases/$former" ] && [ ! -e "$databases/$stage" ] &&
  [ ! -e "$transactions/$former" ] && [ ! -e "$transactions/$stage" ]; then
  mv "$transactions/$name" "$transactions/$stage" || exit 4
fi
status=0
put_back "$databases" && put_back "$transactions" || status=4
[ -z "$watchdog" ] || rm -f "$watchdog/busy"
exit $status
`;

/** Arguments: both directories, the staged one's name, the former one's. Prints which of them is where. */
const LOOK = `for directory in "$1" "$2"; do
  [ -d "$directory" ] || exit 1
  if [ -e "$directory/$3" ]; then echo stage; else echo -; fi
  if [ -e "$directory/$4" ]; then echo former; else echo -; fi
done
`;

/** What another process knows a staged database by. */
export type StagedNeo4j = Extract<Leftover, { kind: "staged-neo4j" }>;

/**
 * A database that is loaded beside the one in use, under a name that the server does not know, and
 * takes its place when it is complete. So there is no moment in which a server could start on half
 * a database, whoever dies: until the exchange, which takes a few renames, the former one is there.
 *
 * It needs the space for both.
 */
export class StagedDatabase {
  readonly #facts: StagedNeo4j;
  readonly #journal: UndoJournal;
  readonly #removal: UndoHandle;
  #back: UndoHandle | undefined;
  #former: UndoHandle | undefined;

  private constructor(facts: StagedNeo4j, journal: UndoJournal, removal: UndoHandle) {
    this.#facts = facts;
    this.#journal = journal;
    this.#removal = removal;
  }

  /**
   * Finds out where Neo4j keeps its databases.
   *
   * @throws {DeploymentError} when it does not say
   */
  static async prepare(
    deployment: Deployment,
    credentials: DatabaseCredentials,
    journal: UndoJournal,
    database: string,
  ): Promise<StagedDatabase> {
    const { data, transactions } = await findNeo4jDirectories(deployment, credentials);
    const databases = `${data}/databases`;
    await warnOfLeftovers(deployment, databases, transactions);
    const run = crypto.randomUUID().slice(0, 8);
    const facts: StagedNeo4j = {
      kind: "staged-neo4j",
      database,
      directories: [databases, transactions],
      stage: `${STAGE}${run}`,
      // No name of a database, and no other run's.
      former: `${database}.before-${run}`,
    };
    const removal = await journal.push({
      ...removing(deployment, "remove what was loaded beside the Neo4j database", facts, "stage"),
      leaves: facts,
    });
    return new StagedDatabase(facts, journal, removal);
  }

  /** What another process knows it by. */
  get facts(): StagedNeo4j {
    return this.#facts;
  }

  /** What it is called until it takes the other's place. */
  get name(): string {
    return this.#facts.stage;
  }

  /**
   * Takes the place of the database in use, while Neo4j is held. Where a rename fails, those before
   * it are taken back. From then on the journal takes it back.
   *
   * @param onReplace told when it has, or when that is not known
   * @param putBack how it is taken back
   * @throws {DeploymentError} when that is not possible, or Neo4j is not held any more
   */
  async exchange(
    deployment: Deployment,
    { watchdogDirectory = "" }: FrozenNeo4j,
    onReplace: () => void,
    putBack: UndoAction,
  ): Promise<void> {
    this.#back = await this.#journal.push(putBack);
    await attempt(deployment, "failed to put the loaded neo4j database in its place", async () => {
      try {
        // Without the run's signal: what had been done would not be known. It takes a moment.
        await deployment.environment.run(
          DATABASE,
          exchangeArgv(EXCHANGE, "infrahub-exchange", this.#facts, watchdogDirectory),
        );
      } catch (error) {
        if (error instanceof CommandFailedError && error.commandExitCode === UNCHANGED) {
          await this.#back?.forget();
        } else onReplace();
        throw error;
      }
      onReplace();
    });
  }

  /** Takes the exchange back now; see {@linkcode exchange}. */
  async putBack(): Promise<void> {
    await this.#back?.perform();
  }

  /** It stays where it is. @param keepsFormer whether the former database does as well */
  async settle(deployment: Deployment, keepsFormer: boolean): Promise<void> {
    if (!keepsFormer) {
      this.#former = await this.#journal.push({
        ...removing(deployment, "remove the former Neo4j database", this.#facts, "former"),
        leaves: this.#facts,
      });
    }
    await this.#back?.forget();
    await this.#removal.forget();
  }

  /** Removes the former database, unless it is kept. Never throws. */
  async removeFormer(deployment: Deployment): Promise<void> {
    try {
      await this.#former?.perform();
    } catch (error) {
      // Stays on the journal, where it is tried again.
      deployment.reporter.warn(
        `Could not remove the former Neo4j database, ${this.former}: ${messageOf(error)}`,
      );
    }
  }

  /** Where the former database is after the exchange. */
  get former(): string {
    return formerPaths(this.#facts).join(" and ");
  }

  /** Removes what has been loaded. Never throws: what is left is only in the way. */
  async discard({ reporter }: Deployment): Promise<void> {
    try {
      await this.#removal.perform();
    } catch (error) {
      reporter.debug(`Could not remove what was loaded: ${messageOf(error)}`);
    }
  }
}

function exchangeArgv(
  script: string,
  name: string,
  { directories, database, stage, former }: StagedNeo4j,
  watchdog: string,
): string[] {
  return ["sh", "-c", script, name, ...directories, database, stage, former, watchdog];
}

/** Paths of the former database. */
export function formerPaths({ directories, former }: StagedNeo4j): string[] {
  return directories.map((directory) => `${directory}/${former}`);
}

/** Whether a staged database has taken the other's place: not at all, half, or as a whole. */
export async function lookAtStage(
  { environment, signal }: Pick<Deployment, "environment" | "signal">,
  { directories, stage, former }: StagedNeo4j,
): Promise<"before" | "half" | "after"> {
  const output = await environment.run(
    DATABASE,
    ["sh", "-c", LOOK, "infrahub-look", ...directories, stage, former],
    { signal },
  );
  const [data, formerData, logs, formerLogs] = output.split("\n").map((line) => line !== "-");
  if (formerData === undefined || logs === undefined || formerLogs === undefined) {
    throw new DeploymentError(`unexpected answer: ${JSON.stringify(output)}`);
  }
  if (!formerData && !formerLogs) return "before";
  return formerData && !data && !logs ? "after" : "half";
}

/** Takes an exchange back, be it whole or half, while Neo4j is held. */
export async function exchangeBack(
  { environment }: Deployment,
  facts: StagedNeo4j,
  { watchdogDirectory = "" }: FrozenNeo4j,
): Promise<void> {
  await environment.run(
    DATABASE,
    exchangeArgv(EXCHANGE_BACK, "infrahub-put-back", facts, watchdogDirectory),
  );
}

/** Removes the one that is beside the database in use, by the name that it has there. */
export async function removeBeside(
  { environment, signal }: Pick<Deployment, "environment" | "signal">,
  { directories, ...names }: StagedNeo4j,
  which: "stage" | "former",
): Promise<void> {
  const paths = directories.map((directory) => `${directory}/${names[which]}`);
  await environment.run(DATABASE, ["rm", "-rf", ...paths], {
    signal,
    timeoutMs: REMOVE_TIMEOUT_MS,
  });
}

function removing(
  { environment }: Deployment,
  name: string,
  facts: StagedNeo4j,
  which: "stage" | "former",
): UndoAction {
  return {
    name,
    harmless: true,
    timeoutMs: REMOVE_TIMEOUT_MS,
    run: (signal) => removeBeside({ environment, signal }, facts, which),
  };
}

/** A killed restore could not remove what it had loaded, which may be as large as the database. */
async function warnOfLeftovers(
  { environment, reporter, signal }: Deployment,
  databases: string,
  transactions: string,
): Promise<void> {
  try {
    const names = (await environment.run(DATABASE, ["ls", "-A", databases], { signal })).split(
      "\n",
    );
    const left = names.filter((name) =>
      name.startsWith(STAGE) || /\.before-[0-9a-f]{8}$/.test(name)
    );
    if (left.length === 0) return;
    reporter.warn(
      `Left by earlier restores in ${databases} and ${transactions}: ${left.join(", ")}; remove ` +
        "them when no other restore runs and nobody needs them",
    );
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`Could not list ${databases}: ${messageOf(error)}`);
  }
}
