import { setTimeout as delay } from "node:timers/promises";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { authenticationHeaders } from "../../client/client.ts";
import { ApiFailure, answeredText, EXIT, otherServer, unreachableText } from "./exit-codes.ts";
import type { Profile } from "./profiles.ts";

/** One message of the live stream. */
export type LiveMessage = { readonly event: string; readonly data: unknown };

/** The server's heartbeat comes every 5 s. */
const SILENCE_MS = 15_000;
const AGAIN_MS = 2_000;

/**
 * Yields the messages of the live stream for ever: a signal ends the process. A connection that ends, however it does, is
 * opened again, from the last message on; before that comes a message `lost` of our own. Throws ApiFailure where the first one brings no message, and where the
 * credentials are refused. `againMs`: the pause before another connection, in milliseconds.
 */
export async function* liveMessages(profile: Profile, againMs = AGAIN_MS): AsyncGenerator<LiveMessage> {
  let lastId: string | undefined;
  for (let hasHeard = false; ; ) {
    try {
      for await (const { event = "message", data, id } of connection(profile, lastId)) {
        lastId = id ?? lastId;
        hasHeard = true;
        yield { event, data: JSON.parse(data) };
      }
      // Fanfare's begins with a snapshot.
      if (!hasHeard) throw otherServer();
    } catch (error) {
      const failure = error instanceof ApiFailure ? error : new ApiFailure(EXIT.unreachable, unreachableText(error));
      // A server that starts again is refused by the kernel, or answered for by its proxy: 502.
      if (!hasHeard || failure.exitCode !== EXIT.unreachable) throw failure;
    }
    yield { event: "lost", data: undefined };
    await delay(againMs);
  }
}

async function* connection(profile: Profile, lastId: string | undefined) {
  const url = `${profile.server.replace(/\/+$/, "")}/api/v2/re-stream/events/stream`;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const headers = authenticationHeaders(profile, "GET", url);
    const answer = await fetch(url, {
      headers: lastId === undefined ? headers : { ...headers, "last-event-id": lastId },
      signal: silence.signal,
    });
    if (!answer.ok || answer.body === null) {
      const code = answer.status === 401 ? EXIT.notAllowed : EXIT.unreachable;
      throw new ApiFailure(
        code,
        `the server answered ${answer.status} to the live stream: ${answeredText(await answer.text())}`,
      );
    }
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        controller.enqueue(bytes);
      },
    });
    yield* answer.body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
  } finally {
    clearTimeout(timer);
  }
}
