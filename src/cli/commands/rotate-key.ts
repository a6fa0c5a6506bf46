import { dropOldKeys, rotateKey } from "../../app/commands/rotate-key.ts";
import { dataCommand } from "./data-command.ts";

export const rotateKeyCommand = dataCommand(
  {
    words: "rotate-key",
    about: "Seals every secret with a new key. The server may run.",
    switches: { "drop-old": "Only removes keys from the key file that are no longer in use." },
    onPostgres: "on PostgreSQL the key cannot be changed yet",
  },
  async ({ config, switches }) => {
    if (switches.has("drop-old")) {
      const dropped = await dropOldKeys(config);
      if (dropped.length === 0) return "The key file holds no key that is not in use.\n";
      return `Removed from the key file: ${dropped.join(", ")}. Older copies of the database need the key file of their time.\n`;
    }
    const keyId = await rotateKey(config);
    return `Every secret is sealed with the new key ${keyId}. Keep a new copy of the key file.\n`;
  },
);
