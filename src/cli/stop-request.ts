import { isatty } from "node:tty";

/** The signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** The terminal is closed. Also what people send for a new log file, or to make a program read its settings again. */
const HANG_UP = "SIGHUP";
const STANDARD_STREAMS = [0, 1, 2] as const;

/** A request to end the process, noticed from its first moments on, whatever it is doing. */
export class StopRequest {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #hear = () => {
    if (this.#first.signal.aborted) this.#second.abort();
    else this.#first.abort(new StopRequestedError());
  };
  readonly #hangUp: () => void;

  /**
   * `hasTerminal`: whether the process is used from a terminal, whose end asks it to end. Without one a hang-up means nothing:
   * Node takes the protection of `nohup` away, so that it would end the process.
   */
  constructor(hasTerminal = STANDARD_STREAMS.some(isatty)) {
    this.#hangUp = hasTerminal ? this.#hear : () => undefined;
    for (const signal of SIGNALS) process.on(signal, this.#hear);
    process.on(HANG_UP, this.#hangUp);
  }

  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** A further request: what the first one waits for takes too long. */
  get hurry(): AbortSignal {
    return this.#second.signal;
  }

  /** The signals have their default effect from now on. */
  leave(): void {
    for (const signal of SIGNALS) process.off(signal, this.#hear);
    process.off(HANG_UP, this.#hangUp);
  }
}

/** The reason why a start was cancelled. */
export class StopRequestedError extends Error {
  override readonly name = "StopRequestedError";
  constructor() {
    super("asked to stop");
  }
}
