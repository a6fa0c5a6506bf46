import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../processes/waiting.ts";
import type { ApiClient, Platform } from "./api-client.ts";

/** How often the API is asked, in milliseconds. A request takes two of processor time; a failure lasts half a second. */
const POLL_MS = 150;

/** Asks for a channel's platforms all the time, as a dashboard would, and remembers how each status changed. */
export class PlatformWatch {
  readonly #api: ApiClient;
  readonly #channelId: string;
  readonly #histories: Platform[][] = [];
  readonly #stopping = new AbortController();
  readonly #stopped: Promise<void>;
  #failure: unknown;

  /** `pollMs`: how often the API is asked, in milliseconds. */
  constructor(api: ApiClient, channelId: string, pollMs = POLL_MS) {
    this.#api = api;
    this.#channelId = channelId;
    this.#stopped = this.#run(pollMs);
  }

  /** The platform at this place of the channel, as last seen. */
  latest(index: number): Platform | undefined {
    return this.#histories[index]?.at(-1);
  }

  /** Each status once for as long as it stayed the same. */
  statuses(index: number): string[] {
    return this.#distinct(index, (platform) => platform.connectStatus);
  }

  /** Each `lastError.code` once for as long as it stayed the same; while there is none nothing is added. */
  errorCodes(index: number): string[] {
    return this.#distinct(index, (platform) => platform.lastError?.code).filter((code) => code !== undefined);
  }

  /** Waits until the platform at this place satisfies the condition; rejects at the deadline with its last state. */
  async until(index: number, isWanted: (platform: Platform) => boolean, deadlineMs: number): Promise<Platform> {
    const isNow = () => this.#histories[index]?.slice(-1).find(isWanted);
    return await this.#waitFor(`platform ${index}: ${isWanted.toString()}`, index, isNow, deadlineMs);
  }

  /**
   * Waits until the platform at this place was once seen to satisfy the condition, and returns how it was then, the first
   * time. For what lasts for a moment: it may be over by now.
   */
  async seen(index: number, isWanted: (platform: Platform) => boolean, deadlineMs: number): Promise<Platform> {
    const wasOnce = () => this.#histories[index]?.find(isWanted);
    return await this.#waitFor(`platform ${index} once: ${isWanted.toString()}`, index, wasOnce, deadlineMs);
  }

  async #waitFor(what: string, index: number, look: () => Platform | undefined, deadlineMs: number): Promise<Platform> {
    return await waitFor(
      what,
      deadlineMs,
      () => {
        if (this.#failure !== undefined) throw new Error("the API failed", { cause: this.#failure });
        return look();
      },
      () => `it went ${this.statuses(index).join(" → ")} and is ${JSON.stringify(this.latest(index))}`,
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopped;
  }

  #distinct<T>(index: number, of: (platform: Platform) => T): T[] {
    const values = (this.#histories[index] ?? []).map(of);
    return values.filter((value, at) => at === 0 || value !== values[at - 1]);
  }

  async #run(pollMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const platforms = await this.#api.platforms(this.#channelId);
        for (const [index, platform] of platforms.entries()) {
          const history = this.#histories[index] ?? [];
          this.#histories[index] = history;
          history.push(platform);
        }
        await delay(pollMs);
      } catch (error) {
        this.#failure = error;
        return;
      }
    }
  }
}
