import { readConfig } from "../app/config/config.ts";
import { ConfigError } from "../app/config/config-error.ts";
import { helpText } from "../app/config/help-text.ts";
import { exitNow } from "../app/process/exit-now.ts";
import { releaseVersion } from "../app/release.ts";
import { ApiFailure } from "./api/exit-codes.ts";
import type { Command } from "./commands/command.ts";
import { print } from "./output.ts";
import type { StopRequest } from "./stop-request.ts";

/** Loaded when called for: most of a short command is the start of the program. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  apply: async () => (await import("./api/apply/apply.ts")).applyCommand,
  backup: async () => (await import("./commands/backup.ts")).backupCommand,
  channels: async () => (await import("./api/channels.ts")).channelsCommand,
  completion: async () => (await import("./api/completion.ts")).completionCommand(COMMANDS),
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  drain: async () => (await import("./commands/nodes.ts")).drainCommand,
  audit: async () => (await import("./api/events.ts")).auditCommand,
  events: async () => (await import("./api/events.ts")).eventsCommand,
  export: async () => (await import("./api/apply/apply.ts")).exportCommand,
  import: async () => (await import("./api/apply/apply.ts")).importCommand,
  "import-sqlite": async () => (await import("./commands/import-sqlite.ts")).importSqliteCommand,
  "init-cluster": async () => (await import("./commands/init-cluster.ts")).initClusterCommand,
  keys: async () => (await import("./api/keys.ts")).keysCommand,
  login: async () => (await import("./api/login.ts")).loginCommand,
  nodes: async () => (await import("./commands/nodes.ts")).nodesCommand,
  platforms: async () => (await import("./api/platforms.ts")).platformsCommand,
  "reset-password": async () => (await import("./commands/reset-password.ts")).resetPasswordCommand,
  restore: async () => (await import("./commands/restore.ts")).restoreCommand,
  "rotate-key": async () => (await import("./commands/rotate-key.ts")).rotateKeyCommand,
  status: async () => (await import("./api/status.ts")).statusCommand,
  testkit: async () => (await import("./commands/testkit/testkit.ts")).testkitCommand,
  upgrade: async () => (await import("./upgrade.ts")).upgradeCommand,
};

/** The names of all commands. */
export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** Returns what loads the command of this name; undefined where there is none. */
export function commandNamed(name: string): (() => Promise<Command>) | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** Runs the command line: one of the commands, or, without one, the server until it is stopped. */
export async function runCommandLine(stopRequest: StopRequest): Promise<void> {
  // Nothing has begun.
  if (stopRequest.signal.aborted) process.exit(0);
  await run(stopRequest).catch(fail);
}

async function run(stopRequest: StopRequest): Promise<void> {
  const [first = "", ...rest] = process.argv.slice(2);
  const command = commandNamed(first);
  if (command !== undefined) {
    stopRequest.leave();
    print(await (await command())(rest, process.env));
    return;
  }
  if (first !== "" && !first.startsWith("-")) {
    throw new ConfigError(`${JSON.stringify(first)} is not a command; the commands are ${COMMAND_NAMES.join(", ")}.`);
  }
  const commandLine = readConfig(process.argv.slice(2), process.env);
  if ("show" in commandLine) print(commandLine.show === "help" ? helpText() : `fanfare ${releaseVersion()}\n`);
  else await (await import("./run-server.ts")).runServer(commandLine.config, stopRequest);
}

function fail(error: unknown): never {
  const { text, code } = failureOf(error);
  process.stderr.on("error", () => undefined);
  process.stderr.write(text);
  return exitNow(code);
}

/** What a failed command prints, and the exit code of its process. */
export function failureOf(error: unknown): { readonly text: string; readonly code: number } {
  const text = `fanfare: ${error instanceof Error ? error.message : String(error)}\n`;
  if (error instanceof ApiFailure) return { text, code: error.exitCode };
  return { text, code: error instanceof ConfigError ? 2 : 1 };
}
