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
  "       fanfare import-sqlite       copy the database of a single server into PostgreSQL; that server must not run",
  "       fanfare upgrade             replace the running server by this version; its broadcasts go on",
  "These commands take --data-dir and --encryption-key-file.",
  "",
  "       fanfare login URL           keep the address and the access key of a server for the commands below",
  "       fanfare status              the verdict on each channel, and the state of its platforms; --watch",
  "       fanfare channels            list, show, create, delete, switch and end channels",
  "       fanfare platforms           list, add, switch, retry, test and remove the platforms of a channel",
  "       fanfare nodes               the servers that share a database; move broadcasts between them",
  "       fanfare drain               empty a server before it is stopped; --wait",
  "       fanfare events              what happened, and what happens now",
  "       fanfare audit               who changed what",
  "       fanfare keys                list, create and delete access keys",
  "       fanfare export              all channels as YAML",
  "       fanfare import -f FILE      create the channels of a file that the server does not have",
  "       fanfare apply -f FILE       make the server's channels what a file says; --dry-run, --on-air",
  "       fanfare completion SHELL    what bash, zsh or fish loads to complete commands",
  "These commands call a server, also another one; --help behind a command says more.",
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
