import type { Clock } from "../../base/clock.ts";
import { NewWallSteps } from "../../base/wall-steps.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { SourceStatus } from "../channels/source.ts";
import { movedStatus } from "../facts/present-times.ts";

/** The last status of each channel's source since the start. Times follow the present wall clock. */
export class SourceStatuses {
  readonly #statuses = new Map<ChannelId, SourceStatus>();
  readonly #clockSteps: NewWallSteps;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clockSteps = new NewWallSteps(clock);
  }

  get(channelId: ChannelId): SourceStatus | undefined {
    this.#followClock();
    return this.#statuses.get(channelId);
  }

  set(channelId: ChannelId, status: SourceStatus): void {
    this.#followClock();
    this.#statuses.set(channelId, status);
  }

  /** Returns false where there was none. */
  delete(channelId: ChannelId): boolean {
    return this.#statuses.delete(channelId);
  }

  keys(): Iterable<ChannelId> {
    return this.#statuses.keys();
  }

  #followClock(): void {
    const stepMs = this.#clockSteps.take();
    if (stepMs === 0) return;
    for (const [channelId, status] of this.#statuses) this.#statuses.set(channelId, movedSource(status, stepMs));
  }
}

function movedSource(status: SourceStatus, stepMs: number): SourceStatus {
  const sinceTime = status.sinceTime + stepMs;
  if (status.state === "stopped" || status.link === undefined) return { ...status, sinceTime };
  return { ...status, sinceTime, link: movedStatus(status.link, stepMs) };
}
