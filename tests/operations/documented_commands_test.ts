/**
 * Runs every command of the tool that the documentation shows: against a stand-in deployment and a
 * real MinIO, in a copy of the file system that nobody else sees. Needs root on Linux.
 */

import { assert, assertEquals } from "@std/assert";
import { findTool, ROOT } from "../../scripts/tool.ts";
import { makeStandInDeployment } from "../cli/_stand_in_deployment.ts";
import { startServer } from "../s3/servers.ts";
import { codeBlocks, toolCalls } from "../unit/cli/_documentation.ts";
import { makeShim } from "./_shim.ts";

const PAGES = [
  "README.md",
  "docs/air-gap.md",
  "docs/migration.md",
  "docs/operations.md",
  "docs/s3.md",
  "docs/scripting.md",
];

/** Pages that show calls which are run elsewhere: by the benchmark that has written them. */
const OTHER_PAGES = ["docs/benchmarks.md"];

/** A loopback address of its own: the port that the pages name may be taken on the usual one. */
const S3_ADDRESS = { hostname: "127.0.0.77", port: 9000 };
const S3_HOST = "minio.example.net";

const DUMPS = `${ROOT}tests/fixtures/dumps`;

/** The backup that the pages name. */
const PAGES_BACKUP_ID = "20260318_143000";

/** What a page takes for granted: backups, a medium, dumps, folders, a passphrase. */
const PREPARATION = `
echo '${S3_ADDRESS.hostname} ${S3_HOST}' >> /etc/hosts
mkdir -p /etc/infrahub-backup /var/lib/node_exporter /var/backups/dumps /backups /media/transfer /srv
rm -rf /var/backups/infrahub /media/transfer/infrahub /srv/restored /srv/restore-test
echo 'a passphrase of a test' > /etc/infrahub-backup/passphrase
chmod 600 /etc/infrahub-backup/passphrase
mkdir /srv/here && cd /srv/here
cp ${DUMPS}/stream.zst neo4j.dump
cp ${DUMPS}/postgres_16.dump prefect.dump
cp *.dump /var/backups/dumps/
infrahub-backup create
archive=$(ls infrahub_backups/*.tar.gz)
cp "$archive" /var/backups/infrahub_backup_20260318_143000.tar.gz
cp "$archive" /backups/backup.tar.gz
mv "$archive" infrahub_backups/infrahub_backup_20260101_000000.tar.gz
infrahub-backup create --backend plakar --repo /var/backups/infrahub
made=$(infrahub-backup --deployment production create --backend plakar --repo /var/backups/infrahub)
production=$(sed -n 's/^Backup \\([0-9_]*\\) complete.*/\\1/p' <<< "$made")
cp -R /var/backups/infrahub /media/transfer/infrahub
`;

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What the program is made of: seen in the copy though it may lie on a file system of its own. */
async function programFolders(): Promise<string[]> {
  const { argv: [program] } = findTool();
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  return [ROOT, program.slice(0, program.lastIndexOf("/")), denoDir];
}

/**
 * Runs a script as root of a file system that takes changes and forgets them, but for those below
 * `folder`.
 */
async function runInCopy(
  script: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; text: string }> {
  const binds = (await programFolders()).map((path) =>
    `mkdir -p root${quote(path)} && mount --bind ${quote(path)} root${quote(path)} &&
     mount -o remount,bind,ro root${quote(path)}`
  );
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      "--mount",
      "--propagation=private",
      "bash",
      "-euc",
      `mkdir -p '${folder}/copy' && mount -t tmpfs tmpfs '${folder}/copy'
       cd '${folder}/copy' && mkdir upper work root
       mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
       for name in proc dev sys; do mount --rbind /$name root/$name; done
       mkdir -p 'root${folder}' && mount --bind '${folder}' 'root${folder}'
       ${binds.join("\n")}
       exec chroot root bash -euc "$1"`,
      "bash",
      script,
    ],
    env,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Passes connections to an address on to a server. */
function forward(address: Deno.TcpListenOptions, host: string): AsyncDisposable {
  const [hostname = "", port] = host.split(":");
  const listener = Deno.listen(address);
  const work: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname, port: Number(port) });
      work.push(
        client.readable.pipeTo(server.writable).catch(() => {/* either side ends it */}),
        server.readable.pipeTo(client.writable).catch(() => {/* either side ends it */}),
      );
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch((error) => {
        // The listener was closed.
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      });
      await Promise.all(work);
    },
  };
}

/** The calls of a page, each as a line of a shell script that says where it stands. */
async function callsOf(page: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { text, line } of codeBlocks(await Deno.readTextFile(`${ROOT}${page}`))) {
    for (const argv of toolCalls(text)) {
      // What a chart asks for so that somebody can look at the pod is no time that a test has.
      const words = argv.map((word) => word.replace(/^--sleep=10m$/, "--sleep=1s"));
      // Another deployment's backup has the id of the moment at which the preparation has made it.
      const isOthers = words.includes("--from-deployment");
      const call = ["infrahub-backup", ...words.map(quote)].join(" ")
        .replace(isOthers ? `'${PAGES_BACKUP_ID}'` : "", isOthers ? '"$production"' : "");
      lines.push(`echo ${quote(`### ${page}:${line}: ${argv.join(" ")}`)}\n${call}`);
    }
  }
  return lines;
}

Deno.test("every command that the documentation shows does what it is asked for", async (t) => {
  const pages = (await Array.fromAsync(Deno.readDir(`${ROOT}docs`))).map(({ name }) => name)
    .filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  for (const page of ["README.md", ...pages]) {
    const isKnown = PAGES.includes(page) || OTHER_PAGES.includes(page);
    assert(isKnown || (await callsOf(page)).length === 0, `${page} shows commands: add it above`);
  }

  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "documented_" }));
  const server = await startServer("minio");
  try {
    await using _forward = forward(S3_ADDRESS, server.host);
    await Deno.mkdir(`${server.data}/backups`);
    await Deno.mkdir(`${folder}/bin`);
    const deployment = await makeStandInDeployment(`${folder}/lab`);
    const env = {
      ...deployment,
      // For the dump commands of the README, which are the stand-ins' as well.
      PGPASSWORD: "hush-pg",
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_ENDPOINT_URL_S3: `http://${S3_HOST}:${S3_ADDRESS.port}`,
      PATH: `${folder}/bin:${deployment.PATH}`,
    };
    await makeShim(`${folder}/bin/infrahub-backup`, Object.keys(env));
    for (const page of PAGES) {
      await t.step(page, async () => {
        const calls = await callsOf(page);
        assert(calls.length > 0, "it shows no command");
        const script = [PREPARATION, ...calls, "echo '### done'"].join("\n");
        const { code, text } = await runInCopy(script, folder, env);
        assertEquals(code, 0, text.slice(-6000));
        assert(text.includes("### done\n"), text.slice(-6000));
      });
    }
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
