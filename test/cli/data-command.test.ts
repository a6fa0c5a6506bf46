import { expect, test } from "vitest";
import { ConfigError } from "../../src/app/config/config-error.ts";
import { dataCommand } from "../../src/cli/commands/data-command.ts";

/** A command that prints its options and arguments. */
const command = dataCommand(
  { words: "copy FOLDER", about: "Copies.", switches: { fast: "Without care." } },
  async ({ config, positionals, switches }) =>
    [config.dataDir, config.encryptionKeyFile ?? "-", ...positionals, ...switches].join(" "),
);

test("settings come from flags, then variables, then defaults, and the rest is the command's own", async () => {
  expect(await command(["there"], {})).toBe("./data - there");
  const env = { FANFARE_DATA_DIR: "/env", FANFARE_ENCRYPTION_KEY_FILE: "/key" };
  expect(await command(["there"], env)).toBe("/env /key there");
  expect(await command(["--fast", "there", "--data-dir", "/flag"], env)).toBe("/flag /key there fast");
});

test("an unknown argument is refused with the command's usage", async () => {
  const usage = "usage: fanfare copy FOLDER [--fast] [--data-dir FOLDER] [--encryption-key-file FILE]";
  for (const args of [[], ["a", "b"]]) await expect(command(args, {})).rejects.toThrow(new ConfigError(usage));
  await expect(command(["there", "--http-port", "1"], {})).rejects.toThrow(usage);
  await expect(command(["there", "--data-dir", ""], {})).rejects.toThrow('--data-dir: "" is not allowed');
});

test("--help prints the usage, what the command does, and every option", async () => {
  const text = await command(["--help"], {});
  expect(text).toContain("Usage: fanfare copy FOLDER");
  for (const part of [
    "Copies.",
    "--data-dir",
    "FANFARE_DATA_DIR",
    "--encryption-key-file",
    "--fast",
    "Without care.",
  ]) {
    expect(text).toContain(part);
  }
});

test("a command for the data folder is refused where the database is PostgreSQL, and says what to do instead", async () => {
  const env = { FANFARE_DATABASE_URL: "postgres://db/fanfare" };
  const about = { words: "copy FOLDER", about: "Copies.", switches: {} };
  const refused = dataCommand({ ...about, onPostgres: "use pg_dump" }, async () => "copied");
  await expect(refused(["there"], env)).rejects.toThrow(
    new ConfigError("fanfare copy is for the database in a data folder, and FANFARE_DATABASE_URL is set: use pg_dump."),
  );
  expect(await refused(["there"], {})).toBe("copied");
  expect(await dataCommand(about, async () => "copied")(["there"], env)).toBe("copied");
});
