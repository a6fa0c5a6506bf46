/** The signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** A request to end the process, noticed from its first moments on, whatever it is doing. */
export class StopRequest {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #hear = () => {
    if (this.#first.signal.aborted) this.#second.abort();
    else this.#first.abort(new StopRequestedError());
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
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
  }
}

/** The reason why a start was cancelled. */
export class StopRequestedError extends Error {
  override readonly name = "StopRequestedError";
  constructor() {
    super("asked to stop");
  }
}
