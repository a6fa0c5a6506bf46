import { spawn } from "node:child_process";
import { once } from "node:events";
import { readConfig } from "../app/config/config.ts";
import { serverFlags } from "../app/config/settings/settings.ts";
import type { Command, Environment } from "./commands/command.ts";

/** Part of systemd. */
const SYSTEMD_NOTIFY = "systemd-notify";

const USAGE = `Usage: fanfare upgrade [settings]

Starts the installed version beside the server that runs in the data folder, and lets it take over: the new server
accepts encoders and the API's requests, the old one carries its broadcasts to their end. Takes the settings of the
server itself: give it the same flags and variables. Returns when the new server is ready.
`;

/** Starts a new server that takes over, and returns when it is ready. */
export const upgradeCommand: Command = Object.assign(run, {
  completes: { words: [], options: ["--help", ...serverFlags()] },
});

async function run(args: readonly string[], env: Environment): Promise<string> {
  if (args.includes("--help") || args.includes("-h")) return USAGE;
  // What is wrong with a setting is said here, before anything begins.
  readConfig(args, env);
  const [, program = ""] = process.argv;
  // A server of its own session: it lives on when this command, or its terminal, ends.
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    env: { ...env, FANFARE_TAKE_OVER: "yes" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: true,
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const outcome = await Promise.race([once(child, "message").then(() => "ready" as const), ended]);
  if (outcome !== "ready") throw new Error("the new server did not start; the one that ran before goes on.");
  await announce(child.pid ?? 0, env);
  child.unref();
  return `The server with the process id ${child.pid} has taken over. The one before it ends with its last broadcast.\n`;
}

/** Tells systemd, where it runs the server, which process is the main one now. */
async function announce(pid: number, env: Environment): Promise<void> {
  if (env["NOTIFY_SOCKET"] === undefined) return;
  const notify = spawn(SYSTEMD_NOTIFY, [`--pid=${pid}`, `MAINPID=${pid}`], { env, stdio: "ignore" });
  const [code] = await Promise.race([once(notify, "exit"), once(notify, "error").then(() => ["missing"])]);
  if (code !== 0)
    throw new Error(`the new server runs as ${pid}, but systemd-notify could not tell systemd (${code}).`);
}
