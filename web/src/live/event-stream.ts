import type { StreamState } from "./changes.ts";

export type StreamEvent = { readonly name: string; readonly data: unknown };

type StreamListener = {
  readonly event: (event: StreamEvent) => void;
  readonly state: (state: StreamState) => void;
};

/** The server says something at least every 15 s; after twice that and some the connection is dead, whatever the browser says. */
const SILENCE_MS = 35_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 8_000;
/** Longest text without an end of an event, in characters: a snapshot of thousands of channels is some MB. */
const PENDING_CHARACTERS_MAX = 64_000_000;

/**
 * Reads Server-Sent Events until told to stop, and connects again by itself, going on where it was. Not `EventSource`, which shows
 * neither comments (so a dead connection would look alive) nor why it was refused.
 */
export function openEventStream(url: string, listener: StreamListener): () => void {
  const stop = new AbortController();
  let lastId = "";
  const read = async (): Promise<"refused" | "lost"> => {
    const attempt = new AbortController();
    const signal = AbortSignal.any([stop.signal, attempt.signal]);
    let silence = setTimeout(() => attempt.abort(), SILENCE_MS);
    try {
      const headers = { Accept: "text/event-stream", ...(lastId === "" ? {} : { "Last-Event-ID": lastId }) };
      const answer = await fetch(url, { headers, signal, cache: "no-store" });
      if (answer.status === 401) return "refused";
      if (!answer.ok || answer.body === null) return "lost";
      listener.state("live");
      const parser = new EventParser((event, id) => {
        if (id !== undefined) lastId = id;
        listener.event(event);
      });
      for await (const text of textOf(answer.body)) {
        clearTimeout(silence);
        silence = setTimeout(() => attempt.abort(), SILENCE_MS);
        parser.push(text);
      }
      return "lost";
    } catch {
      return "lost";
    } finally {
      clearTimeout(silence);
      attempt.abort();
    }
  };
  const run = async (): Promise<void> => {
    let delayMs = RETRY_MS_MIN;
    while (!stop.signal.aborted) {
      const beganAt = performance.now();
      const outcome = await read();
      if (stop.signal.aborted) return;
      listener.state(outcome === "refused" ? "refused" : "stale");
      if (outcome === "refused") delayMs = RETRY_MS_MAX;
      else delayMs = performance.now() - beganAt > RETRY_MS_MAX ? RETRY_MS_MIN : Math.min(RETRY_MS_MAX, delayMs * 2);
      await new Promise((resolve) => setTimeout(resolve, delayMs * (0.5 + Math.random() / 2)));
    }
  };
  void run();
  return () => stop.abort();
}

async function* textOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Text in, events out; how the network cuts the text does not matter. */
class EventParser {
  readonly #onEvent: (event: StreamEvent, id: string | undefined) => void;
  #pending = "";

  constructor(onEvent: (event: StreamEvent, id: string | undefined) => void) {
    this.#onEvent = onEvent;
  }

  push(text: string): void {
    // Only what is new can hold the end of an event, with one character of what was there before.
    const from = Math.max(0, this.#pending.length - 1);
    this.#pending += text;
    if (this.#pending.indexOf("\n\n", from) < 0) {
      if (this.#pending.length > PENDING_CHARACTERS_MAX) throw new Error("an event without end");
      return;
    }
    const blocks = this.#pending.split("\n\n");
    this.#pending = blocks.pop() ?? "";
    for (const block of blocks) this.#read(block);
  }

  #read(block: string): void {
    let name = "message";
    let id: string | undefined;
    const data: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("id:")) id = line.slice(3).trim();
    }
    if (data.length > 0) this.#onEvent({ name, data: JSON.parse(data.join("\n")) as unknown }, id);
  }
}
