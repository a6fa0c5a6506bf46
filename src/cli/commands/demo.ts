import { startDemo } from "../../app/commands/demo.ts";
import { readConfig } from "../../app/config/config.ts";
import { ConfigError } from "../../app/config/config-error.ts";
import { exitNow } from "../../app/process/exit-now.ts";
import { print } from "../output.ts";
import { stopInTime } from "../stop-in-time.ts";
import type { Command } from "./command.ts";

const USAGE = "fanfare demo [--http-port PORT] [--rtmp-port PORT]";
const HOST = "127.0.0.1";

/** `fanfare demo`: runs until it is stopped. */
export const demoCommand: Command = Object.assign(run, {
  completes: { words: [], options: ["--http-port", "--rtmp-port"] },
});

async function run(args: readonly string[]): Promise<never> {
  // Ignores the settings of a real installation: the demo touches none of its data and uses none of its ports.
  const ports = { FANFARE_HTTP_PORT: "0", FANFARE_RTMP_PORT: "0" };
  const hosts = { FANFARE_HTTP_HOST: HOST, FANFARE_RTMP_HOST: HOST, FANFARE_PUBLIC_HOST: HOST };
  const commandLine = readConfig(args, { ...hosts, ...ports, FANFARE_LOG_LEVEL: "error" });
  if ("show" in commandLine) throw new ConfigError(`usage: ${USAGE}`);
  const demo = await startDemo(commandLine.config);
  print(
    [
      "Fanfare's demo is on air: a test clip, sent to one healthy platform, one that stalls now and then, and one that refuses its key.",
      `  Dashboard: ${demo.url}/`,
      `  Password:  ${demo.password}`,
      "Stop it with Ctrl+C; nothing is kept.",
      "",
    ].join("\n"),
  );
  await new Promise<void>((resolve) => {
    process.on("SIGINT", resolve);
    process.on("SIGTERM", resolve);
  });
  await stopInTime(() => demo.stop());
  return exitNow(0);
}
