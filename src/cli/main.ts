#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, helpText, readConfig } from "../app/config.ts";
import { firstRunText, newKeyFileText, readyText, setupLinkText } from "../app/first-run.ts";
import { startServer } from "../app/server.ts";
import { backupCommand } from "./commands/backup.ts";
import type { Command } from "./commands/command.ts";
import { demoCommand } from "./commands/demo.ts";
import { resetPasswordCommand } from "./commands/reset-password.ts";
import { restoreCommand } from "./commands/restore.ts";
import { rotateKeyCommand } from "./commands/rotate-key.ts";
import { testkitCommand } from "./commands/testkit.ts";
import { stopInTime } from "./stop-in-time.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  backup: backupCommand,
  demo: demoCommand,
  "reset-password": resetPasswordCommand,
  restore: restoreCommand,
  "rotate-key": rotateKeyCommand,
  testkit: testkitCommand,
};

/** The command line: one of the commands, or, without one, the server until it is told to stop. */
async function main(): Promise<void> {
  const [first = "", ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (command !== undefined) {
    process.stdout.write(await command(rest, process.env));
    return;
  }
  if (first !== "" && !first.startsWith("-")) {
    throw new ConfigError(`${JSON.stringify(first)} is no command; there are ${Object.keys(COMMANDS).join(", ")}.`);
  }
  const commandLine = readConfig(process.argv.slice(2), process.env);
  if ("show" in commandLine) {
    process.stdout.write(commandLine.show === "help" ? helpText() : `fanfare ${version()}\n`);
    return;
  }
  const server = await startServer(commandLine.config);
  process.stdout.write(readyText(server.addresses));
  if (server.newKeyFile !== undefined) process.stdout.write(newKeyFileText(server.newKeyFile));
  if (server.firstKey !== undefined) process.stdout.write(firstRunText(server.firstKey, server.addresses));
  if (server.setupToken !== undefined) process.stdout.write(setupLinkText(server.setupToken, server.addresses));
  const stop = () => {
    stopInTime(() => server.stop()).then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function version(): string {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`fanfare: ${text}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}

main().catch(fail);
