import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { installPeer, PeerError, peersFolder } from "../../../scripts/peers.ts";

Deno.test("peersFolder() takes the first variable that is set", () => {
  const home = { HOME: "/home/me" };
  assertEquals(peersFolder(home), "/home/me/.cache/infrahub-backup-peers");
  const cache = { ...home, XDG_CACHE_HOME: "/cache" };
  assertEquals(peersFolder(cache), "/cache/infrahub-backup-peers");
  assertEquals(peersFolder({ ...cache, INFRAHUB_BACKUP_PEERS: "/peers" }), "/peers");
  assertEquals(
    peersFolder({ ...home, XDG_CACHE_HOME: "", INFRAHUB_BACKUP_PEERS: "" }),
    peersFolder(home),
  );
});

Deno.test("peersFolder() says which variables are missing", () => {
  assertThrows(() => peersFolder({}), PeerError, "INFRAHUB_BACKUP_PEERS, XDG_CACHE_HOME or HOME");
});

Deno.test("installPeer() names the peers that it knows", async () => {
  await assertRejects(
    () => installPeer("tar"),
    PeerError,
    'Unknown peer "tar"; known are plakar, plakar-s3, kloset-1.0, minio, versitygw, restic, borg',
  );
});

Deno.test("the script exits 1 with a reason when a peer cannot be installed", async () => {
  const script = new URL("../../../scripts/peers.ts", import.meta.url);
  const folder = await Deno.makeTempDir({ prefix: "peers-" });
  try {
    // Without a PATH there is no Go to build with, and nothing packaged to find.
    for (const [name, want] of [["plakar", 'no "go" on PATH'], ["none", "Unknown peer"]] as const) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", script.href, name],
        env: { PATH: folder, INFRAHUB_BACKUP_PEERS: folder, NO_COLOR: "1" },
      }).output();
      assertEquals(code, 1);
      assertEquals(new TextDecoder().decode(stdout), "");
      const text = new TextDecoder().decode(stderr);
      assertEquals(text.includes(want), true, text);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
