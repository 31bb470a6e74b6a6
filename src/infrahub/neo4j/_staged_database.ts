import { CommandFailedError } from "../../environment/mod.ts";
import { messageOf } from "../../errors/mod.ts";
import { findNeo4jDirectories } from "./_directories.ts";
import {
  attempt,
  DATABASE,
  type DatabaseCredentials,
  type Deployment,
  type UndoAction,
  type UndoHandle,
  type UndoJournal,
} from "../deployment/mod.ts";
import type { FrozenNeo4j } from "./freeze.ts";

const REMOVE_TIMEOUT_MS = 600_000;
/** Exit code of {@linkcode EXCHANGE}. */
const UNCHANGED = 3;

/**
 * Every run has a name of its own: what a killed one has left must never be taken for what was
 * loaded, and is not removed by itself, for it may be another run's that goes on.
 */
const STAGE = "infrahub-restore-";

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
if [ -n "$watchdog" ]; then
  : >"$watchdog/busy" || exit 3
  if [ ! -e "$watchdog/armed" ]; then
    rm -f "$watchdog/busy"
    echo 'Neo4j is not held any more' >&2
    exit 3
  fi
fi
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
 * A database that is loaded beside the one in use, under a name that the server does not know, and
 * takes its place when it is complete. So there is no moment in which a server could start on half
 * a database, whoever dies: until the exchange, which takes a few renames, the former one is there.
 *
 * It needs the space for both.
 */
export class StagedDatabase {
  /** What it is called until it takes the other's place. */
  readonly name: string;
  readonly #database: string;
  /** No name of a database, and no other run's. */
  readonly #former: string;
  readonly #directories: readonly [databases: string, transactions: string];
  readonly #journal: UndoJournal;
  readonly #removal: UndoHandle;

  private constructor(
    deployment: Deployment,
    journal: UndoJournal,
    database: string,
    directories: readonly [string, string],
  ) {
    const run = crypto.randomUUID().slice(0, 8);
    this.name = `${STAGE}${run}`;
    this.#database = database;
    this.#former = `${database}.before-${run}`;
    this.#directories = directories;
    this.#journal = journal;
    this.#removal = journal.push(
      this.#removing(deployment, "remove what was loaded beside the Neo4j database", this.name),
    );
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
    return new StagedDatabase(deployment, journal, database, [databases, transactions]);
  }

  /**
   * Takes the place of the database in use, while Neo4j is held. Where a rename fails, those before
   * it are taken back.
   *
   * @param onReplace told when it has, or when that is not known
   * @throws {DeploymentError} when that is not possible, or Neo4j is not held any more
   */
  async exchange(
    deployment: Deployment,
    { watchdogDirectory = "" }: FrozenNeo4j,
    onReplace: () => void,
  ): Promise<void> {
    const [databases, transactions] = this.#directories;
    const argv = [
      "sh",
      "-c",
      EXCHANGE,
      "infrahub-exchange",
      databases,
      transactions,
      this.#database,
      this.name,
      this.#former,
      watchdogDirectory,
    ];
    await attempt(deployment, "failed to put the loaded neo4j database in its place", async () => {
      try {
        // Without the run's signal: what had been done would not be known. It takes a moment.
        await deployment.environment.run(DATABASE, argv);
      } catch (error) {
        if (!(error instanceof CommandFailedError && error.commandExitCode === UNCHANGED)) {
          onReplace();
        }
        throw error;
      }
      onReplace();
    });
    this.#removal.forget();
  }

  /** Removes the former database, once Neo4j answers with the new one. Never throws. */
  async removeFormer(deployment: Deployment): Promise<void> {
    const removal = this.#journal.push(
      this.#removing(deployment, "remove the former Neo4j database", this.#former),
    );
    try {
      await removal.perform();
    } catch (error) {
      // Stays on the journal, where it is tried again.
      deployment.reporter.warn(
        `Could not remove the former Neo4j database, ${this.former}: ${messageOf(error)}`,
      );
    }
  }

  /** Where the former database is after the exchange. */
  get former(): string {
    return this.#directories.map((directory) => `${directory}/${this.#former}`).join(" and ");
  }

  /** Removes what has been loaded. Never throws: what is left is only in the way. */
  async discard({ reporter }: Deployment): Promise<void> {
    try {
      await this.#removal.perform();
    } catch (error) {
      reporter.debug(`Could not remove what was loaded: ${messageOf(error)}`);
    }
  }

  #removing({ environment }: Deployment, what: string, name: string): UndoAction {
    const paths = this.#directories.map((directory) => `${directory}/${name}`);
    return {
      name: what,
      harmless: true,
      timeoutMs: REMOVE_TIMEOUT_MS,
      run: async (signal) => {
        await environment.run(DATABASE, ["rm", "-rf", ...paths], {
          signal,
          timeoutMs: REMOVE_TIMEOUT_MS,
        });
      },
    };
  }
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
