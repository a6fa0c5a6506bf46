import { initCluster } from "../../app/commands/init-cluster.ts";
import type { Command } from "./command.ts";
import { completesOptions, readOptions, usageText } from "./options.ts";

const USAGE = {
  usage: "fanfare init-cluster FOLDER",
  about: "Makes the encryption key and the secret that all servers on one PostgreSQL database share.",
  options: {},
  switches: {},
  positionals: 1,
} as const;

/** Makes the two secrets of a cluster. */
export const initClusterCommand: Command = Object.assign(run, { completes: completesOptions(USAGE) });

async function run(args: readonly string[]): Promise<string> {
  const given = readOptions(args, USAGE);
  if (given === "help") return usageText(USAGE);
  const [folder = ""] = given.positionals;
  const { encryptionKeyFile, clusterSecretFile } = initCluster(folder);
  return [
    "Copy both files to every server, readable by the server's user only, and keep a copy apart from the database:",
    `  ${encryptionKeyFile}   (FANFARE_ENCRYPTION_KEY_FILE)`,
    `  ${clusterSecretFile}   (FANFARE_CLUSTER_SECRET_FILE)`,
    "",
  ].join("\n");
}
