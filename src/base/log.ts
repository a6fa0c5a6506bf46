/** Values a log line may carry. Plain and flat: a line is for reading and for searching. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Where a room writes its log lines: one line per event of a life, never per packet. Nothing secret is ever passed
 * in: no stream key, no password, no URL that may contain one.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
