import type { Packet, PacketKind } from "../stream/packet.ts";

/** A message to be written in a wire form. */
export type WireMessage = {
  readonly kind: PacketKind;
  /** RTMP message type; FLV tags have the same numbers. */
  readonly type: number;
  readonly payload: Buffer;
  /** Milliseconds of channel time. */
  readonly timeMs: number;
};

/** Makes the bytes of one message. May keep state from one message to the next. */
export type PackMessage = (message: WireMessage) => Buffer;

/**
 * How messages are written for one kind of receiver: FLV tags, RTMP messages for players, MPEG-TS. A constant:
 * renditions identify a form by object identity. RTMP chunks for targets need no form, since packets are stored as
 * those (`rtmp-chunks`).
 */
export type WireForm = {
  readonly name: string;
  /** Called once for each rendition that has subscribers of this form. */
  readonly newPacker: () => PackMessage;
};

/** The source of subscribers' bytes: the rendition that they are assigned to. */
export interface Packer {
  /** Whether it sends silence in place of audio that the stream does not have; absent: no. */
  readonly isAddingSilence?: boolean;
  /**
   * A packet's bytes in this form. Made when the first subscriber of the form asks, and the same buffer for all of
   * them: it must not be changed.
   */
  pack(form: WireForm, packet: Packet): Buffer;
  /** Bytes of a message that only one subscriber gets, such as its decoder config. */
  packOwn(form: WireForm, message: WireMessage): Buffer;
}
