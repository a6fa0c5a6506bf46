import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { FailedKeys } from "./failed-keys.ts";
import type { Refusals } from "./refusals.ts";

export type RefusalReason = Extract<Fact, { readonly kind: "ingest-refused" }>["reason"];

export type RefusalDeps = {
  readonly clock: Pick<Clock, "now" | "wallNow" | "startTimer">;
  readonly refusals: Pick<Refusals, "add">;
  readonly failedKeys: Pick<FailedKeys, "add">;
};

/** Reports one connection's refusal: once, at the verdict, whether or not the peer waits for its reply. */
export class ConnectionRefusal {
  readonly #deps: RefusalDeps;
  readonly #remoteAddress: string;
  #isReported = false;

  constructor(deps: RefusalDeps, remoteAddress: string) {
    this.#deps = deps;
    this.#remoteAddress = remoteAddress;
  }

  /** Another part has already reported this connection: a failed login. */
  markReported(): void {
    this.#isReported = true;
  }

  /** Only the first call for a connection counts. `channelId`: the channel of the encoder, where known. */
  report(reason: RefusalReason, { channelId, detail }: { channelId?: ChannelId; detail?: string } = {}): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#deps.refusals.add({
      time: this.#deps.clock.wallNow(),
      remoteAddress: this.#remoteAddress,
      reason,
      ...(channelId === undefined ? {} : { channelId }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** Counts a wrong key of this address. Resolves when the peer may hear so: later with each further one. */
  async holdBack(): Promise<void> {
    const { clock, failedKeys } = this.#deps;
    const delayMs = failedKeys.add(this.#remoteAddress, clock.now());
    if (delayMs > 0) await new Promise<void>((resolve) => clock.startTimer(delayMs, resolve));
  }
}
