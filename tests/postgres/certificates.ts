import { run } from "./real_server.ts";

/**
 * Makes an authority with certificates of a server called `localhost` and of the role `prefect`, and
 * another authority that nobody should trust: `ca.crt`, `server.crt`, `client.crt`, `other.crt` and
 * their keys.
 */
export async function makeCertificates(folder: string): Promise<void> {
  for (const authority of ["ca", "other"]) {
    await openssl(folder, [
      ...[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        `/CN=${authority}`,
      ],
      ...["-keyout", `${authority}.key`, "-out", `${authority}.crt`],
    ]);
  }
  for (const [name, subject] of [["server", "localhost"], ["client", "prefect"]]) {
    await openssl(folder, [
      ...["req", "-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${subject}`],
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    await openssl(folder, [
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-days", "2", "-out", `${name}.crt`],
    ]);
  }
  await Deno.chmod(`${folder}/client.key`, 0o600);
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run(["sh", "-c", 'cd "$0" && exec openssl "$@"', folder, ...args]);
}
