import { at } from "../base/base-path.ts";
import type { Channel, Sample, Server } from "../base/model.ts";
import {
  type Change,
  HISTORY_SECONDS,
  type HubMessage,
  type StreamState,
  withPlatform,
  withSample,
} from "./changes.ts";
import { openEventStream, type StreamEvent } from "./event-stream.ts";

/** What comes within this time is told to the tabs at once, in milliseconds. */
const GATHER_MS = 100;

type Listener = (message: HubMessage) => void;

/**
 * The one connection of this browser, and what it told so far, so that a tab that comes later sees the same. Lives in a shared
 * worker, or in the page where there are none.
 */
export class Hub {
  readonly #listeners = new Set<Listener>();
  readonly #channels = new Map<string, Channel>();
  readonly #samples = new Map<string, Sample[]>();
  /** The server's clock less our own that never steps: what is told on later is dated with it. */
  #serverAheadMs = 0;
  #state: StreamState = "connecting";
  #server: Server = { troubles: [] };
  #hasSnapshot = false;
  #gathered: Change[] = [];
  #close: (() => void) | undefined;

  /** Tells what is known now, then all that comes; the first listener opens the connection, the last one closes it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#close === undefined) {
      this.#close = openEventStream(at("/api/v2/re-stream/events/stream"), {
        event: (event) => this.#take(event),
        state: (state) => this.#tellState(state),
      });
    } else {
      listener({ kind: "state", state: this.#state });
      listener({ kind: "server", server: this.#server });
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
    return {
      kind: "snapshot",
      time: this.#serverTime(),
      channels: [...this.#channels.values()],
      samples: [...this.#samples.values()].flat(),
    };
  }

  #serverTime(): number {
    return performance.now() + this.#serverAheadMs;
  }

  #take({ name, data }: StreamEvent): void {
    if (name === "snapshot") {
      const { time, channels } = data as { readonly time: number; readonly channels: readonly Channel[] };
      this.#serverAheadMs = time - performance.now();
      this.#channels.clear();
      for (const channel of channels) this.#channels.set(channel.channelId, channel);
      for (const id of this.#samples.keys()) if (!this.#channels.has(id)) this.#samples.delete(id);
      this.#hasSnapshot = true;
      this.#gathered = [];
      this.#tell(this.#snapshot());
      // What is the matter is told behind it.
      this.#takeServer({ troubles: [] });
      return;
    }
    if (name === "server") {
      return this.#takeServer(data as Server);
    }
    if (name !== "channel" && name !== "platform" && name !== "sample" && name !== "event") return;
    const change = { name, data } as Change;
    if (change.name === "sample") this.#serverAheadMs = change.data.time - performance.now();
    this.#keep(change);
    if (this.#gathered.length === 0) setTimeout(() => this.#tellGathered(), GATHER_MS);
    this.#gathered.push(change);
  }

  #takeServer(server: Server): void {
    this.#server = server;
    this.#tell({ kind: "server", server });
  }

  #tellGathered(): void {
    const changes = this.#gathered;
    this.#gathered = [];
    if (changes.length > 0) this.#tell({ kind: "changes", time: this.#serverTime(), changes });
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
