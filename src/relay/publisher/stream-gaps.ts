import type { StreamMeasures } from "../../thread-protocol/samples.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import { needsHeader } from "../stream/config/needs-header.ts";
import type { MediaMessage } from "../stream/media-message.ts";

/** End marks and empty messages are shorter, and have no meaning, in bytes. */
const BYTES_MIN = 8;
/** This many messages of which none is understood are no accident. */
const MESSAGES_MIN = 50;

const KINDS = ["audio", "video"] as const;

/** Finds what a player would miss in a stream: headers, or anything that can be understood. */
export class StreamGaps {
  readonly #ignored = { audio: 0, video: 0 };

  /** Counts a message that the relay ignored. */
  ignored({ kind, payload }: MediaMessage): void {
    if (payload.length < BYTES_MIN) return;
    if (kind === "video") this.#ignored.video += 1;
    else if (kind === "audio") this.#ignored.audio += 1;
  }

  measures(head: DecoderConfig): Pick<StreamMeasures, "lackHeader" | "unreadable"> {
    const lackHeader = KINDS.filter(
      (kind) => needsHeader(head.codecs(kind).get(0)) && head.trackConfig(kind, 0) === undefined,
    );
    const unreadable = KINDS.filter((kind) => this.#ignored[kind] >= MESSAGES_MIN && head.codecs(kind).size === 0);
    return {
      ...(lackHeader.length === 0 ? {} : { lackHeader }),
      ...(unreadable.length === 0 ? {} : { unreadable }),
    };
  }
}
