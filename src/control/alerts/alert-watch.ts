import { AlertTracker, type ToldTrouble } from "../../api-contract/alerts/alert-tracker.ts";
import { lostBy } from "../../api-contract/alerts/lost-broadcast.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import type { ChannelEvent } from "../events/events.ts";
import type { ServerFact } from "../facts/server-fact.ts";
import type { ChannelHealth } from "../health/channel-health.ts";
import type { ServerAlert, ServerVerdict } from "./alert-text.ts";

export type AlertWatchOptions = {
  readonly clock: Clock;
  /** The verdict on a channel, known without the database. */
  readonly healthOf: (channelId: ChannelId) => ChannelHealth;
  /** Whether any browser gets alerts: otherwise nothing is watched. */
  readonly hasReaders: () => boolean;
  readonly onAlert: (alert: ServerAlert) => void;
};

/** Follows facts and samples, and publishes an alert where a channel's verdict changes. */
export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #tracker = new AlertTracker<ServerVerdict>();
  #timer: Timer | undefined;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
  }

  /** Call it after the live state took the fact. */
  fact(fact: ServerFact): void {
    if (!("channelId" in fact) || fact.channelId === undefined || !this.#isWatching()) return;
    if (fact.kind === "channel-changed" && fact.change === "deleted") this.#tracker.forget(fact.channelId);
    else this.#look(fact.channelId);
  }

  /** Call it once a second, after the live state and the ingest check took the samples. */
  samples(samples: readonly ChannelSample[]): void {
    if (!this.#isWatching()) return;
    for (const { channelId } of samples) this.#look(channelId);
  }

  /** Takes an event: the end of a broadcast says whether a person ended it. A server that stops is not a loss. */
  event({ code, level, reason, channelId }: ChannelEvent): void {
    if (code !== "PUBLISH_END" || level === "INFO" || reason === "shutdown" || !this.#isWatching()) return;
    const verdict = this.#verdictOf(channelId);
    const lost: ServerVerdict = { ...verdict, state: "broken", lostBy: lostBy(reason, verdict) };
    this.#publish(this.#tracker.lost(channelId, lost, this.#options.clock.now()));
  }

  /** What people were told of a channel, for a process that goes on with its broadcast; undefined where that does not matter. */
  told(channelId: ChannelId): ToldTrouble | undefined {
    return this.#tracker.told(channelId, this.#options.clock.now());
  }

  /** Goes on with what another process told of a channel. Call it once the live state has its broadcast. */
  resume(channelId: ChannelId, told: ToldTrouble): void {
    this.#tracker.resume(channelId, told, this.#options.clock.now());
  }

  /** Another process tells of this channel from now on. */
  leave(channelId: ChannelId): void {
    this.#tracker.forget(channelId);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** With the first reader each channel starts from its present verdict. */
  #isWatching(): boolean {
    if (this.#options.hasReaders()) return true;
    this.#tracker.clear();
    this.close();
    return false;
  }

  #look(channelId: ChannelId): void {
    this.#publish(this.#tracker.take(channelId, this.#verdictOf(channelId), this.#options.clock.now()));
    this.#wait();
  }

  #verdictOf(channelId: ChannelId): ServerVerdict {
    const health = this.#options.healthOf(channelId);
    const { state, reason } = health;
    return { state, health, ...(reason === undefined ? {} : { reason: reasonOf(reason) }) };
  }

  /** Changes within a channel's quiet minute make an alert at its end. */
  #wait(): void {
    const { clock } = this.#options;
    const dueMs = this.#tracker.nextDueMs;
    if (this.#timer !== undefined || dueMs === undefined) return;
    this.#timer = clock.startTimer(Math.max(0, dueMs - clock.now()), () => {
      this.#timer = undefined;
      for (const alert of this.#tracker.due(clock.now())) this.#publish(alert);
      this.#wait();
    });
  }

  #publish(alert: ServerAlert | undefined): void {
    if (alert !== undefined) this.#options.onAlert(alert);
  }
}

function reasonOf({ code, targetId }: NonNullable<ChannelHealth["reason"]>): ServerVerdict["reason"] {
  return targetId === undefined ? { code } : { code, platId: targetId };
}
