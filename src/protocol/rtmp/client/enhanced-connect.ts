import { type Amf0Object, type Amf0Value, amf0Object, numberProperty, property } from "../../amf0/value.ts";

/** Bits of `capsEx` in connect and its reply (Enhanced RTMP v2, "Enhancing NetConnection connect Command"). */
export const CapsEx = { Reconnect: 1, Multitrack: 2, ModEx: 4, TimestampNanoOffset: 8 } as const;

const CAPS_ALL = CapsEx.Reconnect | CapsEx.Multitrack | CapsEx.ModEx | CapsEx.TimestampNanoOffset;
/** In a codec's mask: the codec is passed on unchanged. */
const CAN_FORWARD = 4;
const FOURCC_LIST_MAX = 64;

/**
 * What our client announces: every codec is passed on unchanged, and every form of v2 is read. `lacks`: bits of `capsEx`
 * to leave out.
 *
 * Without `fourCcList`, v1's list of codecs that a client can receive, which a publisher does not. It is the only array
 * in `connect`, and servers that cannot read arrays close there (MediaMTX up to 1.6.0), or never reply (go2rtc).
 */
export function enhancedProperties(lacks = 0): Readonly<Record<string, Amf0Value>> {
  const anyCodec: Amf0Object = amf0Object({ "*": CAN_FORWARD });
  return { videoFourCcInfoMap: anyCodec, audioFourCcInfoMap: anyCodec, capsEx: CAPS_ALL & ~lacks };
}

/**
 * What our server announces in its reply: the same, and v1's list. Nothing to a client that announced nothing itself: such
 * clients may be unable to read an array, and wait for a reply for ever (go2rtc).
 */
export function enhancedReply(client: EnhancedPeer): Readonly<Record<string, Amf0Value>> {
  const knowsEnhanced = client.capsEx > 0 || client.fourCcs.length > 0;
  return knowsEnhanced ? { fourCcList: ["*"], ...enhancedProperties() } : {};
}

/** What a peer announced in connect, or in its reply. */
export type EnhancedPeer = {
  readonly capsEx: number;
  /** FourCCs, or `*` for any; empty where the peer does not support Enhanced RTMP, or says nothing. */
  readonly fourCcs: readonly string[];
};

export const PLAIN_PEER: EnhancedPeer = { capsEx: 0, fourCcs: [] };

/** Reads the properties of connect or of its `_result`. Malformed ones count as absent. */
export function readEnhancedPeer(properties: Amf0Value): EnhancedPeer {
  const caps = numberProperty(properties, "capsEx");
  const list = property(properties, "fourCcList");
  const listed = Array.isArray(list) ? list.slice(0, FOURCC_LIST_MAX) : [];
  const maps = ["videoFourCcInfoMap", "audioFourCcInfoMap"].flatMap((name) => namesOf(property(properties, name)));
  const fourCcs = [...listed, ...maps].filter((name) => typeof name === "string" && name.length <= 4) as string[];
  return { capsEx: caps !== undefined && Number.isInteger(caps) && caps > 0 && caps < 2 ** 31 ? caps : 0, fourCcs };
}

function namesOf(value: Amf0Value | undefined): string[] {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind === "date") return [];
  return [...value.entries.keys()].slice(0, FOURCC_LIST_MAX);
}

/** Whether a peer announced that it accepts a codec by its FourCC. */
export function takesFourCc(peer: EnhancedPeer, fourCc: string): boolean {
  return peer.fourCcs.includes("*") || peer.fourCcs.includes(fourCc);
}
