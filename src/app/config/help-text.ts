import { fileVariable } from "./setting-files.ts";
import { FROM_FILES, flagOf, SECRETS, SETTINGS } from "./settings/settings.ts";

const COMMAND_LINES = [
  "       fanfare backup FOLDER       write database and encryption keys into a new folder; the server may run",
  "       fanfare restore FOLDER      replace the data by a backup; the server must not run",
  "       fanfare rotate-key          seal every secret with a new key; the server may run",
  "       fanfare rotate-key --drop-old   remove keys from the key file that are no longer needed",
  "       fanfare doctor              check data, machine, network and platforms, and say what is wrong; the server may run",
  "       fanfare demo                show everything: a server, a test clip as encoder, three targets; nothing is kept",
  "       fanfare reset-password      end all sessions of the dashboard and print a new link that sets its password",
  "       fanfare init-cluster FOLDER   make the secrets that all servers on one PostgreSQL database share",
  "Commands take --data-dir and --encryption-key-file.",
  "",
  "       fanfare testkit --help      targets, encoders and networks that fail, to try things out with",
];

/** The text of `fanfare --help`. */
export function helpText(): string {
  const lines = [
    "Usage: fanfare [flags]             run the server",
    ...COMMAND_LINES,
    "",
    "Every flag has an environment variable; the flag wins. A variable that ends in _FILE names a file with the value.",
    "",
  ];
  for (const [name, { env, help, fallback }] of Object.entries(SETTINGS)) {
    const shown = fallback === undefined || fallback === "" ? "" : ` [${fallback}]`;
    const variables = FROM_FILES.includes(name) ? `${env} or ${fileVariable(env)}` : env;
    const flag = SECRETS.includes(name) ? "(no flag)" : `--${flagOf(name)} VALUE`;
    lines.push(`  ${flag}`, `      ${variables}: ${help}${shown}`);
  }
  return `${lines.join("\n")}\n`;
}
