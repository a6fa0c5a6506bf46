import type { Clock } from "../base/clock.ts";
import { Standstill } from "../base/wall-steps.ts";
import type { Dialer, LinkEvents } from "./subscriber/rtmp-push/link.ts";

/** A thread that ran nothing for longer stood still: another node may own its channels by now. In milliseconds. */
const FREEZE_MS = 2_000;

export type SendGateDeps = {
  readonly clock: Clock;
  /** The gate has closed. It opens again with `set(true)`. */
  readonly onWoke: () => void;
  /** Something that had to wait threw. */
  readonly onFault: (error: unknown) => void;
};

/**
 * Keeps a thread that stood still from sending anything before it knows which channels it still owns. Everything that could
 * make a target's link write waits until the gate opens: timers, the news of links, the ends of encoders, and commands. A
 * channel that is left meanwhile has cancelled its timers and closed its links, so what waits for it does nothing.
 */
export class SendGate {
  readonly #deps: SendGateDeps;
  readonly #waiting: (() => void)[] = [];
  #isOpen = true;
  readonly #standstill: Standstill;

  constructor(deps: SendGateDeps) {
    this.#deps = deps;
    this.#standstill = new Standstill(deps.clock, FREEZE_MS);
  }

  /** Whether anything may be sent. Call before each send, and at least once a second: this notices that the thread stood still. */
  look(): boolean {
    if (this.#standstill.look()) {
      this.#isOpen = false;
      this.#deps.onWoke();
    }
    return this.#isOpen;
  }

  /** Runs this now, or when the gate opens, behind what waits already. */
  pass(run: () => void): void {
    if (this.look()) run();
    else this.#waiting.push(run);
  }

  /** Opens the gate, and runs what waits; or closes it. */
  set(isOpen: boolean): void {
    this.#isOpen = isOpen;
    while (this.#isOpen) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      try {
        run();
      } catch (error) {
        this.#deps.onFault(error);
      }
    }
  }

  /** The same clock with timers that wait at the gate. */
  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      awakeNow: () => clock.awakeNow(),
      wallNow: () => clock.wallNow(),
      startTimer: (delayMs, run) => {
        let isCancelled = false;
        const timer = clock.startTimer(delayMs, () =>
          this.pass(() => {
            if (!isCancelled) run();
          }),
        );
        return {
          cancel: () => {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }

  /** The same dialer with links whose news waits at the gate. */
  dialer(dialer: Dialer): Dialer {
    return {
      dial: (target, events, channelId) => {
        const gated: LinkEvents = {
          onPublishing: (...accepted) => this.pass(() => events.onPublishing(...accepted)),
          onReconnectWanted: (url) => this.pass(() => events.onReconnectWanted?.(url)),
          onDrained: () => this.pass(() => events.onDrained()),
          onClosed: (error) => this.pass(() => events.onClosed(error)),
        };
        return dialer.dial(target, gated, channelId);
      },
    };
  }
}
