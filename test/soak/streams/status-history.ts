import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import type { ApiClient } from "../../support/dashboard/api-client.ts";

const POLL_MS = 100;

const seen = z.looseObject({
  connectStatus: z.string(),
  lastError: z.looseObject({ code: z.string() }).optional(),
  warning: z.looseObject({ code: z.string(), message: z.string() }).optional(),
  stability: z.string().optional(),
  droppedFrames: z.int().optional(),
  queueMilliseconds: z.int().optional(),
});
type Seen = z.infer<typeof seen>;

type Change = { readonly atMs: number; readonly word: string };

/** The API's status of one platform, and when. */
export class StatusHistory {
  readonly changes: Change[] = [];
  warnings: string[] = [];
  droppedFrames = 0;
  readonly #queues: { readonly atMs: number; readonly queueMs: number }[] = [];
  wasUnstable = false;

  take(platform: Seen, atMs: number): void {
    const { connectStatus, lastError, warning, stability, droppedFrames = 0, queueMilliseconds = 0 } = platform;
    const word = connectStatus === "FAIL" ? `FAIL ${lastError?.code ?? ""}` : connectStatus;
    if (this.changes.at(-1)?.word !== word) this.changes.push({ atMs, word });
    const rates = warning === undefined ? undefined : /\d+ of \d+ kbit\/s/.exec(warning.message)?.[0];
    if (rates !== undefined && this.warnings.at(-1) !== rates) this.warnings.push(rates);
    this.droppedFrames = Math.max(this.droppedFrames, droppedFrames);
    this.#queues.push({ atMs, queueMs: queueMilliseconds });
    if (stability === "unstable") this.wasUnstable = true;
  }

  /** The most media that waited for it at once, from here on. */
  longestQueueMs(fromMs: number): number {
    return this.#queues.reduce((most, { atMs, queueMs }) => (atMs < fromMs ? most : Math.max(most, queueMs)), 0);
  }

  get isOnAir(): boolean {
    return this.changes.at(-1)?.word === "PUBLISHING";
  }

  /** The first time from here on that it was reported as failed. */
  failedAtMs(fromMs: number): number | undefined {
    return this.changes.find(({ atMs, word }) => atMs >= fromMs && word.startsWith("FAIL"))?.atMs;
  }

  /** When it was PUBLISHING for the last time, to stay so; undefined where it never left it, or never came back. */
  backAtMs(fromMs: number): number | undefined {
    const last = this.changes.at(-1);
    return last === undefined || !this.isOnAir || last.atMs < fromMs ? undefined : last.atMs;
  }

  /** How long, from here on, it was not PUBLISHING. */
  offAirMs(fromMs: number, untilMs: number): number {
    return this.changes.reduce((sum, { atMs, word }, index) => {
      const endMs = this.changes[index + 1]?.atMs ?? untilMs;
      return word === "PUBLISHING" || endMs < fromMs ? sum : sum + endMs - Math.max(fromMs, atMs);
    }, 0);
  }
}

/** Asks for a channel's platforms ten times a second until it is stopped. */
export class ChannelHistory {
  readonly platforms: readonly StatusHistory[];
  #isStopping = false;
  readonly #done: Promise<void>;

  constructor(api: ApiClient, channelId: string, count: number) {
    this.platforms = Array.from({ length: count }, () => new StatusHistory());
    this.#done = this.#run(api, channelId);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #run(api: ApiClient, channelId: string): Promise<void> {
    while (!this.#isStopping) {
      const platforms = z.array(seen).parse(await api.platforms(channelId));
      for (const [index, platform] of platforms.entries()) this.platforms[index]?.take(platform, performance.now());
      await pass(POLL_MS);
    }
  }
}
