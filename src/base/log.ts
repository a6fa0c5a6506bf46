/** Values of a log line. Plain and flat: a line is for reading and searching. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The log of a room: one line for each event, never for each packet. Callers pass nothing secret: no stream key, no
 * password, no URL that may contain one.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
