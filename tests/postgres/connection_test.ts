/**
 * Descriptions of a connection beside real servers: the dump, the restore and psql go to the same
 * server, or all of them refuse.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { makeCertificates } from "./certificates.ts";
import { describe, dump, hostDeployment, restore, URL_VARIABLE, withExported } from "./lab.ts";
import { freePorts, PASSWORD, programsFolder, RealServer, run } from "./real_server.ts";

/** Where libpq of Debian looks for sockets when nobody says where. */
const DEFAULT_SOCKETS = "/var/run/postgresql";

interface Row {
  readonly name: string;
  /** Exported besides; the URL is among them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Which server it is, or that all refuse. */
  readonly want: "tcp" | "socket" | "tls" | "refused";
  /** What psql is given instead of the URL, where it does not read that. */
  readonly psql?: string;
  /** psql would go where somebody else's variables say, and we do not. */
  readonly isStricter?: boolean;
}

const quoted = encodeURIComponent(PASSWORD);

Deno.test("dump, restore and psql agree on the server, or all refuse", async (t) => {
  const [port = 0, tlsPort = 0, deadPort = 0] = freePorts(3);
  const folder = await Deno.makeTempDir();
  await makeCertificates(folder);
  // Two servers on one port number, the other one with us for a superuser.
  await using tcp = await RealServer.start({ name: "tcp", port, isOnTcp: true });
  await using socket = await RealServer.start({
    name: "socket",
    port,
    isOnTcp: false,
    socketFolder: DEFAULT_SOCKETS,
  });
  const { username } = Deno.uid() === 0 ? { username: "root" } : { username: "tester" };
  await socket.sql(`CREATE ROLE "${username}" SUPERUSER LOGIN`);
  await using tls = await RealServer.start({
    name: "tls",
    port: tlsPort,
    isOnTcp: true,
    tlsFolder: folder,
    hba: "local all all trust\nhostssl postgres,template1,all prefect 127.0.0.1/32 cert\n" +
      "hostssl all postgres 127.0.0.1/32 trust\n",
  });
  const servers = { tcp, socket, tls };
  // The same role at each, so that a dump of one can be restored to another.
  const restored = await withExported({
    [URL_VARIABLE]: `postgresql://postgres@/prefect?host=${tcp.socketFolder}&port=${port}`,
  }, async () => {
    await tcp.sql("UPDATE marker SET name = 'restored'", "prefect");
    const bytes = await dump(await describe(hostDeployment()));
    await tcp.sql("UPDATE marker SET name = 'on-tcp'", "prefect");
    return bytes;
  });
  const url = (rest: string) => ({ [URL_VARIABLE]: `postgresql+asyncpg://${rest}` });
  const client = `sslcert=${folder}/client.crt&sslkey=${folder}/client.key`;
  const services = `${folder}/services`;
  await Deno.writeTextFile(
    services,
    `[lab]\nhost=127.0.0.1\nport=${port}\nuser=prefect\npassword=${PASSWORD}\ndbname=prefect\n`,
  );
  const passfile = `${folder}/passfile`;
  const escaped = PASSWORD.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
  await Deno.writeTextFile(passfile, `*:*:*:*:${escaped}\n`, { mode: 0o600 });

  const rows: Row[] = [
    { name: "TCP", variables: url(`prefect:${quoted}@127.0.0.1:${port}/prefect`), want: "tcp" },
    { name: "by name", variables: url(`prefect:${quoted}@localhost:${port}/prefect`), want: "tcp" },
    {
      name: "a password as SQLAlchemy takes it",
      variables: url(`prefect:${PASSWORD}@127.0.0.1:${port}/prefect`),
      psql: `postgresql://prefect:${quoted}@127.0.0.1:${port}/prefect`,
      want: "tcp",
    },
    {
      name: "TCP, beside PG* of another server",
      variables: {
        ...url(`prefect:${quoted}@127.0.0.1:${port}/prefect`),
        PGHOST: DEFAULT_SOCKETS,
        PGUSER: username,
        PGDATABASE: "postgres",
        PGPASSWORD: "other",
        PGAPPNAME: "other",
      },
      want: "tcp",
    },
    {
      name: "a socket's folder",
      variables: url(`prefect:x@/prefect?host=${tcp.socketFolder}&port=${port}`),
      want: "tcp",
    },
    {
      name: "another socket's folder",
      variables: url(`prefect:x@/prefect?host=${DEFAULT_SOCKETS}&port=${port}`),
      want: "socket",
    },
    {
      name: "an empty host",
      variables: url(`prefect:x@:${port}/prefect`),
      want: "socket",
    },
    {
      name: "several hosts",
      variables: url(
        `prefect:${quoted}@/prefect?host=127.0.0.1,127.0.0.1&port=${deadPort},${port}`,
      ),
      want: "tcp",
    },
    {
      name: "a wrong password",
      variables: url(`prefect:wrong@127.0.0.1:${port}/prefect`),
      want: "refused",
    },
    {
      name: "no such database",
      variables: url(`prefect:${quoted}@127.0.0.1:${port}/none?ssl=require`),
      psql: `postgresql://prefect:${quoted}@127.0.0.1:${port}/none?sslmode=require`,
      want: "refused",
    },
    {
      name: "TLS where there is none",
      variables: url(`prefect:${quoted}@127.0.0.1:${port}/prefect?sslmode=require`),
      want: "refused",
    },
    {
      name: "TLS where there is none, in asyncpg's words",
      variables: url(`prefect:${quoted}@127.0.0.1:${port}/prefect?ssl=require`),
      psql: `postgresql://prefect:${quoted}@127.0.0.1:${port}/prefect?sslmode=require`,
      want: "refused",
    },
    {
      name: "TLS asked for by PGSSLMODE",
      variables: {
        ...url(`prefect:${quoted}@127.0.0.1:${port}/prefect`),
        PGSSLMODE: "require",
      },
      want: "refused",
    },
    {
      name: "the right certificates",
      variables: url(
        `prefect@localhost:${tlsPort}/prefect?sslmode=verify-full&sslrootcert=${folder}/ca.crt&${client}`,
      ),
      want: "tls",
    },
    {
      name: "the right certificates, of Prefect's settings",
      variables: {
        ...url(`prefect@localhost:${tlsPort}/prefect`),
        PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED: "true",
        PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CA_FILE: `${folder}/ca.crt`,
        PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CERT_FILE: `${folder}/client.crt`,
        PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_KEY_FILE: `${folder}/client.key`,
      },
      psql: `postgresql://prefect@localhost:${tlsPort}/prefect?sslmode=verify-full&` +
        `sslrootcert=${folder}/ca.crt&${client}`,
      want: "tls",
    },
    {
      name: "a certificate of another name",
      variables: url(
        `prefect@127.0.0.1:${tlsPort}/prefect?sslmode=verify-full&sslrootcert=${folder}/ca.crt&${client}`,
      ),
      want: "refused",
    },
    {
      name: "a certificate of another authority",
      variables: url(
        `prefect@localhost:${tlsPort}/prefect?sslmode=verify-ca&sslrootcert=${folder}/other.crt&${client}`,
      ),
      want: "refused",
    },
    {
      name: "no certificate of the client",
      variables: url(`prefect@localhost:${tlsPort}/prefect?sslmode=require`),
      want: "refused",
    },
    {
      name: "no TLS where the server wants it",
      variables: url(`prefect@localhost:${tlsPort}/prefect?sslmode=disable`),
      want: "refused",
    },
    {
      name: "a service",
      variables: { ...url("/?service=lab"), PGSERVICEFILE: services },
      want: "tcp",
    },
    {
      name: "a password file",
      variables: url(`prefect@127.0.0.1:${port}/prefect?passfile=${passfile}`),
      want: "tcp",
    },
    {
      name: "nothing but PG*",
      variables: {
        PGHOST: "127.0.0.1",
        PGPORT: `${port}`,
        PGUSER: "prefect",
        PGPASSWORD: PASSWORD,
        PGDATABASE: "prefect",
      },
      want: "tcp",
    },
    {
      name: "nothing but Prefect's single settings",
      variables: {
        PREFECT_API_DATABASE_DRIVER: "postgresql+asyncpg",
        PREFECT_API_DATABASE_HOST: "127.0.0.1",
        PREFECT_API_DATABASE_PORT: `${port}`,
        PREFECT_API_DATABASE_USER: "prefect",
        PREFECT_API_DATABASE_NAME: "prefect",
        PREFECT_API_DATABASE_PASSWORD: PASSWORD,
      },
      psql: `postgresql://prefect:${quoted}@127.0.0.1:${port}/prefect`,
      want: "tcp",
    },
    {
      name: "PGHOST beside a URL without a host",
      variables: { ...url(`prefect:${quoted}@:${port}/prefect`), PGHOST: "127.0.0.1" },
      isStricter: true,
      want: "refused",
    },
    {
      name: "another database system",
      variables: { [URL_VARIABLE]: "sqlite+aiosqlite:////x.db" },
      isStricter: true,
      want: "refused",
    },
  ];
  for (const { name, variables, want, psql, isStricter = false } of rows) {
    await t.step(name, async () => {
      const given = variables[URL_VARIABLE]?.replace("+asyncpg", "");
      const { [URL_VARIABLE]: _, ...exported } = variables;
      const argument = psql ?? given;
      const command = [
        ...[`${programsFolder()}/psql`, "-X", "-A", "-t", "-w"],
        ...(argument === undefined ? [] : ["-d", argument]),
        ...["-c", "SELECT name FROM marker"],
      ];
      const psqlSays = await run(command, exported).then((text) => text.trim(), () => "refused");
      if (!isStricter) assertEquals(psqlSays.replace(/^on-/, ""), want, "psql");
      await withExported(variables, async () => {
        const isRefused = want === "refused";
        const dumpIt = async () => await dump(await describe(hostDeployment()));
        const restoreIt = async () => await restore(await describe(hostDeployment()), restored);
        if (isRefused) {
          for (const action of [dumpIt, restoreIt]) {
            const { message } = await assertRejects(action, Error);
            for (const part of ["S3cret", "pa?rt", quoted, "wrong@"]) {
              assertEquals(message.includes(part), false, message);
            }
          }
        } else {
          const text = new TextDecoder("latin1").decode(await dumpIt());
          const found = Object.keys(servers).filter((one) => text.includes(`on-${one}`));
          assertEquals(found, [want], "dump");
          await restoreIt();
        }
        for (const [one, server] of Object.entries(servers)) {
          const there = one === want ? "restored" : `on-${one}`;
          assertEquals(await server.marker(), there, `restore, ${one}`);
          await server.sql(`UPDATE marker SET name = 'on-${one}'`, "prefect");
        }
      });
    });
  }
  await Deno.remove(folder, { recursive: true });
});
