import { assert, assertEquals } from "@std/assert";
import { NEEDS, superfluousRights } from "../../../../src/cli/commands/rights.ts";
import type { Right } from "../../../../src/cli/process/mod.ts";
import { createProgram } from "../../../../src/cli/program.ts";
import { allCommands } from "../../../../src/cli/syntax/command_line.ts";
import { defaultCommandOf } from "../../../../src/cli/syntax/default_command.ts";
import { commandPath } from "../../../../src/cli/syntax/menu.ts";
import { recordingContext } from "../_support.ts";

/** The routes of all commands that do something. */
function actingRoutes(program: string): string[] {
  const { root } = createProgram(recordingContext({}, { program }));
  return allCommands(root).flatMap((command) => {
    const isMenu = command.commands.length > 0 && defaultCommandOf(command) === undefined;
    const isDefault = command.parent !== null && defaultCommandOf(command.parent) === command;
    return isMenu || isDefault ? [] : [commandPath(command).split(" ").slice(1).join(" ")];
  });
}

Deno.test("every command has a row of what it needs, and every row is a command's", () => {
  assertEquals(actingRoutes("infrahub-backup").sort(), [...NEEDS.keys()].sort());
  for (const route of actingRoutes("infrahub-taskmanager")) {
    assert(NEEDS.has(route.replace(/^flush /, "tasks flush ")), route);
  }
});

Deno.test("a command keeps the rights that its command line needs, and no others", async (t) => {
  type Line = Parameters<typeof superfluousRights>[0];
  const all: readonly Right[] = ["run", "net", "write", "env", "sys"];
  const s3 = { backend: "plakar", repo: "s3://host:9000/bucket" };
  const disk = { backend: "plakar", repo: "/var/backups" };
  const rows: [string, Partial<Line>, readonly Right[]][] = [
    ["create", {}, ["run", "write", "env"]],
    ["create", { globals: disk }, ["run", "write", "env"]],
    ["create", { globals: s3 }, all],
    ["create", { globals: { ...disk, host: true } }, all],
    ["create", { options: { s3Upload: true } }, all],
    ["create from-commands", { globals: { ...disk, host: true } }, ["run", "write", "env", "sys"]],
    ["restore", { args: ["a.tar.gz"] }, ["run", "write", "env"]],
    ["restore", { args: ["s3://bucket/a.tar.gz"] }, all],
    ["restore", { args: ["a.tar.gz"], options: { to: "x" } }, ["write"]],
    ["restore", { globals: { ...disk, host: true }, options: { to: "x" } }, ["write"]],
    ["restore", { globals: s3, options: { to: "x" } }, ["net", "write", "env", "sys"]],
    ["upload", { args: ["a.tar.gz"] }, ["net", "env", "sys"]],
    ["keygen", {}, ["write"]],
    ["snapshots list", { globals: { backend: "tarball", repo: "/x" } }, ["write"]],
    ["snapshots list", { globals: { backend: "tarball", repo: "fs:///x" } }, ["write"]],
    ["snapshots cat", { globals: s3 }, ["net", "write", "env", "sys"]],
    ["tasks flush flow-runs", {}, ["run", "env"]],
    ["flush stale-runs", {}, ["run", "env"]],
    ["environment detect", { reserved: new Set(["net"]) }, ["run", "net", "env"]],
    ["systemd units", {}, ["run", "env"]],
    ["systemd units", { options: { install: "/etc" } }, ["run", "write", "env"]],
    ["version", {}, []],
    ["version", { reserved: new Set(["net", "write"]) }, ["net", "write"]],
    ["nobody's", {}, []],
  ];
  for (const [route, line, kept] of rows) {
    await t.step(`${route} ${JSON.stringify(line)}`, () => {
      const given = superfluousRights({
        route,
        globals: { backend: "tarball" },
        options: {},
        args: [],
        reserved: new Set(),
        ...line,
      });
      assert(given.includes("ffi") && given.includes("import"));
      assertEquals(all.filter((right) => !given.includes(right)), kept);
    });
  }
});
