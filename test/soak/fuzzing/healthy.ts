import { Worker } from "node:worker_threads";
import { z } from "zod";

const look = z.object({
  gapMs: z.number(),
  messages: z.number(),
  connections: z.number(),
  end: z.string().optional(),
});

/** What a healthy channel's target has seen: the longest gap since the last look. */
export type HealthyLook = z.infer<typeof look>;

/** The thread with a healthy channel's target and, after `publish`, its encoder over RTMP. */
export class Healthy {
  readonly #worker: Worker;
  #message = Promise.withResolvers<unknown>();

  /** `rtmpUrl`: the server's, for the encoder. */
  constructor(rtmpUrl: string) {
    this.#worker = new Worker(new URL("./fuzz-healthy.ts", import.meta.url), { workerData: { rtmpUrl } });
    this.#worker.on("message", (message) => this.#message.resolve(message));
    this.#worker.on("error", (error) => this.#message.reject(error));
  }

  async targetUrl(): Promise<string> {
    return z.object({ targetUrl: z.string() }).parse(await this.#next()).targetUrl;
  }

  publish(streamKey: string): void {
    this.#worker.postMessage({ streamKey });
  }

  async look(): Promise<HealthyLook> {
    this.#worker.postMessage({ isLook: true });
    return look.parse(await this.#next());
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #next(): Promise<unknown> {
    const message = await this.#message.promise;
    this.#message = Promise.withResolvers();
    return message;
  }
}
