import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { z } from "zod";
import { parsePublishStatusName } from "../../api-contract/channel-status.ts";
import { parsePlanLimits } from "../../control/channels/plan.ts";
import { REQUESTS_PER_SECOND_DEFAULT } from "../../http/auth/limits.ts";
import { READERS_MAX } from "../../http/live/live-stream.ts";
import { EVENT_STREAMS_PER_KEY_DEFAULT } from "../../http/routes/live.ts";
import { parseBasePath } from "../../http/server/base-path.ts";
import { parseOrigins } from "../../http/server/cross-origin.ts";
import { parseHostNames } from "../../http/server/host-names.ts";
import { fileVariable, refuseFlag, valueIn, valueOrFileIn } from "./setting-files.ts";
import {
  cidrs,
  countUpTo,
  hostName,
  oneOf,
  PORT_ALLOWED,
  parsed,
  parseListenAddress,
  port,
  publishUrl,
  securePublishUrl,
  text,
} from "./setting-values.ts";

/** The process cannot start like this: the text says which setting, what was given, and what is allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const RETRIES_PER_SECOND_MAX = 1_000;

/** More than that of one machine's cores do nothing but relay nowhere. */
const MEDIA_THREADS_MAX = 64;

/** One core is left for the control thread; where the system cannot share a port among threads there is one. */
const MEDIA_THREADS_DEFAULT = process.platform === "linux" ? Math.max(1, availableParallelism() - 1) : 1;

type Setting<Schema extends z.ZodType> = {
  readonly env: string;
  readonly schema: Schema;
  readonly fallback?: string;
  readonly help: string;
};

function setting<Schema extends z.ZodType>(
  env: string,
  schema: Schema,
  help: string,
  fallback?: string,
): Setting<Schema> {
  return fallback === undefined ? { env, schema, help } : { env, schema, help, fallback };
}

/** Every setting there is: its environment variable, its check, what it is for, and its default. */
const SETTINGS = {
  dataDir: setting("FANFARE_DATA_DIR", text("a folder", /^[^\0]+$/), "Where the database is kept.", "./data"),
  encryptionKeyFile: setting(
    "FANFARE_ENCRYPTION_KEY_FILE",
    text("a file", /^[^\0]+$/),
    "Keys that stream keys and passwords are sealed with in the database (default: encryption.key in the data folder).",
  ),
  newDatabase: setting(
    "FANFARE_NEW_DATABASE",
    oneOf(["no", "yes"]),
    "Whether a missing or empty database is made anew although its encryption key file is there (yes, for one start).",
    "no",
  ),
  httpHost: setting("FANFARE_HTTP_HOST", hostName, "Address the API listens on (default: all)."),
  httpPort: setting("FANFARE_HTTP_PORT", port(PORT_ALLOWED), "Port of the API.", "8080"),
  rtmpHost: setting("FANFARE_RTMP_HOST", hostName, "Address encoders are accepted on (default: all)."),
  rtmpPort: setting("FANFARE_RTMP_PORT", port(PORT_ALLOWED), "Port encoders are accepted on.", "1935"),
  rtmpsPort: setting(
    "FANFARE_RTMPS_PORT",
    port(PORT_ALLOWED),
    "Port encoders are accepted on over TLS, where FANFARE_TLS_CERT is given.",
    "1936",
  ),
  tlsCert: setting(
    "FANFARE_TLS_CERT",
    text("a file", /^[^\0]+$/),
    "Certificate and its chain in PEM form: opens the RTMPS port, and makes the API's port HTTPS. Read again when it changes.",
  ),
  tlsKey: setting("FANFARE_TLS_KEY", text("a file", /^[^\0]+$/), "Private key of that certificate, in PEM form."),
  tlsExtraCa: setting(
    "FANFARE_TLS_EXTRA_CA",
    text("a file", /^[^\0]+$/),
    "Authorities in PEM form that rtmps:// targets may be vouched for by beside the usual ones.",
  ),
  mediaThreads: setting(
    "FANFARE_MEDIA_THREADS",
    parsed(
      (text) => countUpTo(MEDIA_THREADS_MAX)(text),
      `a whole number from 1 to ${MEDIA_THREADS_MAX} (more than 1 on Linux only)`,
    ),
    "Threads that relay, on the same port (default: one core less than there are).",
    String(Math.min(MEDIA_THREADS_DEFAULT, MEDIA_THREADS_MAX)),
  ),
  connectionsMax: setting(
    "FANFARE_INGEST_CONNECTIONS",
    parsed(countUpTo(65_535), "a whole number from 1 to 65535"),
    "Connections of encoders at a time; those without a good key make room for others.",
    "4096",
  ),
  strangersPerAddressMax: setting(
    "FANFARE_INGEST_CONNECTIONS_PER_ADDRESS",
    parsed(countUpTo(65_535), "a whole number from 1 to 65535"),
    "Connections of one address that have not shown a good key yet.",
    "64",
  ),
  publicHost: setting(
    "FANFARE_PUBLIC_HOST",
    hostName,
    "Host that publishUrl shows (default: this machine's first outside address).",
  ),
  allowedHosts: setting(
    "FANFARE_ALLOWED_HOSTS",
    parsed(parseHostNames, "comma-separated host names such as fanfare.lan,*.example.com, or * for any"),
    "Names the API and the dashboard answer to beside FANFARE_PUBLIC_HOST, localhost and any IP address.",
    "",
  ),
  publishUrl: setting("FANFARE_PUBLISH_URL", publishUrl, "Whole publishUrl, where a mapped port makes it differ."),
  securePublishUrl: setting(
    "FANFARE_SECURE_PUBLISH_URL",
    securePublishUrl,
    "Whole securePublishUrl, where a mapped port or a proxy for TLS makes it differ.",
  ),
  accessKey: setting(
    "FANFARE_ACCESS_KEY",
    text("4 to 128 letters, digits, - or _", /^[A-Za-z0-9_-]{4,128}$/),
    "Id of a manager key given from outside, together with FANFARE_SECRET_KEY.",
  ),
  secretKey: setting(
    "FANFARE_SECRET_KEY",
    text("16 to 256 printable characters without blanks", /^[\x21-\x7e]{16,256}$/),
    "Secret of that key. Not a flag: everybody on this machine can read command lines.",
  ),
  targetAllow: setting(
    "FANFARE_TARGET_ALLOW",
    cidrs,
    "Networks that targets and webhooks may be in although they are loopback or private: comma-separated CIDRs.",
    "",
  ),
  replayProtection: setting(
    "FANFARE_REPLAY_PROTECTION",
    oneOf(["off", "writes"]),
    "Whether a signed request that changes something is taken once only (writes), or as often as it is sent (off).",
    "off",
  ),
  planLimits: setting(
    "FANFARE_PLAN_LIMITS",
    parsed(
      parsePlanLimits,
      "PLAN=NUMBER pairs such as STANDARD=3,PROFESSIONAL=5,UNLIMITED=0 (0: 100, the most of any plan)",
    ),
    "How many platforms a channel of each plan may have.",
    "STANDARD=3,PROFESSIONAL=5,UNLIMITED=0",
  ),
  rateLimit: setting(
    "FANFARE_RATE_LIMIT",
    parsed((text) => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined), "a whole number from 1 to 9999999"),
    "Requests that one access key may send within a second.",
    String(REQUESTS_PER_SECOND_DEFAULT),
  ),
  eventStreamsPerKey: setting(
    "FANFARE_EVENT_STREAMS_PER_KEY",
    parsed(
      (text) => (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= READERS_MAX ? Number(text) : undefined),
      `a whole number from 1 to ${READERS_MAX}`,
    ),
    "Event streams that one access key may have open.",
    String(EVENT_STREAMS_PER_KEY_DEFAULT),
  ),
  retriesPerSecond: setting(
    "FANFARE_RETRIES_PER_SECOND",
    parsed(
      (text) => (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= RETRIES_PER_SECOND_MAX ? Number(text) : undefined),
      `a whole number from 1 to ${RETRIES_PER_SECOND_MAX}`,
    ),
    "Platforms connected to again within a second, of all channels together.",
    "20",
  ),
  basePath: setting(
    "FANFARE_BASE_PATH",
    parsed(parseBasePath, "a path such as /fanfare"),
    "Path below which a reverse proxy has the API and the dashboard (default: the root).",
    "/",
  ),
  corsOrigins: setting(
    "FANFARE_CORS_ORIGINS",
    parsed(
      parseOrigins,
      "comma-separated origins such as https://panel.example.com,http://localhost:5173, or * for any",
    ),
    "Origins whose web pages may send the API's headers (default: none).",
    "",
  ),
  loadMaxPercent: setting(
    "FANFARE_LOAD_MAX",
    parsed(
      (text) => (/^([1-9]\d|100)$/.test(text) ? Number(text) : undefined),
      "a whole number from 10 to 100 (100: no limit)",
    ),
    "Per cent of its time that a media thread may be busy, over ten seconds; beyond it channels that are not on air are refused.",
    "95",
  ),
  trustedProxies: setting(
    "FANFARE_TRUSTED_PROXIES",
    cidrs,
    "Networks of the reverse proxies whose X-Forwarded-For tells a client's address: comma-separated CIDRs.",
    "",
  ),
  metricsListen: setting(
    "FANFARE_METRICS_LISTEN",
    parsed(parseListenAddress, "HOST:PORT such as 127.0.0.1:9464 or [::1]:9464, with a port from 1 to 65535"),
    "Where /metrics is served instead of on the API's port.",
  ),
  publishStatusName: setting(
    "FANFARE_PUBLISH_STATUS_NAME",
    parsed(parsePublishStatusName, "PUBLISHING or PUBLISH"),
    "What channelStatus calls a channel on air.",
    "PUBLISHING",
  ),
  shutdown: setting(
    "FANFARE_SHUTDOWN",
    oneOf(["cut", "end"]),
    "What platforms are told when the server stops: nothing (cut: their own grace counts), or that the broadcast is over (end).",
    "cut",
  ),
  directSockets: setting(
    "FANFARE_DIRECT_SOCKETS",
    oneOf(["on", "off"]),
    "Whether plain RTMP connections are read and written by direct system calls (on), or by Node's streams (off).",
    "on",
  ),
  logLevel: setting(
    "FANFARE_LOG_LEVEL",
    oneOf(["debug", "info", "warn", "error", "silent"]),
    "Least severe log line.",
    "info",
  ),
} as const;

type SettingName = keyof typeof SETTINGS;

/** What may be in a file that `…_FILE` names. */
const FROM_FILES: readonly string[] = ["accessKey", "secretKey"] satisfies readonly SettingName[];
/** No flags, since everybody on the machine can read a command line; never repeated. */
const SECRETS: readonly string[] = ["secretKey"] satisfies readonly SettingName[];
type ValueOf<Name extends SettingName> = z.output<(typeof SETTINGS)[Name]["schema"]>;

/** Settings that are simply absent when nobody gives them. */
type Optional =
  | "encryptionKeyFile"
  | "httpHost"
  | "rtmpHost"
  | "tlsCert"
  | "tlsKey"
  | "tlsExtraCa"
  | "publicHost"
  | "publishUrl"
  | "securePublishUrl"
  | "accessKey"
  | "secretKey"
  | "metricsListen";

export type Config = { readonly [Name in Exclude<SettingName, Optional>]: ValueOf<Name> } & {
  readonly [Name in Optional]?: ValueOf<Name>;
};

/** `httpPort` → `http-port`. */
function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export type CommandLine = { readonly config: Config } | { readonly show: "help" | "version" };

/**
 * Reads flags, then environment, then defaults, and checks every value once. An empty environment variable counts as not
 * set. Throws ConfigError for an unknown flag or a value that is not allowed.
 */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): CommandLine {
  const flags = readFlags(args);
  if (flags["help"] === true) return { show: "help" };
  if (flags["version"] === true) return { show: "version" };
  const values: Record<string, unknown> = {};
  for (const [name, { env: variable, schema, fallback }] of Object.entries(SETTINGS)) {
    const flag = flags[flagOf(name)];
    const fromEnv = FROM_FILES.includes(name) ? valueOrFileIn(env, variable, refuse) : valueIn(env, variable);
    const given = typeof flag === "string" ? flag : (fromEnv ?? fallback);
    if (given === undefined) continue;
    const result = schema.safeParse(given);
    if (!result.success) {
      const where = typeof flag === "string" ? `--${flagOf(name)} (${variable})` : variable;
      const shown = SECRETS.includes(name) ? "what was given" : JSON.stringify(given);
      throw new ConfigError(`${where}: ${shown} is not allowed; allowed is ${result.error.issues[0]?.message ?? ""}.`);
    }
    values[name] = result.data;
  }
  if ((values["accessKey"] === undefined) !== (values["secretKey"] === undefined)) {
    throw new ConfigError("FANFARE_ACCESS_KEY and FANFARE_SECRET_KEY go together: give both or none.");
  }
  if ((values["tlsCert"] === undefined) !== (values["tlsKey"] === undefined)) {
    throw new ConfigError("FANFARE_TLS_CERT and FANFARE_TLS_KEY go together: give both or none.");
  }
  return { config: Object.freeze(values) as Config };
}

function refuse(text: string): never {
  throw new ConfigError(text);
}

function readFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
    version: { type: "boolean" },
  };
  for (const [name, { env }] of Object.entries(SETTINGS)) {
    const flag = `--${flagOf(name)}`;
    if (!SECRETS.includes(name)) options[flagOf(name)] = { type: "string" };
    else refuseFlag(args, flag, env, refuse);
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Readonly<
      Record<string, string | boolean | undefined>
    >;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (--help lists all flags)`);
  }
}

const COMMAND_LINES = [
  "       fanfare backup FOLDER       write database and encryption keys into a new folder; the server may run",
  "       fanfare restore FOLDER      put a backup in place of the data; the server must not run",
  "       fanfare rotate-key          seal every secret with a new key; the server may run",
  "       fanfare rotate-key --drop-old   take keys out of the key file that are not needed any more",
  "       fanfare doctor              look through the whole database and say what is damaged; the server may run",
  "       fanfare demo                show everything: a server, a test clip as encoder, three targets; nothing is kept",
  "       fanfare reset-password      end all sessions of the dashboard and print a new link that sets its password",
  "Commands take --data-dir and --encryption-key-file.",
  "",
  "       fanfare testkit --help      targets, encoders and networks that fail, to try things out with",
];

/** What `--help` prints. */
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
