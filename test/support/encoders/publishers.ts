import { Publisher } from "../../../src/relay/publisher/publisher.ts";
import type { IngestSlot, SourceKind } from "../../../src/thread-protocol/channel-spec.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../streams/media-messages.ts";

/** A publisher that connected at this time and has sent nothing. Times are milliseconds of every clock. */
export function newPublisher(openedMs = 0, slot: IngestSlot = "main", sourceKind?: SourceKind): Publisher {
  const description = {
    ...{ slot, remoteAddress: "192.0.2.1", encoder: "test", onDismissed: () => undefined },
    ...(sourceKind === undefined ? {} : { sourceKind }),
  };
  return new Publisher(1, description, openedMs, { nowMs: openedMs, awakeMs: openedMs });
}

export type SentStream = {
  readonly fromMs: number;
  /** The time of the last frame at the latest. */
  readonly untilMs: number;
  readonly stepMs?: number;
  readonly has?: readonly ("audio" | "video")[];
};

/** Makes a publisher take headers, then a frame of each kind every `stepMs`; each video frame is a keyframe. */
function sendStream(publisher: Publisher, stream: SentStream): void {
  const { fromMs, untilMs, stepMs = 40, has = ["audio", "video"] } = stream;
  if (has.includes("audio")) publisher.take(audio(fromMs, AAC_CONFIG), fromMs, fromMs);
  if (has.includes("video")) publisher.take(video(fromMs, AVC_CONFIG), fromMs, fromMs);
  for (let atMs = fromMs; atMs <= untilMs; atMs += stepMs) {
    if (has.includes("audio")) publisher.take(audio(atMs, aacFrame(1)), atMs, atMs);
    if (has.includes("video")) publisher.take(video(atMs, avcFrame(true, 1)), atMs, atMs);
  }
}

/** A publisher that connected, and sent its first frame, at `fromMs`. */
export function sending(stream: SentStream, slot: IngestSlot = "main"): Publisher {
  const publisher = newPublisher(stream.fromMs, slot);
  sendStream(publisher, stream);
  return publisher;
}
