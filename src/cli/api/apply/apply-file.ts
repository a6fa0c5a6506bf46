import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { createChannelRequest } from "../../../api-contract/schemas/schemas.ts";
import { pullUrl } from "../../../api-contract/schemas/source-schemas.ts";
import { ConfigError } from "../../../app/config/config-error.ts";
import { type WantedContact, wantedContact } from "./apply-contacts.ts";
import { wantedSchedule } from "./apply-schedules.ts";

/** A longer file is not one of channels, in characters. */
const CHARACTERS_MAX = 10_000_000;
/** YAML's references: a file that repeats itself more often is an attack. */
const ALIASES_MAX = 100;

/** Fields that may come from the environment, so that a file without secrets can be kept with other sources. */
const SECRETS = ["streamKey", "password", "streamPassword", "url", "webhookUrl", "botToken"] as const;

const records = z.array(z.record(z.string(), z.unknown()));
const wholeFile = z.object({ channels: records, contacts: records.nullish() });

const SCHEDULES_RULE = "a list of schedules";
const wantedChannel = createChannelRequest.extend({
  pull: z.object({ url: pullUrl, enabled: z.boolean({ error: "true or false" }).nullish() }).nullish(),
  schedules: z.array(wantedSchedule, { error: SCHEDULES_RULE }).nullish(),
});

/**
 * A channel as the file wants it: the body of the call that creates one, the stream that it pulls, and its schedules.
 * Absent fields are left as they are.
 */
export type WantedChannel = z.output<typeof wantedChannel>;
export type WantedPlatform = WantedChannel["restream"][number];

/** `contacts`: absent where the file says nothing about them. */
export type WantedFile = {
  readonly channels: readonly WantedChannel[];
  readonly contacts?: readonly WantedContact[];
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a file of channels and contacts, YAML or JSON; `-` is standard input. A platform's `streamKeyFrom: NAME` takes
 * the key from the environment. Throws ConfigError with the place of what is wrong.
 */
export function readApplyFile(path: string, env: Environment): WantedFile {
  let text: string;
  try {
    text = readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return wantedIn(text, path, env);
}

function wantedIn(text: string, path: string, env: Environment): WantedFile {
  if (text.length > CHARACTERS_MAX) throw new ConfigError(`${path} is too long to be a file of channels.`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new ConfigError(`${path} is neither YAML nor JSON: ${(error as Error).message}`);
  }
  const file = wholeFile.safeParse(value);
  if (!file.success) throw new ConfigError(`${path} must be an object with a list "channels".`);
  const channels = file.data.channels.map((channel, index) =>
    checked(wantedChannel, { planType: "STANDARD", ...withSecrets(channel, env) }, path, ["channels", index]),
  );
  const contacts = file.data.contacts?.map((contact, index) =>
    checked(wantedContact, withSecretsOf(contact, env), path, ["contacts", index]),
  );
  const names = channels.map(({ channelName }) => channelName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return { channels, ...(contacts === undefined ? {} : { contacts }) };
  throw new ConfigError(`${path}: two channels are named ${JSON.stringify(twice)}; a file knows them by their names.`);
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
  place: readonly (string | number)[],
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = [...place, ...(issue?.path ?? [])].join(".");
  throw new ConfigError(`${path}: ${where} must be ${issue?.message ?? "another value"}.`);
}

function withSecrets(channel: Readonly<Record<string, unknown>>, env: Environment): Readonly<Record<string, unknown>> {
  const { restream, pull } = channel;
  return {
    ...channel,
    ...(pull === undefined ? {} : { pull: withSecretsOf(pull, env) }),
    ...(Array.isArray(restream) ? { restream: restream.map((platform: unknown) => withSecretsOf(platform, env)) } : {}),
  };
}

function withSecretsOf(platform: unknown, env: Environment): unknown {
  if (typeof platform !== "object" || platform === null) return platform;
  const fields: Record<string, unknown> = { ...platform };
  for (const name of SECRETS) {
    const variable = fields[`${name}From`];
    if (variable === undefined) continue;
    const value = typeof variable === "string" ? env[variable] : undefined;
    if (value === undefined || value === "") {
      throw new ConfigError(`${name}From: the environment variable ${JSON.stringify(variable)} is not set.`);
    }
    fields[name] = value;
  }
  return fields;
}
