import { createParser } from "eventsource-parser";
import type { StreamState } from "./changes.ts";

/** One Server-Sent Event with its data parsed as JSON. */
export type StreamEvent = { readonly name: string; readonly data: unknown };

type StreamListener = {
  readonly event: (event: StreamEvent) => void;
  /** Called for all that arrives, also for comments. */
  readonly heard: () => void;
  readonly state: (state: StreamState) => void;
};

type StreamLimits = { readonly silenceMs?: number; readonly eventCharactersMax?: number };

/** The server sends something at least every 5 s. A connection that is silent for longer than this is dead. */
const SILENCE_MS = 12_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 8_000;
/** Longest event, in characters: a snapshot of thousands of channels has some millions. */
const EVENT_CHARACTERS_MAX = 64_000_000;

/**
 * Reads Server-Sent Events until the returned function is called. Reconnects by itself and resumes after the last event.
 * `EventSource` would do less: it hides comments, so a dead connection looks alive, and it hides why a request was refused.
 */
export function openEventStream(
  url: string,
  listener: StreamListener,
  { silenceMs = SILENCE_MS, eventCharactersMax = EVENT_CHARACTERS_MAX }: StreamLimits = {},
): () => void {
  const stop = new AbortController();
  let lastId = "";
  const read = async (): Promise<"refused" | "lost"> => {
    const attempt = new AbortController();
    const signal = AbortSignal.any([stop.signal, attempt.signal]);
    let silence = setTimeout(() => attempt.abort(), silenceMs);
    try {
      const headers = { Accept: "text/event-stream", ...(lastId === "" ? {} : { "Last-Event-ID": lastId }) };
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      if (response.status === 401) return "refused";
      if (!response.ok || response.body === null) return "lost";
      listener.state("connected");
      const parser = createParser({
        maxBufferSize: eventCharactersMax,
        onEvent: ({ id = lastId, event: name = "message", data }) => {
          lastId = id;
          listener.event({ name, data: JSON.parse(data) as unknown });
        },
        onError: (error) => {
          // Unknown fields and a bad `retry` are skipped, as the specification says.
          if (error.type === "max-buffer-size-exceeded") throw error;
        },
      });
      for await (const text of textOf(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(() => attempt.abort(), silenceMs);
        listener.heard();
        parser.feed(text);
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
      listener.state(outcome);
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
