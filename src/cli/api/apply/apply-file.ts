import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { tidyPlatforms } from "../../../api-contract/input/tidy-platform.ts";
import {
  addPlatformRequest,
  createChannelByPerson,
  editPlatformRequest,
  PLATFORMS_MAX,
  updateChannelByPerson,
} from "../../../api-contract/schemas/schemas.ts";
import { pullUrl } from "../../../api-contract/schemas/source-schemas.ts";
import { ConfigError } from "../../../app/config/config-error.ts";
import { type WantedContact, wantedContact } from "./apply-contacts.ts";
import { isMaskedPull } from "./apply-pull.ts";
import { wantedSchedule } from "./apply-schedules.ts";
import { unknownField } from "./unknown-field.ts";

/** A longer file is not one of channels, in characters. */
const CHARACTERS_MAX = 10_000_000;
/** YAML's references: a file that repeats itself more often is an attack. */
const ALIASES_MAX = 100;

/** Fields that may come from the environment, so that a file without secrets can be kept with other sources. */
const SECRETS = ["streamKey", "password", "streamPassword", "srtPassphrase", "url", "webhookUrl", "botToken"] as const;

const records = z.array(z.record(z.string(), z.unknown()));
const wholeFile = z.object({ channels: records, contacts: records.nullish() });

/** It may be as the server shows it: then it stays what it is. */
const shownOrWholeUrl = z.unknown().transform((given, context) => {
  if (typeof given === "string" && isMaskedPull(given)) return given;
  const result = pullUrl.safeParse(given);
  if (result.success) return result.data;
  for (const { message } of result.error.issues) context.issues.push({ code: "custom", message, input: given });
  return z.NEVER;
});

/** Passwords may be as the server shows them too: `apply-compare` refuses those that would be stored. */
const { password, streamPassword } = editPlatformRequest.shape;
const wantedPlatform = addPlatformRequest.extend({ password, streamPassword });

const SCHEDULES_RULE = "a list of schedules";
/**
 * A name is any text: the dashboard accepts it. A channel that is there keeps the plan that the file leaves out, and may
 * have lost all its platforms.
 */
const wantedChannel = createChannelByPerson.extend({
  planType: createChannelByPerson.shape.planType.nullish(),
  ingestAuth: updateChannelByPerson.shape.ingestAuth,
  restream: z.array(wantedPlatform, { error: "a list of platforms" }).max(PLATFORMS_MAX),
  pull: z.object({ url: shownOrWholeUrl, enabled: z.boolean({ error: "true or false" }).nullish() }).nullish(),
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
  refuseUnknown(withoutExtensions(value), file.data, path, []);
  const channels = file.data.channels.map((channel, index) =>
    checked(wantedChannel, tidyPlatforms(withSecrets(channel, env)).body, path, ["channels", index]),
  );
  const contacts = file.data.contacts?.map((contact, index) =>
    checked(wantedContact, withSecretsOf(contact, env), path, ["contacts", index], ({ shown, ...read }) => {
      return { ...read, ...shown };
    }),
  );
  const twice = firstTwice(channels.map(({ channelName }) => channelName));
  if (twice === undefined) return { channels, ...(contacts === undefined ? {} : { contacts }) };
  throw new ConfigError(`${path}: two channels are named ${JSON.stringify(twice)}; a file knows them by their names.`);
}

/** The first text that is there before; undefined where each is there once. */
export function firstTwice(texts: readonly string[]): string | undefined {
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

/** `fieldsOf`: the fields of what was read, where it has another form than what was given. */
function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
  place: readonly (string | number)[],
  fieldsOf: (read: z.output<Schema>) => unknown = (read) => read,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) {
    refuseUnknown(value, fieldsOf(result.data), path, place);
    return result.data;
  }
  const [issue] = result.error.issues;
  const where = [...place, ...(issue?.path ?? [])].join(".");
  throw new ConfigError(`${path}: ${where} must be ${issue?.message ?? "another value"}.`);
}

/** A field with a typing error would look as if it were applied. Throws ConfigError. */
function refuseUnknown(given: unknown, read: unknown, path: string, place: readonly (string | number)[]): void {
  const unknown = unknownField(given, read);
  if (unknown !== undefined) throw new ConfigError(`${path}: there is no field ${[...place, ...unknown].join(".")}.`);
}

/** Without the fields that are a place for YAML's anchors: their names begin with `x-`. */
function withoutExtensions(value: unknown): unknown {
  return Object.fromEntries(Object.entries(Object(value)).filter(([name]) => !name.startsWith("x-")));
}

function withSecrets(given: Readonly<Record<string, unknown>>, env: Environment): Readonly<Record<string, unknown>> {
  const channel = withSecretsOf(given, env);
  const { restream, pull, ingestAuth } = channel;
  return {
    ...channel,
    ...(pull === undefined ? {} : { pull: withSecretsOf(pull, env) }),
    ...(ingestAuth === undefined ? {} : { ingestAuth: withSecretsOf(ingestAuth, env) }),
    ...(Array.isArray(restream) ? { restream: restream.map((platform: unknown) => withSecretsOf(platform, env)) } : {}),
  };
}

function withSecretsOf<Given>(given: Given, env: Environment): Given {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  let fields: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(given));
  for (const name of SECRETS) {
    const { [`${name}From`]: variable, ...others } = fields;
    if (variable === undefined) continue;
    const value = typeof variable === "string" ? env[variable] : undefined;
    if (value === undefined || value === "") {
      throw new ConfigError(`${name}From: the environment variable ${JSON.stringify(variable)} is not set.`);
    }
    fields = { ...others, [name]: value };
  }
  return fields as Given;
}
