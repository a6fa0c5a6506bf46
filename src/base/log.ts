import type { Clock } from "./clock.ts";

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

/** How long a failure that goes on is not logged again, in milliseconds. */
const LOGGED_AGAIN_MS = 60_000;

export type FailureLogOptions = {
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "info" | "warn">;
  /** The lines' events. */
  readonly failed: string;
  readonly worksAgain: string;
};

/** Logs something that is tried again and again: its first failure, one a minute while it goes on, and that it works again. */
export class FailureLog {
  readonly #options: FailureLogOptions;
  #loggedMs: number | undefined;

  constructor(options: FailureLogOptions) {
    this.#options = options;
  }

  failed(error: unknown): void {
    const { clock, log, failed } = this.#options;
    const nowMs = clock.now();
    if (this.#loggedMs !== undefined && nowMs - this.#loggedMs < LOGGED_AGAIN_MS) return;
    this.#loggedMs = nowMs;
    log.warn(failed, { detail: error instanceof Error ? error.message : String(error) });
  }

  worked(): void {
    if (this.#loggedMs === undefined) return;
    this.#loggedMs = undefined;
    this.#options.log.info(this.#options.worksAgain);
  }
}
