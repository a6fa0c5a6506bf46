import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** One entry for the readers of the live stream, in one text for each role. */
export type LiveEntry = {
  /** Counts up from 1 without a gap. */
  readonly sequence: number;
  readonly name: "channel" | "platform" | "event";
  readonly channelId: ChannelId;
  /** JSON for managers, and for viewers, who see keys masked. */
  readonly managerText: string;
  readonly viewerText: string;
};

export type RingLimits = { readonly entriesMax: number; readonly charactersMax: number };

/** How far a reader may be behind: enough for a reconnect in a busy minute. */
const RING_LIMITS: RingLimits = { entriesMax: 2_000, charactersMax: 4 * 1024 * 1024 };

/**
 * The last changes, shared by all readers: a slow or returning reader continues where it was. A reader whose next entry
 * was already discarded must begin with a new snapshot. Bounded in entries and characters.
 */
export class LiveRing {
  readonly #limits: RingLimits;
  readonly #entries = new Map<number, LiveEntry>();
  #first = 1;
  #last = 0;
  #characters = 0;

  constructor(limits: RingLimits = RING_LIMITS) {
    this.#limits = limits;
  }

  /** Sequence of the newest entry; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  add(entry: Omit<LiveEntry, "sequence">): void {
    this.#last += 1;
    this.#entries.set(this.#last, { ...entry, sequence: this.#last });
    this.#characters += entry.managerText.length + entry.viewerText.length;
    while (this.#entries.size > this.#limits.entriesMax || this.#characters > this.#limits.charactersMax) this.#drop();
  }

  /** Advances the sequence without storing an entry: a reader that returns later has missed something. */
  skip(): void {
    this.#last += 1;
    this.#entries.clear();
    this.#characters = 0;
    this.#first = this.#last + 1;
  }

  /** Whether all entries after this one are still here. */
  hasAllAfter(sequence: number): boolean {
    return sequence >= this.#first - 1 && sequence <= this.#last;
  }

  get(sequence: number): LiveEntry | undefined {
    return this.#entries.get(sequence);
  }

  #drop(): void {
    const oldest = this.#entries.get(this.#first);
    this.#entries.delete(this.#first);
    this.#characters -= (oldest?.managerText.length ?? 0) + (oldest?.viewerText.length ?? 0);
    this.#first += 1;
  }
}
