import { z } from "zod";
import type { Log } from "../base/log.ts";
import type { ChannelEvent } from "../control/events/events.ts";
import { REFUSAL_REASONS, type RefusedEncoder } from "../control/facts/refusal-list.ts";
import type { ChannelChanged } from "../control/facts/server-fact.ts";
import type { Bus, BusMessage } from "../control/ports/bus.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { ChannelId, TargetId } from "../thread-protocol/channel-spec.ts";
import { subjectsOf } from "./node-report.ts";

/** The subject of changed channels. */
export const CHANNEL_HINT = "hint.channel";
const KEYS = "hint.keys";
const DELIVERIES = "hint.deliveries";
const REFUSALS = "hint.refusals";

const channelHint = z.object({
  channelId: z.string().min(1).max(64),
  isDeleted: z.boolean().optional(),
  removedTargetId: z.int().min(0).optional(),
  isSource: z.boolean().optional(),
});
/** Changes of what plays in place of an encoder. */
const OF_SOURCES: readonly ChannelChanged["change"][] = [
  ...(["source-changed", "source-started", "source-stopped", "slate-changed"] as const),
];
/** What the owner alone did, and tells by itself: nothing of it is stored that another node would read. */
const OF_NO_SETTINGS: readonly ChannelChanged["change"][] = [
  ...(["end-requested", "hold-extended", "target-tested", "test-pattern-started", "test-pattern-stopped"] as const),
];

/** As many as a node remembers. */
const REFUSALS_MAX = 100;
const refusal = z.object({
  remoteAddress: z.string().max(64),
  reason: z.enum(REFUSAL_REASONS),
  channelId: z.string().min(1).max(64).exactOptional(),
  firstTime: z.number(),
  lastTime: z.number(),
  count: z.int().min(1),
});
const text = z.string().max(4_096);
const event = z.looseObject({
  eventId: z.int().min(0),
  channelId: z.string().min(1).max(64),
  code: text,
  level: text,
  time: z.number(),
  description: text,
});

/** A channel was changed at another node; its settings are in the database. */
export type ChannelHint = {
  readonly channelId: ChannelId;
  readonly isDeleted?: boolean | undefined;
  readonly removedTargetId?: TargetId | undefined;
  /** Its source or its slate was changed. */
  readonly isSource?: boolean | undefined;
};

export type HintTakers = {
  /** Resolves once the change is in force here. Never rejects. */
  readonly channel: (hint: ChannelHint) => Promise<void>;
  /** Access keys, the password or sessions were changed. */
  readonly keys: () => void;
  /** A delivery waits. */
  readonly deliveries: () => void;
  /** Another node stored an event. */
  readonly event: (event: ChannelEvent) => void;
  /** Another node rejected encoders; latest first. */
  readonly refusals: (attempts: readonly RefusedEncoder[]) => void;
};

/**
 * Tells the other nodes what they may want to read again now. A lost hint costs seconds: every node looks at the database
 * by itself too.
 */
export class Hints {
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #eventSubject: string;
  #stops: (() => void)[] = [];

  constructor(bus: Bus, self: Incarnation, log: Log) {
    this.#bus = bus;
    this.#log = log;
    this.#eventSubject = subjectsOf(self).events;
  }

  start({ channel, keys, deliveries, event: onEvent, refusals }: HintTakers): void {
    const bus = this.#bus;
    this.#stops = [
      bus.subscribe(CHANNEL_HINT, (message) => {
        const read = channelHint.safeParse(message);
        if (read.success) return channel(read.data);
        return this.#log.debug("a hint of another node is not understood", { subject: CHANNEL_HINT });
      }),
      bus.subscribe(KEYS, keys),
      bus.subscribe(DELIVERIES, deliveries),
      bus.subscribe("node.*.events", (message) => {
        if (isEvent(message)) onEvent(message);
      }),
      bus.subscribe(REFUSALS, ({ attempts }) => {
        const read = refusalsIn(attempts);
        if (read.length > 0) refusals(read);
      }),
    ];
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  channelChanged({ channelId, change, target }: ChannelChanged): void {
    if (OF_NO_SETTINGS.includes(change)) return;
    this.#bus.publish(CHANNEL_HINT, {
      channelId,
      ...(change === "deleted" ? { isDeleted: true } : {}),
      ...(OF_SOURCES.includes(change) ? { isSource: true } : {}),
      ...(change === "target-removed" && target !== undefined ? { removedTargetId: target.targetId } : {}),
    });
  }

  keysChanged(): void {
    this.#bus.publish(KEYS, {});
  }

  /** Tells of encoders that this node rejected, latest first. */
  refused(attempts: readonly RefusedEncoder[]): void {
    this.#bus.publish(REFUSALS, { attempts });
  }

  /** Tells of an event that this node stored: the others show it, and may send its delivery. */
  eventStored(stored: ChannelEvent): void {
    this.#bus.publish(this.#eventSubject, { ...stored });
    this.#bus.publish(DELIVERIES, {});
  }
}

function isEvent(message: unknown): message is BusMessage & ChannelEvent {
  return event.safeParse(message).success;
}

/** Those that this program understands: a newer node may have reasons of its own. */
function refusalsIn(value: unknown): readonly RefusedEncoder[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, REFUSALS_MAX).flatMap((each) => {
    const read = refusal.safeParse(each);
    return read.success ? [read.data] : [];
  });
}
