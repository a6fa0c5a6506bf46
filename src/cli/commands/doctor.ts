import { diagnose } from "../../app/commands/doctor/diagnose.ts";
import { findingLines } from "../../app/commands/doctor/finding.ts";
import { readConfig } from "../../app/config/config.ts";
import { ConfigError } from "../../app/config/config-error.ts";
import { serverFlags } from "../../app/config/settings/settings.ts";
import { jsonText } from "../api/api-command.ts";
import type { Command, Environment } from "./command.ts";

const USAGE = `Usage: fanfare doctor [--json] [--clock URL] [the server's flags]

Looks at the database, keys, ports, file descriptors, disk, DNS, clock, cluster and each platform's address, and says what
is wrong and what to do. The server may run. Ends with 1 if something does not work.

  --json
      Prints {"findings": [{"check", "state", "text"}]}.
  --clock VALUE
      An http:// or https:// address whose server is asked for the time.

It reads settings as the server does: give it the same flags and variables.
`;

const CLOCK_ALLOWED = /^https?:\/\/[^\s/?#@]+(\/\S*)?$/;

export const doctorCommand: Command = Object.assign(run, {
  completes: { words: [], options: ["--help", "--json", "--clock", ...serverFlags()] },
});

async function run(args: readonly string[], env: Environment): Promise<string> {
  const { isJson, clockUrl, settings } = splitOptions(args);
  const commandLine = readConfig(settings, env);
  if ("show" in commandLine) return USAGE;
  const findings = await diagnose(commandLine.config, clockUrl);
  if (findings.some(({ state }) => state === "failed")) process.exitCode = 1;
  return isJson ? jsonText({ findings }) : findingLines(findings);
}

/** Separates the command's own options from the server's flags. Throws ConfigError. */
function splitOptions(args: readonly string[]) {
  const settings: string[] = [];
  let isJson = false;
  let clockUrl: string | undefined;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--json") isJson = true;
    else if (arg === "--clock") clockUrl = rest.shift() ?? "";
    else settings.push(arg);
  }
  if (clockUrl !== undefined && !(CLOCK_ALLOWED.test(clockUrl) && URL.canParse(clockUrl))) {
    throw new ConfigError(
      `--clock: ${JSON.stringify(clockUrl)} is not allowed; allowed is an http:// or https:// address.`,
    );
  }
  return { isJson, clockUrl, settings };
}
