import { type ClientRequest, request } from "node:http";

/** A channel's samples over the whole run. */
export type QueueResult = { readonly sampleCount: number; readonly queueMsMax: number; readonly droppedFrames: number };

/** Reads a channel's samples from the live stream. */
export class QueueWatch {
  readonly #request: ClientRequest;
  #text = "";
  #sampleCount = 0;
  #queueMsMax = 0;
  readonly #dropped = new Map<number, number>();

  constructor(origin: string, headers: Readonly<Record<string, string>>, target: string) {
    this.#request = request(`${origin}${target}`, { headers }, (answer) => {
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => this.#take(part));
      answer.on("error", () => undefined);
    });
    this.#request.on("error", () => undefined);
    this.#request.end();
  }

  stop(): QueueResult {
    this.#request.destroy();
    const droppedFrames = [...this.#dropped.values()].reduce((sum, count) => sum + count, 0);
    return { sampleCount: this.#sampleCount, queueMsMax: this.#queueMsMax, droppedFrames };
  }

  #take(part: string): void {
    this.#text += part;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      const [, json] = /^event: sample\ndata: (.*)$/m.exec(this.#text.slice(0, end)) ?? [];
      this.#text = this.#text.slice(end + 2);
      if (json === undefined) continue;
      this.#sampleCount += 1;
      for (const platform of JSON.parse(json).platforms) {
        this.#queueMsMax = Math.max(this.#queueMsMax, platform.queueMilliseconds);
        this.#dropped.set(platform.platId, platform.droppedFrames);
      }
    }
  }
}
