import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { Channel } from "../dashboard/api-client.ts";
import type { Server, Stage } from "../stages/stage.ts";
import { type Receiver, recordingOf } from "../targets/receiver.ts";
import { enhancedClip, type StreamForm, type StreamTag, streamTags } from "./enhanced-streams.ts";

/** Tracks that a target chose, by number. */
export type Choice = { readonly video: number; readonly audio: number };

/** The form in which a target gets a message; undefined: not at all. */
export type Shape = (tag: StreamTag) => Buffer | undefined;

export const asSent: Shape = ({ payload }) => payload;
export const chosen =
  (choice: Choice): Shape =>
  ({ kind, alone }) =>
    alone.get(choice[kind]);
export const withEnhancedHevc: Shape = ({ enhanced }) => enhanced;

/** A stream on air, with its targets. */
export class EnhancedBroadcast {
  readonly channel: Channel;
  readonly #form: StreamForm;
  readonly #encoder: ReturnType<Stage["kitEncoder"]>;

  private constructor(stage: Stage, channel: Channel, form: StreamForm) {
    this.channel = channel;
    this.#form = form;
    this.#encoder = stage.kitEncoder(channel, { clip: enhancedClip(form) });
  }

  static async start(stage: Stage, { api }: Server, form: StreamForm, receivers: readonly Receiver[]) {
    const name = form.name.replaceAll(/[^A-Za-z0-9]/g, "_").slice(0, 20);
    const channel = await api.createChannel(
      name,
      receivers.map(({ platform }) => platform),
    );
    return new EnhancedBroadcast(stage, channel, form);
  }

  /** The server's log about Enhanced RTMP. */
  get serverSaid() {
    return this.#encoder.report.peer;
  }

  /** Ends it; returns what was sent. */
  async end(): Promise<StreamTag[]> {
    const { messagesSent, end } = await this.#encoder.stop("clean");
    expect(end).toEqual({ how: "stopped" });
    const sent: StreamTag[] = [];
    for (const tag of streamTags(this.#form)) {
      if (sent.length === messagesSent) break;
      sent.push(tag);
    }
    return sent;
  }
}

/**
 * Compares what a target got, on its one connection, with what the encoder sent: metadata, then the cached messages of
 * each track, then from a keyframe on every video and audio frame in order, each track's video from a keyframe of its
 * own on. Returns how many of the stream's messages went before that keyframe.
 */
export async function expectStream(which: Receiver, sent: readonly StreamTag[], shape: Shape): Promise<number> {
  const [metadata, ...got] = readFlv(await readFile(await recordingOf(which)));
  expect(metadata?.type).toBe(MessageType.DataAmf0);

  const heads = keptHeads(sent, shape);
  expect(got.slice(0, heads.length).map(shown)).toEqual(heads.map(shown));
  const frames = got.slice(heads.length);
  const begin = sent.findIndex((tag) => tag.role === "frame" && frames[0] && shape(tag)?.equals(frames[0].payload));
  const first = sent[begin];
  if (first === undefined) throw new Error(`no such message was sent: ${frames[0] && shown(frames[0])}`);
  expect(first.isKeyframe || sent.every(({ kind, role }) => kind === "audio" || role === "metadata")).toBe(true);
  expect(frames.map(shown)).toEqual(framesFrom(sent, begin, shape).map(shown));
  return begin;
}

/** What every target gets first, at 0. */
function keptHeads(sent: readonly StreamTag[], shape: Shape): FlvTag[] {
  const before = sent.slice(
    0,
    sent.findIndex(({ role }) => role === "frame"),
  );
  return before.flatMap((tag) => {
    if (tag.role !== "head") return [];
    const payload = shape(tag);
    if (payload === undefined) return [];
    // Unchanged: one message for each of its tracks.
    const payloads = payload === tag.payload ? tag.kept : [payload];
    return payloads.map((each) => ({ type: tag.type, timestamp: 0, payload: each }));
  });
}

function framesFrom(sent: readonly StreamTag[], begin: number, shape: Shape): FlvTag[] {
  const startMs = sent[begin]?.timestamp ?? 0;
  const begun = new Set<number>();
  return sent.slice(begin).flatMap((tag) => {
    const payload = shape(tag);
    if (tag.role !== "frame" || payload === undefined) return [];
    if (tag.kind === "video") {
      if (tag.isKeyframe) for (const track of tag.tracks) begun.add(track);
      if (!tag.tracks.some((track) => begun.has(track))) return [];
    }
    return [{ type: tag.type, timestamp: tag.timestamp - startMs, payload }];
  });
}

function shown({ type, timestamp, payload }: FlvTag): string {
  return `${type} at ${timestamp} ms: ${payload.toString("hex")}`;
}
