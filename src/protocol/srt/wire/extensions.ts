// Extensions of the conclusion: draft-sharabayko-srt, section 3.2.1. Each has a type, a length in words, and content.

const TYPES = {
  settingsRequest: 1,
  settingsResponse: 2,
  keyRequest: 3,
  keyResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(TYPES));

/** Version and abilities that a side announces, and the latencies that it proposes or decides. */
export type Settings = {
  /** 0x00MMmmpp. */
  readonly version: number;
  readonly flags: number;
  /** How long this side, as receiver, waits for a lost packet, in milliseconds. */
  readonly receiveLatencyMs: number;
  /** How long the other side, as receiver, should wait, in milliseconds. */
  readonly sendLatencyMs: number;
};

export const SETTING_FLAGS = {
  /** As sender, it sets timestamps; as receiver, it delivers by them. */
  timedSender: 0x01,
  timedReceiver: 0x02,
  encryption: 0x04,
  dropsTooLate: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  /** The buffer API, for files. */
  stream: 0x40,
} as const;

/** What we announce: all that live mode needs, and no packet filter. */
export const OUR_FLAGS = 0x3f;
/** The version that we announce. libsrt refuses HSv5 with one below 1.3.0. */
export const OUR_VERSION = 0x00010503;

/** A stream ID is at most this long, in bytes. */
const STREAM_ID_BYTES_MAX = 512;

export type Extensions = {
  readonly settings?: Settings;
  /** The content of a key message or, in a response, one word that tells why there is no key. */
  readonly key?: Buffer;
  /** Undefined where absent; `invalid` where it is too long. */
  readonly streamId?: Buffer | "invalid";
  readonly congestion?: string;
  readonly hasFilter: boolean;
  readonly hasGroup: boolean;
};

type Draft = { -readonly [Name in keyof Extensions]: Extensions[Name] };

/**
 * Reads what follows the fixed part of a conclusion. Undefined where it is malformed. Unknown types are skipped: makers of
 * encoders have their own. One that does not fit ends what can be read, as for libsrt.
 */
export function readExtensions(bytes: Buffer): Extensions | undefined {
  const found: Draft = { hasFilter: false, hasGroup: false };
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const type = bytes.readUInt16BE(at);
    const end = at + 4 + bytes.readUInt16BE(at + 2) * 4;
    if (end > bytes.length) return KNOWN_TYPES.has(type) ? undefined : found;
    if (!takeExtension(found, type, bytes.subarray(at + 4, end))) return undefined;
    at = end;
  }
  return found;
}

function takeExtension(found: Draft, type: number, content: Buffer): boolean {
  switch (type) {
    case TYPES.settingsRequest:
    case TYPES.settingsResponse:
      if (content.length < 12) return false;
      found.settings = {
        version: content.readUInt32BE(0),
        flags: content.readUInt32BE(4),
        receiveLatencyMs: content.readUInt16BE(8),
        sendLatencyMs: content.readUInt16BE(10),
      };
      return true;
    case TYPES.keyRequest:
    case TYPES.keyResponse:
      found.key = content;
      return true;
    case TYPES.streamId:
      found.streamId = content.length > STREAM_ID_BYTES_MAX ? "invalid" : readText(content);
      return true;
    case TYPES.congestion:
      if (found.congestion !== undefined) return false;
      found.congestion = readText(content).toString("latin1");
      return true;
    case TYPES.filter:
      found.hasFilter = true;
      return true;
    case TYPES.group:
      found.hasGroup = true;
      return true;
    default:
      return true;
  }
}

export function settingsExtension(kind: "request" | "response", settings: Settings): Buffer {
  const content = Buffer.allocUnsafe(12);
  content.writeUInt32BE(settings.version, 0);
  content.writeUInt32BE(settings.flags, 4);
  content.writeUInt16BE(settings.receiveLatencyMs, 8);
  content.writeUInt16BE(settings.sendLatencyMs, 10);
  return extension(kind === "request" ? TYPES.settingsRequest : TYPES.settingsResponse, content);
}

export function keyExtension(kind: "request" | "response", message: Buffer): Buffer {
  return extension(kind === "request" ? TYPES.keyRequest : TYPES.keyResponse, message);
}

export function streamIdExtension(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  bytes.copy(padded);
  return extension(TYPES.streamId, padded.swap32());
}

function extension(type: number, content: Buffer): Buffer {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(content.length / 4, 2);
  return Buffer.concat([head, content]);
}

/** Texts are padded with zeros to whole words, of which the bytes are then reversed. */
function readText(content: Buffer): Buffer {
  const text = Buffer.from(content).swap32();
  let end = text.length;
  while (end > 0 && text.readUInt8(end - 1) === 0) end -= 1;
  return text.subarray(0, end);
}
