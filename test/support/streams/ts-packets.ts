import type { TsMessage } from "../../../src/protocol/mpegts/message-order.ts";
import { mpegCrc32 } from "../../../src/protocol/mpegts/packets/crc32.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";

const PACKET_BYTES = 188;
const PAYLOAD_BYTES = 184;

export const PMT_PID = 0x1000;
export const VIDEO_PID = 0x100;
export const AUDIO_PID = 0x101;

export type StreamEntry = { readonly pid: number; readonly type: number; readonly descriptors?: string };

export const AVC: StreamEntry = { pid: VIDEO_PID, type: 0x1b };
export const ADTS: StreamEntry = { pid: AUDIO_PID, type: 0x0f };
/** Parameter sets of FFmpeg's: H.264 of 320 × 180, H.265 of 160 × 90. */
export const SPS = "674D400DECA0A0CFCF80880000030008000003019078A14CB0";
export const PPS = "68CE3C80";
export const VPS = "40010C01FFFF01600000030090000003000003003C959409";
export const HEVC_SPS = "42010101600000030090000003000003003CA00A080C1F3E595952930BC05A020000030002000003003210";
export const HEVC_PPS = "4401C073C189";

type ProgramTable = { readonly program: number; readonly pmtPid: number; readonly streams: readonly StreamEntry[] };

/** Writes transport streams by hand, with any shape that an encoder may send. */
export class TsWriter {
  readonly #continuity = new Map<number, number>();

  /** A payload in as many packets as it takes, with the last one stuffed. */
  packets(pid: number, payload: Buffer, { isStart = true, isDiscontinuity = false } = {}): Buffer {
    const packets: Buffer[] = [];
    for (let at = 0, first = true; at < payload.length; first = false) {
      const flags = first && isDiscontinuity ? 0x80 : 0;
      const room = PAYLOAD_BYTES - (flags === 0 ? 0 : 2);
      const part = payload.subarray(at, at + room);
      const stuffing = PAYLOAD_BYTES - part.length;
      const packet = Buffer.alloc(PACKET_BYTES, 0xff);
      packet[0] = 0x47;
      packet.writeUInt16BE((first && isStart ? 0x4000 : 0) | pid, 1);
      packet[3] = (stuffing > 0 ? 0x30 : 0x10) | this.next(pid);
      if (stuffing > 0) packet[4] = stuffing - 1;
      if (stuffing > 1) packet[5] = flags;
      part.copy(packet, PACKET_BYTES - part.length);
      packets.push(packet);
      at += part.length;
    }
    return Buffer.concat(packets);
  }

  /** The next packet's count; `skip` leaves out as many. */
  next(pid: number, skip = 0): number {
    const continuity = ((this.#continuity.get(pid) ?? -1) + 1 + skip) & 0x0f;
    this.#continuity.set(pid, continuity);
    return continuity;
  }

  section(pid: number, section: Buffer): Buffer {
    return this.packets(pid, Buffer.concat([Buffer.from([0]), section]));
  }

  tables(streams: readonly StreamEntry[], version = 0): Buffer {
    return Buffer.concat([
      this.section(0, pat([{ program: 1, pmtPid: PMT_PID }])),
      this.section(PMT_PID, pmt(1, streams, version)),
    ]);
  }

  /** The tables of several programs. */
  programs(programs: readonly ProgramTable[]): Buffer {
    const listed = pat(programs);
    return Buffer.concat([
      this.section(0, listed),
      ...programs.map(({ program, pmtPid, streams }) => this.section(pmtPid, pmt(program, streams))),
    ]);
  }

  /** A packet that holds nothing but a clock reference, in 90 kHz. */
  clock(pid: number, base: number): Buffer {
    const packet = Buffer.alloc(PACKET_BYTES, 0xff);
    packet[0] = 0x47;
    packet.writeUInt16BE(pid, 1);
    packet[3] = 0x20;
    packet[4] = PACKET_BYTES - 5;
    packet[5] = 0x10;
    packet.writeUInt32BE(Math.floor(base / 2), 6);
    packet.writeUInt16BE(((base % 2) << 15) | 0x7e00, 10);
    return packet;
  }

  /** A PES packet in transport packets. */
  pes(pid: number, data: Buffer, times: PesTimes = {}): Buffer {
    return this.packets(pid, pesPacket(pid === VIDEO_PID ? 0xe0 : 0xc0, data, times));
  }
}

function pat(programs: readonly { readonly program: number; readonly pmtPid: number }[]): Buffer {
  const entries = programs.map(({ program, pmtPid }) => {
    const entry = Buffer.alloc(4);
    entry.writeUInt16BE(program, 0);
    entry.writeUInt16BE(0xe000 | pmtPid, 2);
    return entry;
  });
  return closed(0, 1, 0, Buffer.concat(entries));
}

/** A PMT section. */
export function pmt(program: number, streams: readonly StreamEntry[], version = 0): Buffer {
  const entries = streams.map(({ pid, type, descriptors = "" }) => {
    const own = Buffer.from(descriptors, "hex");
    const entry = Buffer.alloc(5);
    entry[0] = type;
    entry.writeUInt16BE(0xe000 | pid, 1);
    entry.writeUInt16BE(0xf000 | own.length, 3);
    return Buffer.concat([entry, own]);
  });
  return closed(2, program, version, Buffer.concat([Buffer.from("e100f000", "hex"), ...entries]));
}

/** A section with its length and CRC. `isNow`: it applies now, not later. */
export function closed(tableId: number, id: number, version: number, body: Buffer, isNow = true): Buffer {
  const section = Buffer.alloc(8 + body.length + 4);
  section[0] = tableId;
  section.writeUInt16BE(0xb000 | (section.length - 3), 1);
  section.writeUInt16BE(id, 3);
  section[5] = 0xc0 | (version << 1) | (isNow ? 1 : 0);
  body.copy(section, 8);
  section.writeUInt32BE(mpegCrc32(section, 0, section.length - 4), section.length - 4);
  return section;
}

/** `miscountedBy`: the length field is wrong by so many bytes. It has 16 bits, whatever the length. */
type PesTimes = {
  readonly pts?: number;
  readonly dts?: number;
  readonly hasLength?: boolean;
  readonly miscountedBy?: number;
};

function pesPacket(streamId: number, data: Buffer, { pts, dts, hasLength = true, miscountedBy = 0 }: PesTimes): Buffer {
  const times = Buffer.concat([
    ...(pts === undefined ? [] : [timeField(dts === undefined ? 2 : 3, pts)]),
    ...(dts === undefined ? [] : [timeField(1, dts)]),
  ]);
  const head = Buffer.from([0, 0, 1, streamId, 0, 0, 0x80, pts === undefined ? 0 : dts === undefined ? 0x80 : 0xc0, 0]);
  head[8] = times.length;
  if (hasLength) head.writeUInt16BE((3 + times.length + data.length + miscountedBy) & 0xffff, 4);
  return Buffer.concat([head, times, data]);
}

function timeField(prefix: number, time: number): Buffer {
  const field = Buffer.alloc(5);
  field[0] = (prefix << 4) | (Math.floor(time / 2 ** 30) << 1) | 1;
  field.writeUInt16BE((Math.floor(time / 2 ** 15) % 2 ** 15) * 2 + 1, 1);
  field.writeUInt16BE((time % 2 ** 15) * 2 + 1, 3);
  return field;
}

/** A whole stream's messages. */
export function demuxed(...parts: readonly Buffer[]): readonly TsMessage[] {
  const demuxer = new TsDemuxer();
  return [...demuxer.push(Buffer.concat(parts)), ...demuxer.end()];
}

/** Messages as text, without metadata. */
export function shown(messages: readonly TsMessage[]): readonly string[] {
  return messages
    .filter(({ kind }) => kind !== "data")
    .map(({ kind, timestamp, payload }) => `${kind} ${timestamp} ${payload.toString("hex")}`);
}

/** NAL units with start codes. */
export function annexB(...units: readonly string[]): Buffer {
  return Buffer.from(units.map((unit) => `00000001${unit}`).join(""), "hex");
}

/** A frame of AAC, 48 kHz mono, in ADTS. */
export function adts(body: string): Buffer {
  const bytes = Buffer.from(`FFF14C40000FFC${body}`, "hex");
  bytes[4] = bytes.length >> 3;
  bytes[5] = ((bytes.length & 7) << 5) | 0x1f;
  return bytes;
}
