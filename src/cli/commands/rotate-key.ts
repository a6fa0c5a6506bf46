import { dropOldKeys, rotateKey } from "../../app/commands/rotate-key.ts";
import { dataCommand } from "./data-command.ts";

export const rotateKeyCommand = dataCommand(
  {
    words: "rotate-key",
    about: "Seals every secret with a new key. The server may run.",
    switches: { "drop-old": "Only removes keys from the key file that are no longer in use." },
  },
  async ({ config, switches }) => {
    if (switches.has("drop-old")) {
      const dropped = await dropOldKeys(config);
      if (dropped.length === 0) return "The key file holds no key that is not in use.\n";
      return `Removed from the key file: ${dropped.join(", ")}. Older copies of the database need the key file of their time.\n`;
    }
    const keyId = await rotateKey(config);
    if (config.databaseUrl !== undefined)
      return `The new key ${keyId} is in the key file. Copy the file to every server now: they use the key when all of them have it.\n`;
    return `Every secret is sealed with the new key ${keyId}. Keep a new copy of the key file.\n`;
  },
);
