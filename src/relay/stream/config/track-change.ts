import type { Clock } from "../../../base/clock.ts";
import type { AudioFrameFormat } from "../../../protocol/flv/audio/audio-frame-format.ts";
import type { AudioCodec, VideoCodec } from "../../../protocol/flv/fourcc.ts";
import type { ConfigPart } from "../classify-message.ts";
import { isAnotherTrack } from "./compatibility.ts";
import type { DecoderConfig } from "./decoder-config.ts";

type Kind = "audio" | "video";

/** Broadcasters change between stereo and more channels within a stream, and decoders of these codecs follow. */
const FOLLOWED: ReadonlySet<AudioCodec | VideoCodec> = new Set(["ac3", "eac3"]);

/**
 * Returns the tracks that a message with sequence headers changes: another codec, sample rate or number of channels.
 */
export function changedTracks(
  head: DecoderConfig,
  { kind, parts }: { readonly kind: Kind; readonly parts: readonly ConfigPart[] },
): readonly number[] {
  return parts
    .filter(({ slot, trackId, codec, payload }) => {
      const before = head.codecs(kind).get(trackId);
      if (before !== undefined && before !== codec) return true;
      const known = head.configs.get(slot)?.payload;
      if (known?.equals(payload) === true) return false;
      return known !== undefined && slot.endsWith(" config") && isAnotherTrack(kind, known, payload);
    })
    .map(({ trackId }) => trackId);
}

/** Whether a frame has another codec or audio format than those before it on its track. */
export function isOtherAudioFormat(
  head: DecoderConfig,
  frame: {
    readonly kind: Kind;
    readonly trackId: number;
    readonly codec: AudioCodec | VideoCodec;
    readonly audioFormat: AudioFrameFormat | undefined;
  },
): boolean {
  const { kind, trackId, codec, audioFormat } = frame;
  const before = head.codecs(kind).get(trackId);
  if (before !== undefined && before !== codec) return true;
  const known = kind === "audio" ? head.audioFrameFormat(trackId) : undefined;
  if (known === undefined || audioFormat === undefined || FOLLOWED.has(codec)) return false;
  return known.sampleRate !== audioFormat.sampleRate || known.channels !== audioFormat.channels;
}

/** The least time between two reconnects because of a changed track, in milliseconds. */
const PACE_MS = 10_000;

/** Limits how often targets are connected anew because a track changed. */
export class ChangePace {
  #lastMs = Number.NEGATIVE_INFINITY;
  /** A track changed too soon after that. */
  #isOwed = false;

  /** A track changes. Whether it may happen now; if so, this counts as one time, and otherwise it is owed. */
  isDue(clock: Pick<Clock, "now">): boolean {
    const nowMs = clock.now();
    this.#isOwed = nowMs - this.#lastMs < PACE_MS;
    if (!this.#isOwed) this.#lastMs = nowMs;
    return !this.#isOwed;
  }

  /** Whether it was owed and may happen now; if so, this counts as one time. */
  isOverdue(clock: Pick<Clock, "now">): boolean {
    return this.#isOwed && this.isDue(clock);
  }

  /** Nothing is owed: the connections that got the change are left. */
  forget(): void {
    this.#isOwed = false;
  }
}
