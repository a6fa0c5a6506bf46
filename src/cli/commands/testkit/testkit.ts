import { ConfigError } from "../../../app/config/config-error.ts";
import type { Command } from "../command.ts";
import { runEncoder } from "./testkit-encoder.ts";
import { runProxy } from "./testkit-proxy.ts";
import { runTarget } from "./testkit-target.ts";

const KIT: Readonly<Record<string, (args: readonly string[]) => Promise<string>>> = {
  target: runTarget,
  encoder: runEncoder,
  proxy: runProxy,
};

const HELP = `Usage: fanfare testkit target|encoder|proxy [options]

  target    An RTMP server that behaves as badly as you like, and reports what it received.
  encoder   Publishes a clip, its own or an FLV file, and fails where you want it to.
  proxy     A TCP proxy that is a bad network.

Each prints one JSON object a line for everything that happens, and ends with SIGINT or SIGTERM.
fanfare testkit target --help (and so on) lists the options.
`;

/** `fanfare testkit …`: the parts of the fault kit, each as a program of its own. */
export const testkitCommand: Command = Object.assign(run, { completes: { words: Object.keys(KIT), options: [] } });

async function run(args: readonly string[]): Promise<string> {
  const [part = "", ...rest] = args;
  if (part === "--help" || part === "-h") return HELP;
  const runPart = Object.hasOwn(KIT, part) ? KIT[part] : undefined;
  if (runPart === undefined)
    throw new ConfigError(`testkit is one of ${Object.keys(KIT).join(", ")} (--help says more)`);
  return await runPart(rest);
}
