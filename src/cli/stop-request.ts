/** The signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** A request to end the process, noticed from its first moments on, whatever it is doing. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #hear = () => this.#controller.abort(new StopRequestedError());

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
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
