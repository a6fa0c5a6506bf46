import { TS_PACKET_BYTES } from "../packets/packet-reader.ts";

const PAYLOAD_BYTES = 184;
const PCR_BYTES = 6;
const RANDOM_ACCESS = 0x40;
const HAS_PCR = 0x10;
const STUFFING = 0xff;
const PID_HIGH_START = 0x40;

export type PacketMarks = {
  /** A decoder can begin here. */
  readonly isRandomAccess?: boolean;
  /** Program clock reference, 90 kHz, 33 bits. */
  readonly pcr?: number;
};

/** Cuts payloads into packets (ISO/IEC 13818-1, 2.4.3), and counts those of each PID. */
export class PacketWriter {
  readonly #continuity = new Map<number, number>();

  /**
   * The packets of a section or PES packet. What is missing in the last one is stuffing before the payload. The marks
   * are those of the first packet.
   */
  packets(pid: number, payload: Buffer, { isRandomAccess = false, pcr }: PacketMarks = {}): Buffer {
    const firstAdaptation = pcr !== undefined ? 2 + PCR_BYTES : isRandomAccess ? 2 : 0;
    const afterFirst = Math.max(0, payload.length - (PAYLOAD_BYTES - firstAdaptation));
    const count = 1 + Math.ceil(afterFirst / PAYLOAD_BYTES);
    const out = Buffer.allocUnsafe(count * TS_PACKET_BYTES);
    let continuity = this.#continuity.get(pid) ?? 0;
    for (let index = 0, from = 0; index < count; index += 1) {
      const at = index * TS_PACKET_BYTES;
      const own = index === 0 ? firstAdaptation : 0;
      const length = Math.min(PAYLOAD_BYTES - own, payload.length - from);
      const adaptation = PAYLOAD_BYTES - length;
      out[at] = 0x47;
      out[at + 1] = (index === 0 ? PID_HIGH_START : 0) | (pid >> 8);
      out[at + 2] = pid & 0xff;
      out[at + 3] = (adaptation > 0 ? 0x30 : 0x10) | continuity;
      continuity = (continuity + 1) & 0x0f;
      if (adaptation > 0) {
        const flags = own === 0 ? 0 : (isRandomAccess ? RANDOM_ACCESS : 0) | (pcr === undefined ? 0 : HAS_PCR);
        writeAdaptation(out, at + 4, adaptation, flags);
        if (own > 2 && pcr !== undefined) writePcr(out, at + 6, pcr);
      }
      payload.copy(out, at + TS_PACKET_BYTES - length, from, from + length);
      from += length;
    }
    this.#continuity.set(pid, continuity);
    return out;
  }

  /** A packet with nothing but a clock reference; it does not count. */
  pcrPacket(pid: number, pcr: number): Buffer {
    const out = Buffer.alloc(TS_PACKET_BYTES);
    out[0] = 0x47;
    out[1] = pid >> 8;
    out[2] = pid & 0xff;
    out[3] = 0x20 | (((this.#continuity.get(pid) ?? 0) + 15) & 0x0f);
    writeAdaptation(out, 4, PAYLOAD_BYTES, HAS_PCR);
    writePcr(out, 6, pcr);
    return out;
  }
}

/** An adaptation field of so many bytes, its length byte included: flags, and stuffing in place of all fields. */
function writeAdaptation(out: Buffer, at: number, bytes: number, flags: number): void {
  out[at] = bytes - 1;
  if (bytes === 1) return;
  out[at + 1] = flags;
  out.fill(STUFFING, at + 2, at + bytes);
}

function writePcr(out: Buffer, at: number, pcr: number): void {
  out.writeUInt32BE(Math.floor(pcr / 2), at);
  // The lowest bit, six reserved ones, and an extension of 0.
  out[at + 4] = ((pcr % 2) << 7) | 0x7e;
  out[at + 5] = 0;
}
