import type { Packet } from "../stream/packet.ts";
import { payloadOf } from "./rtmp-chunks.ts";
import type { Packer, PackMessage, WireForm, WireMessage } from "./wire-form.ts";

type Packed = { readonly pack: PackMessage; packet: Packet | undefined; bytes: Buffer };

const NO_BYTES: Buffer = Buffer.alloc(0);

/** The wire forms of one rendition. Each packet is packed once for each form that a subscriber asks for. */
export class PackedForms implements Packer {
  readonly #forms = new Map<WireForm, Packed>();
  #lastPacket: Packet | undefined;
  #lastPayload = NO_BYTES;

  pack(form: WireForm, packet: Packet): Buffer {
    const packed = this.#packed(form);
    if (packed.packet !== packet) {
      const { kind, type, timeMs } = packet;
      packed.bytes = packed.pack({ kind, type, timeMs, payload: this.#payloadOf(packet) });
      packed.packet = packet;
    }
    return packed.bytes;
  }

  packOwn(form: WireForm, message: WireMessage): Buffer {
    return this.#packed(form).pack(message);
  }

  /** Frees the last packet's bytes. */
  forgetBytes(): void {
    if (this.#lastPacket === undefined) return;
    this.#lastPacket = undefined;
    this.#lastPayload = NO_BYTES;
    for (const packed of this.#forms.values()) {
      packed.packet = undefined;
      packed.bytes = NO_BYTES;
    }
  }

  /** Gathered from the chunks once for all forms. */
  #payloadOf(packet: Packet): Buffer {
    if (this.#lastPacket !== packet) {
      this.#lastPayload = payloadOf(packet);
      this.#lastPacket = packet;
    }
    return this.#lastPayload;
  }

  #packed(form: WireForm): Packed {
    const known = this.#forms.get(form);
    if (known !== undefined) return known;
    const made: Packed = { pack: form.newPacker(), packet: undefined, bytes: NO_BYTES };
    this.#forms.set(form, made);
    return made;
  }
}
