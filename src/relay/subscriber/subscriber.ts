import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { FlushBatch } from "../packing/flush-batch.ts";
import type { Packer } from "../packing/wire-form.ts";
import type { HeadMessage } from "../stream/config/head-message.ts";
import type { Packet } from "../stream/packet.ts";

/**
 * How a connection ends. `end`: the broadcast is over, and the peer gets its end (RTMP: FCUnpublish and deleteStream, then
 * FIN). `cut`: FIN without a message, so that the platform's own grace period runs. `abort`: at once, for a peer that takes
 * nothing any more, after a fault, or where another node sends now.
 */
export type LinkClose = "end" | "cut" | "abort";

/** What a subscriber takes of the stream, where there is a choice. It decides which rendition the subscriber gets. */
export type StreamChoice = {
  /** One video and one audio track, in the form without tracks; absent: the stream with all its tracks. */
  readonly tracks?: TrackChoice;
  /** HEVC in Enhanced RTMP's form, also where the encoder sends it under codec id 12. */
  readonly takesHevcEnhanced: boolean;
  /** H.264, AAC and MP3 in Enhanced RTMP's form, where the encoder sends them so. */
  readonly takesEnhanced: boolean;
  /** Captions, cue points and other timed data. */
  readonly hasTimedData: boolean;
  /** Silence, where the stream has no audio. */
  readonly addsSilence: boolean;
};

/** The stream as the encoder sent it. */
export const WHOLE_STREAM: StreamChoice = {
  takesHevcEnhanced: false,
  takesEnhanced: true,
  hasTimedData: true,
  addsSilence: false,
};

/** What a subscriber that leaves the stream has got of it. */
export type SoFar = {
  readonly head: readonly HeadMessage[];
  /** The current GOP, in memory of their own. */
  readonly packets: readonly Packet[];
  /** Channel time of what it got last, in milliseconds. */
  readonly lastMs: number;
  readonly hasSilence: boolean;
};

/**
 * One receiver of a channel's stream: an RTMP push to a target, a preview, later a recorder, an SRT link or a
 * transcoder. The relay's core knows subscribers only by this port.
 *
 * A subscriber is assigned to the rendition of its `choice`. It begins at a packet at which a decoder can begin, then
 * gets every packet of the rendition: one by one, or, while it is in step, with the flush. An error that it throws ends
 * only this subscriber.
 */
export interface Subscriber {
  /** May change until it begins. */
  readonly choice: StreamChoice;
  /**
   * It begins with the cached keyframe if that is at most this old, in milliseconds of media; else with the next one.
   */
  readonly joinBehindMaxMs: number;
  /** Whether it has got nothing yet. */
  readonly isWaitingToBegin: boolean;
  /** Whether it ended, by itself or by `end`: the fan-out drops it. */
  readonly isOver: boolean;
  /** Whether it takes the next packets from the flush batch. False: each packet is offered when it comes. */
  readonly isInStep: boolean;
  /** Begins with this decoder config at `startMs` of channel time; the first packet follows at once. */
  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void;
  /**
   * Takes a packet, also before it began. `isStart`: a decoder can begin here. The packet's memory is reused after
   * the next flush, unless the subscriber holds its block, or marks it as kept.
   */
  offer(packet: Packet, isStart: boolean, packer: Packer): void;
  /** Sends what waits. `batch`: the rendition's packets since the last flush, for subscribers in step. */
  flush(batch: FlushBatch): void;
  /** Called once a second. `streamPerSecond`: mean bytes a second of the rendition, as chunks. */
  tick(streamPerSecond: number): void;
  /** Ends it: the broadcast is over, or it threw. Idempotent. */
  end(how: LinkClose): void;
}
