import { mpegCrc32 } from "./crc32.ts";

/** Table id, and the length of what follows. */
const HEAD_BYTES = 3;
/** The same, with id, version, number of the section, and the CRC at the end. */
const SECTION_BYTES_MIN = 12;
/** The longest that a PAT or PMT may be; private sections may be longer, and are passed over. */
const SECTION_BYTES_MAX = 1_024;
const STUFFING = 0xff;
const NOTHING: Buffer = Buffer.alloc(0);

/** Takes a section whose CRC is right and which applies now, without its CRC; lent until it returns. */
export type OnSection = (section: Buffer) => void;

/**
 * Assembles the sections of one table from packets. A section that is the same as the last one is passed over: a table is
 * repeated ten times a second. Other tables may share the packets. ISO/IEC 13818-1, 2.4.4.
 */
export class Sections {
  readonly #tableId: number;
  readonly #onSection: OnSection;
  #bytes = Buffer.alloc(SECTION_BYTES_MAX);
  #length = 0;
  #isAssembling = false;
  /** Bytes of a section that is not wanted, still to come. */
  #skip = 0;
  #last = NOTHING;

  constructor(tableId: number, onSection: OnSection) {
    this.#tableId = tableId;
    this.#onSection = onSection;
  }

  /** Takes the payload of a packet, at `packet[from…end)`. `isStart`: a section begins in it. */
  take(packet: Buffer, from: number, end: number, isStart: boolean): void {
    if (!isStart) return this.#goOn(packet, from, end);
    const first = from + 1 + (packet[from] ?? 0);
    if (first > end) return this.abandon();
    this.#goOn(packet, from + 1, first);
    this.abandon();
    this.#isAssembling = true;
    this.#goOn(packet, first, end);
  }

  /** Packets were lost. */
  abandon(): void {
    this.#isAssembling = false;
    this.#length = 0;
    this.#skip = 0;
  }

  #goOn(packet: Buffer, from: number, end: number): void {
    let at = from;
    while (this.#isAssembling && at < end) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, end - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      if (this.#length === 0 && packet[at] === STUFFING) return this.abandon();
      const missing = this.#total() - this.#length;
      const taken = Math.min(missing, end - at);
      packet.copy(this.#bytes, this.#length, at, at + taken);
      this.#length += taken;
      at += taken;
      if (taken === missing) this.#tookPart();
    }
  }

  /** Bytes of the present section, or of its head while that is not complete. */
  #total(): number {
    if (this.#length < HEAD_BYTES) return HEAD_BYTES;
    return HEAD_BYTES + (this.#bytes.readUInt16BE(1) & 0x0fff);
  }

  #tookPart(): void {
    const total = this.#total();
    if (this.#length < total || this.#length === HEAD_BYTES) {
      const isWanted = this.#bytes[0] === this.#tableId && total >= SECTION_BYTES_MIN && total <= SECTION_BYTES_MAX;
      if (isWanted) return;
      this.#skip = total - this.#length;
      this.#length = 0;
      return;
    }
    this.#length = 0;
    const section = this.#bytes.subarray(0, total);
    if (section.equals(this.#last)) return;
    // A section that will only apply later has no current_next_indicator.
    if ((section.readUInt8(5) & 1) === 0 || mpegCrc32(section, 0, total) !== 0) return;
    this.#last = Buffer.from(section);
    this.#onSection(section.subarray(0, total - 4));
  }
}
