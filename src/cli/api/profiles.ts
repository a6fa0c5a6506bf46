import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../../app/config/config-error.ts";
import { isHeaderText } from "../../client/client.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a server is, and with which key it is asked. */
const profile = z.object({ server: z.string(), accessKey: z.string().optional(), secretKey: z.string() });
export type Profile = z.infer<typeof profile>;

const file = z.object({ current: z.string().optional(), profiles: z.record(z.string(), profile) });
export type ProfileFile = z.infer<typeof file>;

/** `$XDG_CONFIG_HOME/fanfare/profiles.json`, by default below `~/.config`. */
export function profilesPath(env: Environment): string {
  const base = env["XDG_CONFIG_HOME"] || join(env["HOME"] ?? homedir(), ".config");
  return join(base, "fanfare", "profiles.json");
}

/** Returns no profiles where there is no file. Throws ConfigError for one that cannot be read. */
export function readProfiles(path: string): ProfileFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { profiles: {} };
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    return file.parse(JSON.parse(text));
  } catch {
    throw new ConfigError(`${path} is not a file of profiles: remove it and run fanfare login again.`);
  }
}

/** Writes the file whole or not at all. Only its owner can read it: it holds secret keys. */
export function writeProfiles(path: string, profiles: ProfileFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(profiles, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

/** A server's address without a slash at its end. Throws ConfigError where it is none. */
export function serverOf(word: string): string {
  const url = URL.parse(word);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new ConfigError(`${JSON.stringify(word)} is not an address such as https://fanfare.example.com`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ConfigError("the address must have no user, query or fragment.");
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * A server with its keys; without an access key's id the secret is sent. Throws ConfigError for an address that is none,
 * and for a key that cannot be sent, without repeating it.
 */
export function profileOf(server: string, secretKey: string, accessKey: string): Profile {
  const [name, sent] = accessKey === "" ? ["secret key", secretKey] : ["access key", accessKey];
  if (!isHeaderText(sent))
    throw new ConfigError(`the ${name} has blanks, line breaks or other characters that no key has: copy it again.`);
  return { server: serverOf(server), secretKey, ...(accessKey === "" ? {} : { accessKey }) };
}

/** What a command without a profile of its own uses: FANFARE_URL with its keys, else the current profile. */
export function chosenProfile(env: Environment, name: string | undefined): Profile {
  const { FANFARE_URL: server, FANFARE_ACCESS_KEY: accessKey, FANFARE_SECRET_KEY: secretKey } = env;
  if (name === undefined && server !== undefined && server !== "") {
    if (secretKey === undefined || secretKey === "") throw new ConfigError("FANFARE_URL needs FANFARE_SECRET_KEY.");
    return profileOf(server, secretKey, accessKey ?? "");
  }
  const { current, profiles } = readProfiles(profilesPath(env));
  const wanted = name ?? current;
  if (wanted === undefined) throw new ConfigError("no server is known: run fanfare login URL, or set FANFARE_URL.");
  const found = Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(profiles).join(", ");
  throw new ConfigError(`there is no profile ${JSON.stringify(wanted)}; known are: ${known === "" ? "none" : known}.`);
}
