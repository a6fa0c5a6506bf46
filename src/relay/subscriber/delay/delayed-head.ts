import { classifyMessage } from "../../stream/classify-message.ts";
import { DecoderConfig } from "../../stream/config/decoder-config.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { PacketKind } from "../../stream/packet.ts";
import { StreamMemory } from "../../stream/stream-memory.ts";

/** The decoder config of a delayed stream, at the place where it leaves. */
export class DelayedHead {
  #config = new DecoderConfig();
  #memory = new StreamMemory();

  /** The stream begins with these. */
  reset(messages: readonly HeadMessage[]): void {
    this.#config = new DecoderConfig();
    this.#memory = new StreamMemory();
    for (const { kind, payload } of messages) this.take(kind, payload);
  }

  /**
   * Takes metadata, or a sequence header. Returns whether frames before it cannot be decoded with what is known now: metadata
   * and a track's first header change nothing about them.
   */
  take(kind: PacketKind, payload: Buffer): boolean {
    if (kind === "data") {
      this.#config.setMetadata(payload, false);
      return false;
    }
    const classified = classifyMessage({ kind, timestamp: 0, payload }, this.#memory);
    if (classified.what !== "config") return false;
    const isChange = classified.parts.some(({ slot }) => this.#config.configs.has(slot));
    this.#config.takeConfig(classified);
    return isChange;
  }

  /** The default audio track's sequence header; undefined where there is none. */
  get audio(): Buffer | undefined {
    return this.#config.config("audio");
  }

  messages(): HeadMessage[] {
    return this.#config.messages();
  }
}
