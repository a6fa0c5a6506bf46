import { readConfig } from "../app/config/config.ts";
import { ConfigError } from "../app/config/config-error.ts";
import { helpText } from "../app/config/help-text.ts";
import { exitNow } from "../app/process/exit-now.ts";
import { releaseVersion } from "../app/release.ts";
import { backupCommand } from "./commands/backup.ts";
import type { Command } from "./commands/command.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { importSqliteCommand } from "./commands/import-sqlite.ts";
import { initClusterCommand } from "./commands/init-cluster.ts";
import { resetPasswordCommand } from "./commands/reset-password.ts";
import { restoreCommand } from "./commands/restore.ts";
import { rotateKeyCommand } from "./commands/rotate-key.ts";
import { testkitCommand } from "./commands/testkit/testkit.ts";
import { runServer } from "./run-server.ts";
import type { StopRequest } from "./stop-request.ts";
import { upgradeCommand } from "./upgrade.ts";

const COMMANDS: Readonly<Record<string, Command>> = {
  backup: backupCommand,
  demo: demoCommand,
  doctor: doctorCommand,
  "import-sqlite": importSqliteCommand,
  "init-cluster": initClusterCommand,
  "reset-password": resetPasswordCommand,
  restore: restoreCommand,
  "rotate-key": rotateKeyCommand,
  testkit: testkitCommand,
  upgrade: upgradeCommand,
};

/** Runs the command line: one of the commands, or, without one, the server until it is stopped. */
export async function runCommandLine(stopRequest: StopRequest): Promise<void> {
  // Nothing has begun.
  if (stopRequest.signal.aborted) process.exit(0);
  await run(stopRequest).catch(fail);
}

async function run(stopRequest: StopRequest): Promise<void> {
  const [first = "", ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (command !== undefined) {
    stopRequest.leave();
    print(await command(rest, process.env));
    return;
  }
  if (first !== "" && !first.startsWith("-")) {
    throw new ConfigError(
      `${JSON.stringify(first)} is not a command; the commands are ${Object.keys(COMMANDS).join(", ")}.`,
    );
  }
  const commandLine = readConfig(process.argv.slice(2), process.env);
  if ("show" in commandLine) print(commandLine.show === "help" ? helpText() : `fanfare ${releaseVersion()}\n`);
  else await runServer(commandLine.config, stopRequest);
}

/** Prints a command's result. Its reader may close the pipe early: that is not a failure. */
function print(text: string): void {
  process.stdout.on("error", () => process.exit(0));
  process.stdout.write(text);
}

function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.on("error", () => undefined);
  process.stderr.write(`fanfare: ${text}\n`);
  return exitNow(error instanceof ConfigError ? 2 : 1);
}
