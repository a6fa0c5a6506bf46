import type { Channel, ChannelChange, ChannelEvent, PlatformChange, Sample } from "../model.ts";
import { openEventStream, type StreamEvent, type StreamState } from "./event-stream.ts";

/** Seconds of rates that are kept, and shown by every line. */
export const HISTORY_SECONDS = 60;
/** What comes within this time is told to the tabs at once, in milliseconds. */
const GATHER_MS = 100;

/** What the tabs are told. */
export type HubMessage =
  | { readonly kind: "state"; readonly state: StreamState }
  | { readonly kind: "snapshot"; readonly channels: readonly Channel[]; readonly samples: readonly Sample[] }
  | { readonly kind: "changes"; readonly changes: readonly Change[] };

export type Change =
  | { readonly name: "channel"; readonly data: ChannelChange }
  | { readonly name: "platform"; readonly data: PlatformChange }
  | { readonly name: "sample"; readonly data: Sample }
  | { readonly name: "event"; readonly data: ChannelEvent };

type Listener = (message: HubMessage) => void;

/**
 * The one connection of this browser, and what it told so far, so that a tab that comes later sees the same. Lives in a shared
 * worker, or in the page where there are none.
 */
export class Hub {
  readonly #listeners = new Set<Listener>();
  readonly #channels = new Map<string, Channel>();
  readonly #samples = new Map<string, Sample[]>();
  #state: StreamState = "connecting";
  #hasSnapshot = false;
  #gathered: Change[] = [];
  #close: (() => void) | undefined;

  /** Tells what is known now, then all that comes; the first listener opens the connection, the last one closes it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#close === undefined) {
      this.#close = openEventStream("/api/v2/re-stream/events/stream", {
        event: (event) => this.#take(event),
        state: (state) => this.#tellState(state),
      });
    } else {
      listener({ kind: "state", state: this.#state });
      if (this.#hasSnapshot) listener(this.#snapshot());
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#close?.();
      this.#close = undefined;
      this.#hasSnapshot = false;
    };
  }

  #tell(message: HubMessage): void {
    for (const listener of this.#listeners) listener(message);
  }

  #tellState(state: StreamState): void {
    this.#state = state;
    this.#tell({ kind: "state", state });
  }

  #snapshot(): HubMessage {
    return { kind: "snapshot", channels: [...this.#channels.values()], samples: [...this.#samples.values()].flat() };
  }

  #take({ name, data }: StreamEvent): void {
    if (name === "snapshot") {
      const { channels } = data as { readonly channels: readonly Channel[] };
      this.#channels.clear();
      for (const channel of channels) this.#channels.set(channel.channelId, channel);
      for (const id of this.#samples.keys()) if (!this.#channels.has(id)) this.#samples.delete(id);
      this.#hasSnapshot = true;
      this.#gathered = [];
      this.#tell(this.#snapshot());
      return;
    }
    if (name !== "channel" && name !== "platform" && name !== "sample" && name !== "event") return;
    const change = { name, data } as Change;
    this.#keep(change);
    if (this.#gathered.length === 0) setTimeout(() => this.#tellGathered(), GATHER_MS);
    this.#gathered.push(change);
  }

  #tellGathered(): void {
    const changes = this.#gathered;
    this.#gathered = [];
    if (changes.length > 0) this.#tell({ kind: "changes", changes });
  }

  #keep(change: Change): void {
    switch (change.name) {
      case "channel": {
        const { data } = change;
        if ("platforms" in data) this.#channels.set(data.channelId, data);
        else {
          this.#channels.delete(data.channelId);
          this.#samples.delete(data.channelId);
        }
        return;
      }
      case "platform": {
        const channel = this.#channels.get(change.data.channelId);
        if (channel !== undefined) this.#channels.set(channel.channelId, withPlatform(channel, change.data));
        return;
      }
      case "sample": {
        const channel = this.#channels.get(change.data.channelId);
        if (channel !== undefined) this.#channels.set(channel.channelId, withSample(channel, change.data));
        const samples = this.#samples.get(change.data.channelId) ?? [];
        samples.push(change.data);
        if (samples.length > HISTORY_SECONDS) samples.shift();
        this.#samples.set(change.data.channelId, samples);
        return;
      }
      default:
        return;
    }
  }
}

/** Totals are told with whole objects alone; between them they grow by what each second's sample says. */
export function withSample(channel: Channel, { ingest, platforms }: Sample): Channel {
  const rates = new Map(platforms.map(({ platId, bytesPerSecond }) => [platId, bytesPerSecond]));
  const grown = channel.platforms.map((platform) => {
    const bytesTotalTrans = platform.bytesTotalTrans + (rates.get(platform.platId) ?? 0);
    return { ...platform, bytesTotalTrans, totalBytesPerSecond: bytesTotalTrans };
  });
  if (channel.ingest === undefined) return { ...channel, platforms: grown };
  const bytesTotal = channel.ingest.bytesTotal + ingest.bytesPerSecond;
  return { ...channel, platforms: grown, ingest: { ...channel.ingest, bytesTotal } };
}

/** The channel with this platform as it is now; one that it does not have is none of it, a change of the channel tells of it. */
export function withPlatform(channel: Channel, { channelId: _, ...platform }: PlatformChange): Channel {
  const platforms = channel.platforms.map((one) => (one.platId === platform.platId ? platform : one));
  return { ...channel, platforms };
}
