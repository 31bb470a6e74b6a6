import { UndoJournal } from "../../../../src/infrahub/deployment/undo_journal.ts";
import { Secret } from "../../../../src/infrahub/secret.ts";
import { fakeDeployment, FakeEnvironment } from "../fake_environment.ts";

export const CREDENTIALS = {
  database: "graph",
  username: "me",
  password: new Secret("hu'sh $(x)"),
};

/** A deployment whose Neo4j is an Enterprise server; what `prepare` says comes first. */
export function setUp(prepare: (environment: FakeEnvironment) => void = () => {}) {
  const environment = new FakeEnvironment();
  prepare(environment);
  environment
    .on("database", /^mkdir/, "")
    .on("database", /^rm /, "")
    .on("database", /^chown/, "")
    .on("database", /^ls -A/, "infrahubops\n")
    .on("database", "whoami", "root")
    .on("database", /^du /, "8\t/x")
    .on("database", "database backup", "")
    .on("database", /^tar .*--version/, "")
    .on("database", /^tar .*-cf/, "tar bytes")
    .on("database", /^tar xf/, "")
    .on("database", "SHOW SERVERS", "serverCount\n1")
    .on("database", "statusCheck", 'requester, serverId\nfalse, "s1"\nTRUE, "s2"')
    .on("database", "requestedPrimariesCount", "a, b\n1, 2")
    .on(
      "database",
      "SHOW SETTINGS",
      'name, value\n"server.directories.data", "/srv/data"\n' +
        '"server.directories.transaction.logs.root", "/srv/data/transactions"',
    )
    .on("database", "currentStatus", 'currentStatus\n"starting"', 'currentStatus\n"online"')
    .on("database", "cypher-shell", "")
    .on("database", "neo4j-admin", "");
  const { deployment, lines } = fakeDeployment(environment);
  return { environment, deployment, lines, journal: new UndoJournal(deployment) };
}

/** The log without the service, and with one name for the work directory. */
export const steps = (environment: FakeEnvironment) =>
  environment.log.map((line) =>
    line.slice("database: ".length)
      .replaceAll(/infrahubops-[0-9a-f-]{36}/g, "WORK")
      .replace("cypher-shell -d system --format plain ", "")
  );
