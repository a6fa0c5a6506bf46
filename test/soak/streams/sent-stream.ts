import { hash } from "node:crypto";
import { classifyAudio } from "../../../src/protocol/flv/audio/audio-tag.ts";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { classifyVideo } from "../../../src/protocol/flv/video/video-tag.ts";
import type { Clip } from "../../../src/testkit/encoder/clip.ts";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";

/** Silent AAC-LC in stereo as filler has it. The test kit's own audio frames all carry a number. */
const SILENCE_HASH = hash("sha256", Buffer.from("af01210049900219002380", "hex"));
const VIDEO = 9;
const AUDIO = 8;
/** How much of what an encoder sent just before its connection broke may never have left its machine. */
const TAIL_MS = 1_000;
/** Sent and not yet seen at the receiver. */
const QUEUE_MESSAGES_MAX = 5_000;
const PROBLEMS_MAX = 5;

/** What is sent without a break. */
type Segment = {
  /** `thaw`: after a silence, from which a stream goes on with a keyframe, once the backlog is over. */
  readonly begins: "life" | "thaw";
  /** When the connection broke. */
  lostMs: number | undefined;
  hasEntered: boolean;
};

type Sent = {
  readonly kind: "audio" | "video";
  readonly hash: string;
  readonly timestamp: number;
  readonly isKeyframe: boolean;
  segment: Segment;
  sentMs: number;
};

/**
 * Everything one channel's encoders send, one after another, compared with what a receiver gets: every frame between
 * two losses must come, in order, and besides them nothing but filler.
 */
export class SentStream {
  readonly problems: string[] = [];
  readonly counts = { sent: 0, received: 0, filler: 0, lostWithConnection: 0, skippedBehindFiller: 0 };
  readonly #nowMs: () => number;
  readonly #queue: Sent[] = [];
  #segment: Segment = { begins: "life", lostMs: undefined, hasEntered: false };
  /** Handed to the encoder, and not yet sent by it. */
  #pulled: Sent | undefined;
  /** What filler may repeat: keyframe and the frame after it, of this GOP and the one before. */
  #shown: string[][] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get waitingCount(): number {
    return this.#queue.length;
  }

  /** The clip for one life of an encoder; what it takes of it counts as sent once it asks for more. */
  follow(clip: Clip): Clip {
    const pull = (tag: FlvTag): void => this.#pull(tag);
    const confirm = (): void => this.#confirm();
    const withdraw = (): void => this.#withdraw();
    const begin = (): void => this.#begin("life");
    return {
      durationMs: clip.durationMs,
      *tags() {
        begin();
        try {
          for (const tag of clip.tags()) {
            pull(tag);
            yield tag;
            confirm();
          }
        } finally {
          withdraw();
        }
      },
    };
  }

  /** The encoder's connection broke. */
  lost(): void {
    this.#segment.lostMs = this.#nowMs();
  }

  /** The encoder was silent and sends again. */
  thawed(): void {
    this.#begin("thaw");
    if (this.#pulled !== undefined) this.#pulled.segment = this.#segment;
  }

  /** What the receiver got next. */
  receive({ kind, timestamp, hash: received, isConfig }: MessageRecord): void {
    if (kind === "data" || isConfig || this.problems.length >= PROBLEMS_MAX) return;
    if (this.#queue[0]?.hash !== received) {
      if (received === SILENCE_HASH || this.#shown.some((pair) => pair.includes(received))) {
        this.counts.filler += 1;
        return;
      }
      const at = this.#queue.findIndex((sent) => sent.hash === received);
      if (at < 0) {
        this.problems.push(`${kind} at ${timestamp} ms is nothing the encoder sent`);
        return;
      }
      this.#skipTo(at);
    }
    const sent = this.#queue.shift();
    if (sent === undefined) return;
    sent.segment.hasEntered = true;
    this.counts.received += 1;
    this.#remember(sent);
  }

  /** The encoder ended cleanly and the receiver has had its time: nothing may be left. */
  finish(): void {
    const left = this.#queue[0];
    if (left === undefined || this.problems.length > 0) return;
    this.problems.push(`${this.#queue.length} messages never came, the first ${left.kind} at ${left.timestamp} ms`);
  }

  #begin(begins: Segment["begins"]): void {
    this.#segment = { begins, lostMs: undefined, hasEntered: false };
  }

  #pull({ type, timestamp, payload }: FlvTag): void {
    const isVideo = type === VIDEO;
    if (!isVideo && type !== AUDIO) return;
    const tag = isVideo ? classifyVideo(payload) : { ...classifyAudio(payload), isKeyframe: false };
    if (tag.part !== "frame") return;
    this.#pulled = {
      kind: isVideo ? "video" : "audio",
      hash: hash("sha256", payload),
      timestamp,
      isKeyframe: tag.isKeyframe,
      segment: this.#segment,
      sentMs: this.#nowMs(),
    };
    this.#queue.push(this.#pulled);
    if (this.#queue.length > QUEUE_MESSAGES_MAX && this.problems.length < PROBLEMS_MAX) {
      this.problems.push(`${QUEUE_MESSAGES_MAX} messages were sent and did not come`);
    }
  }

  #confirm(): void {
    if (this.#pulled === undefined) return;
    this.#pulled.sentMs = this.#nowMs();
    this.#pulled = undefined;
    this.counts.sent += 1;
  }

  #withdraw(): void {
    if (this.#pulled !== undefined && this.#queue.at(-1) === this.#pulled) this.#queue.pop();
    this.#pulled = undefined;
  }

  /** The messages before this one will not come: reports those that should have. */
  #skipTo(at: number): void {
    const entry = this.#queue[at];
    const skipped = this.#queue.splice(0, at);
    const missing = skipped.filter((sent) => {
      const { segment, sentMs } = sent;
      if (segment.lostMs !== undefined && segment.lostMs - sentMs <= TAIL_MS) {
        this.counts.lostWithConnection += 1;
        return false;
      }
      // Keyframes too: late frames belong to time that filler covered. The server counts each as dropped (see
      // SoakChannel).
      const isBeforeEntry = segment === entry?.segment && entry.isKeyframe;
      if (segment.begins !== "thaw" || segment.hasEntered || !isBeforeEntry) return true;
      this.counts.skippedBehindFiller += 1;
      return false;
    });
    const [first] = missing;
    if (first === undefined) return;
    this.problems.push(`${missing.length} messages are missing, the first ${first.kind} at ${first.timestamp} ms`);
  }

  #remember({ kind, hash: received, isKeyframe }: Sent): void {
    if (kind !== "video") return;
    const latest = this.#shown.at(-1);
    if (isKeyframe) this.#shown = [...(latest === undefined ? [] : [latest]), [received]];
    else if (latest?.length === 1) latest.push(received);
  }
}
