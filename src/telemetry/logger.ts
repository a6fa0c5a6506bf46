import { type DestinationStream, pino } from "pino";
import type { Log, LogFields } from "../base/log.ts";

/** The levels, least to most talkative. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

export type LoggerOptions = {
  readonly level: LogLevel;
  /** Standard output where absent. */
  readonly destination?: DestinationStream;
};

/** The longest value of one field, in characters; a stack trace fits. Twice as much is searched for secrets. */
const VALUE_CHARACTERS_MAX = 4_000;

const MASK = "***";

/** Fields that hold a secret by their name. An access key's id is not one. */
const SECRET_FIELD = /^(.*(secret|password|token|authorization|signature).*|(stream|secret|target|ingest)?key)$/i;

/**
 * The last line of defence: callers pass no secrets, but an error's text may quote an address. Masks the path of an
 * RTMP address (it may hold the key, and for some platforms the application is secret), user and password of any
 * address, the value of anything that looks like a query parameter, and what follows `Bearer`.
 */
export function maskSecrets(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@?#]{1,512}@/gi, `$1${MASK}@`)
    .replace(/\b(rtmp[a-z]{0,3}:\/\/[^\s/?#"'<>]{0,512})[/?#][^\s"'<>]*/gi, `$1/${MASK}`)
    .replace(/([?&][^\s=&?#"'<>]{1,128}=)[^\s&#"'<>]+/g, `$1${MASK}`)
    .replace(/\b(Bearer\s+)[^\s"']+/gi, `$1${MASK}`);
}

function maskedFields(fields: LogFields): LogFields {
  const masked: Record<string, string | number | boolean | undefined> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (SECRET_FIELD.test(name) && value !== undefined) masked[name] = MASK;
    else
      masked[name] =
        typeof value === "string"
          ? maskSecrets(value.slice(0, 2 * VALUE_CHARACTERS_MAX)).slice(0, VALUE_CHARACTERS_MAX)
          : value;
  }
  return masked;
}

/** JSON lines with `time`, `level` and `event`, then the fields. */
export function createLogger(options: LoggerOptions): Log {
  const settings = {
    level: options.level,
    base: null,
    messageKey: "event",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = options.destination === undefined ? pino(settings) : pino(settings, options.destination);
  const writer =
    (level: "debug" | "info" | "warn" | "error") =>
    (event: string, fields: LogFields = {}) => {
      if (logger.isLevelEnabled(level)) logger[level](maskedFields(fields), maskSecrets(event));
    };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}
