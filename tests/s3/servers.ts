/**
 * Real S3 servers on loopback, each with a folder of its own: MinIO, and the Versity gateway over a
 * directory.
 *
 * @module
 */

import { installPeer } from "../../scripts/peers.ts";

/** A server that is running. */
export interface S3Server {
  readonly name: string;
  /** Such as `http://127.0.0.1:40001`. */
  readonly endpoint: string;
  /** Host and port. */
  readonly host: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Folder of its data. */
  readonly data: string;
  /** Of its process. */
  readonly pid: number;
  /** A location with the credentials in it: plain HTTP, as the host is loopback. */
  at(bucketAndPrefix: string): string;
  /** Ends it, without grace: as a power cut would. */
  stop(): Promise<void>;
}

/** Looks like a secret, and like nothing else that a program may print. */
export const SECRET = "s3cr3t-Zq81vTnYw0Kd/+xE";

interface Kind {
  readonly argv: (executable: string, host: string, data: string) => string[];
  readonly env: Readonly<Record<string, string>>;
  readonly accessKeyId: string;
}

const KINDS: Readonly<Record<"minio" | "versitygw", Kind>> = {
  minio: {
    argv: (executable, host, data) => [executable, "server", "--quiet", "--address", host, data],
    env: {
      MINIO_ROOT_USER: "AKminioTest",
      MINIO_ROOT_PASSWORD: SECRET,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
    accessKeyId: "AKminioTest",
  },
  versitygw: {
    argv: (executable, host, data) => [executable, "--quiet", "--port", host, "posix", data],
    env: { ROOT_ACCESS_KEY: "AKversityTest", ROOT_SECRET_KEY: SECRET },
    accessKeyId: "AKversityTest",
  },
};

/** Longest time until a server listens. */
const START_MS = 60_000;

/** Puts a server's credentials where the SDK looks, in this process, until disposed of. */
export function credentialsInProcess({ accessKeyId, secretAccessKey }: S3Server): Disposable {
  Deno.env.set("AWS_ACCESS_KEY_ID", accessKeyId);
  Deno.env.set("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  return {
    [Symbol.dispose]() {
      Deno.env.delete("AWS_ACCESS_KEY_ID");
      Deno.env.delete("AWS_SECRET_ACCESS_KEY");
    },
  };
}

/** Starts a server; it ends with this process at the latest. */
export async function startServer(
  name: "minio" | "versitygw",
  env: Readonly<Record<string, string>> = {},
): Promise<S3Server> {
  const executable = await installPeer(name);
  const kind = KINDS[name];
  const data = await Deno.makeTempDir({ prefix: `s3-${name}-` });
  const port = freePort();
  const host = `127.0.0.1:${port}`;
  const [program, ...args] = kind.argv(executable, host, data);
  const child = new Deno.Command(program!, {
    args,
    env: { HOME: data, ...kind.env, ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  const ended = child.status.then(() => void (hasEnded = true));
  const end = () => {
    if (!hasEnded) child.kill("SIGKILL");
  };
  globalThis.addEventListener("unload", () => {
    end();
    try {
      Deno.removeSync(data, { recursive: true });
    } catch (error) {
      // Removed by stop() already.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
  // A test may end long before the server does.
  child.unref();
  const deadline = Date.now() + START_MS;
  while (!await answers(`http://${host}`)) {
    if (hasEnded) throw new Error(`${name} has ended at its start`);
    if (Date.now() > deadline) throw new Error(`${name} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const userInfo = `${kind.accessKeyId}:${encodeURIComponent(SECRET)}`;
  return {
    name,
    endpoint: `http://${host}`,
    host,
    accessKeyId: kind.accessKeyId,
    secretAccessKey: SECRET,
    data,
    pid: child.pid,
    at: (bucketAndPrefix) => `s3://${userInfo}@${host}/${bucketAndPrefix}`,
    stop: async () => {
      child.ref();
      end();
      await ended;
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** Whether the service is ready: a request without a signature is refused, and no more. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status === 403;
  } catch (error) {
    if (error instanceof TypeError) return false; // nobody listens
    throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
