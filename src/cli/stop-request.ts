/** The signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Somebody wants the process to end: heard from its first moments on, whatever it is doing. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #hear = () => this.#controller.abort(new StopRequestedError());

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From here on the signals do what they do by themselves. */
  leave(): void {
    for (const signal of SIGNALS) process.off(signal, this.#hear);
  }
}

/** Why something was given up. */
export class StopRequestedError extends Error {
  override readonly name = "StopRequestedError";
  constructor() {
    super("asked to stop");
  }
}
