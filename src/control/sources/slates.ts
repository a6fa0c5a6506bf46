import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, IngestSample } from "../../thread-protocol/samples.ts";
import { formName, slateForm } from "../channels/slate-form.ts";
import type { SlateMaker, SlateStage, SlateState } from "../ports/slate-maker.ts";

export type SlatesDeps = {
  readonly maker: SlateMaker;
  readonly runtime: Pick<SlateStage, "setSlate">;
  readonly log: Log;
};

type Chosen = { readonly fileId: string; form: string | undefined; state: SlateState };

/** The slates of channels: makes each into the form of its stream when that is on air, and gives it to the stream. */
export class Slates {
  readonly #deps: SlatesDeps;
  readonly #chosen = new Map<ChannelId, Chosen>();

  constructor(deps: SlatesDeps) {
    this.#deps = deps;
  }

  /** The channel has this slate from now on; undefined: none. */
  choose(channelId: ChannelId, fileId: string | undefined): void {
    if (fileId === undefined) {
      if (this.#chosen.delete(channelId)) this.#deps.runtime.setSlate(channelId, undefined);
      return;
    }
    this.#chosen.set(channelId, { fileId, form: undefined, state: { at: "waiting" } });
  }

  /** Undefined where the channel has none. */
  state(channelId: ChannelId): SlateState | undefined {
    return this.#chosen.get(channelId)?.state;
  }

  fileOf(channelId: ChannelId): string | undefined {
    return this.#chosen.get(channelId)?.fileId;
  }

  /** Takes every batch of samples: a stream that begins, or has another form, gets its slate. */
  samples(batch: readonly ChannelSample[]): void {
    if (this.#chosen.size === 0) return;
    for (const { channelId, ingest } of batch) {
      const chosen = this.#chosen.get(channelId);
      if (chosen !== undefined) this.#look(channelId, chosen, ingest);
    }
  }

  /** The broadcast is over: the next one may come from another thread, and gets its slate anew. */
  ended(channelId: ChannelId): void {
    const chosen = this.#chosen.get(channelId);
    if (chosen === undefined) return;
    chosen.form = undefined;
    chosen.state = { at: "waiting" };
  }

  #look(channelId: ChannelId, chosen: Chosen, ingest: IngestSample): void {
    if (ingest.state !== "LIVE") return;
    const form = slateForm(ingest);
    if (form === undefined) return;
    if (form === "other") {
      const codecs = [ingest.videoCodec, ingest.audioCodec].filter((codec) => codec !== undefined).join(", ");
      chosen.state = { at: "other-codec", codecs };
      return;
    }
    const name = formName(form);
    if (chosen.form === name) return;
    chosen.form = name;
    chosen.state = { at: "making" };
    void this.#deps.maker.make(chosen.fileId, form).then((made) => {
      // The channel may have another slate, or another form, by now.
      if (this.#chosen.get(channelId) !== chosen || chosen.form !== name) return;
      if ("flv" in made) {
        this.#deps.runtime.setSlate(channelId, made.flv);
        chosen.state = { at: "ready" };
        return;
      }
      chosen.state = { at: "failed", reason: made.reason };
      this.#deps.log.warn("a slate could not be made", { channelId, fileId: chosen.fileId, detail: made.reason });
    });
  }
}
