import { at } from "../base/base-path.ts";
import type { Channel, Sample, Server } from "../base/model.ts";
import {
  type Change,
  HISTORY_SECONDS,
  type HubMessage,
  isSameBroadcast,
  type StreamState,
  withPlatform,
  withSample,
} from "./changes.ts";
import { openEventStream, type StreamEvent } from "./event-stream.ts";

/** Changes within this time are sent to the tabs together, in milliseconds. */
const GATHER_MS = 100;

type Listener = (message: HubMessage) => void;

/**
 * This browser's one connection to the server, and everything it has reported so far, so that a tab that opens later sees the same.
 * Runs in a shared worker, or in a worker of the tab where there are no shared ones.
 */
export class Hub {
  readonly #listeners = new Set<Listener>();
  readonly #channels = new Map<string, Channel>();
  readonly #samples = new Map<string, Sample[]>();
  /** The server's clock minus our monotonic one, in milliseconds: it dates what is sent to the tabs. */
  #serverAheadMs: number | undefined;
  /** When something last arrived, on our monotonic clock. */
  #heardMs = 0;
  #state: StreamState = "connecting";
  #server: Server = { troubles: [] };
  #hasSnapshot = false;
  #gathered: Change[] = [];
  #close: (() => void) | undefined;

  /** Sends what is known now, then every change. The first listener opens the connection, the last one closes it. */
  listen(listener: Listener): () => void {
    // What it is told now has these changes: it would count them twice.
    this.#sendGathered();
    this.#listeners.add(listener);
    this.#sendLead();
    // Who comes now has signed in since. Another tab, which a browser froze, may not have left yet.
    if (this.#state === "refused") this.#stop();
    if (this.#close === undefined) {
      this.#close = openEventStream(at("/api/v2/re-stream/events/stream"), {
        event: (event) => this.#receive(event),
        heard: () => {
          this.#heardMs = performance.now();
        },
        state: (state) => this.#setState(state),
      });
    } else {
      listener(this.#stateMessage());
      listener({ kind: "server", server: this.#server });
      if (this.#hasSnapshot) listener(this.#snapshot());
    }
    return () => {
      this.#listeners.delete(listener);
      this.#sendLead();
      if (this.#listeners.size > 0) return;
      this.#stop();
    };
  }

  /** A tab that comes while the next connection is being opened is not told how this one ended. */
  #stop(): void {
    this.#close?.();
    this.#close = undefined;
    this.#hasSnapshot = false;
    this.#state = "connecting";
  }

  /** The tab that is open longest leads. */
  #sendLead(): void {
    const [lead] = this.#listeners;
    for (const listener of this.#listeners) listener({ kind: "lead", isLead: listener === lead });
  }

  #send(message: HubMessage): void {
    for (const listener of this.#listeners) listener(message);
  }

  #setState(state: StreamState): void {
    this.#state = state;
    this.#send(this.#stateMessage());
  }

  #stateMessage(): HubMessage {
    const heardTime = this.#serverAheadMs === undefined ? undefined : this.#heardMs + this.#serverAheadMs;
    return { kind: "state", state: this.#state, ...(heardTime === undefined ? {} : { heardTime }) };
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
    return performance.now() + (this.#serverAheadMs ?? 0);
  }

  #receive({ name, data }: StreamEvent): void {
    if (name === "snapshot") {
      // Events are in no snapshot.
      this.#sendGathered();
      const { time, channels } = data as { readonly time: number; readonly channels: readonly Channel[] };
      this.#serverAheadMs = time - performance.now();
      this.#channels.clear();
      for (const channel of channels) this.#channels.set(channel.channelId, channel);
      // A line has one value a second: samples from before a gap would stand beside those after it.
      this.#samples.clear();
      this.#hasSnapshot = true;
      this.#send(this.#snapshot());
      // The server sends its troubles after the snapshot.
      this.#setServer({ troubles: [] });
      return;
    }
    if (name === "server") {
      return this.#setServer(data as Server);
    }
    if (!isChange(name)) return;
    const change = { name, data } as Change;
    if (change.name === "sample") this.#serverAheadMs = change.data.time - performance.now();
    this.#store(change);
    if (this.#gathered.length === 0) setTimeout(() => this.#sendGathered(), GATHER_MS);
    this.#gathered.push(change);
  }

  #setServer(server: Server): void {
    this.#server = server;
    this.#send({ kind: "server", server });
  }

  #sendGathered(): void {
    const changes = this.#gathered;
    this.#gathered = [];
    if (changes.length > 0) this.#send({ kind: "changes", time: this.#serverTime(), changes });
  }

  #store(change: Change): void {
    switch (change.name) {
      case "channel": {
        const { data } = change;
        const isThere = "platforms" in data;
        if (!isThere || !isSameBroadcast(data, this.#channels.get(data.channelId)))
          this.#samples.delete(data.channelId);
        if (isThere) this.#channels.set(data.channelId, data);
        else this.#channels.delete(data.channelId);
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

const CHANGES: readonly string[] = ["channel", "platform", "sample", "event", "refused"] satisfies Change["name"][];
const isChange = (name: string): boolean => CHANGES.includes(name);
