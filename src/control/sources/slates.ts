import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, IngestSample, SlateMisfit } from "../../thread-protocol/samples.ts";
import { formName, type SlateForm, slateForm, steadyForm } from "../channels/slate-form.ts";
import type { SlateMaker, SlateStage, SlateState } from "../ports/slate-maker.ts";

export type SlatesDeps = {
  readonly maker: SlateMaker;
  readonly runtime: Pick<SlateStage, "setSlate">;
  readonly log: Log;
};

type Chosen = {
  readonly fileId: string;
  /** The form of the slate that was made, or is being made. */
  form: SlateForm | undefined;
  /** A form that the stream may have now, and in how many samples it had it. */
  next: { readonly form: SlateForm; readonly samples: number } | undefined;
  unknownSamples: number;
  state: SlateState;
};

/** An encoder's first frame rate is measured over less than a whole window, of two seconds: a form counts from here on. */
const STEADY_SAMPLES = 3;

/** A stream that has not said its form in so many samples, one each second, never will. */
const UNKNOWN_SAMPLES_MAX = 10;

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
    this.#chosen.set(channelId, {
      fileId,
      form: undefined,
      next: undefined,
      unknownSamples: 0,
      state: { at: "waiting" },
    });
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
    chosen.next = undefined;
    chosen.unknownSamples = 0;
    chosen.state = { at: "waiting" };
  }

  #look(channelId: ChannelId, chosen: Chosen, ingest: IngestSample): void {
    if (ingest.state !== "LIVE") return;
    const found = slateForm(ingest);
    if (found === undefined) return unknown(chosen);
    chosen.unknownSamples = 0;
    if (found === "other") {
      const { videoCodec, pixelFormat, audioCodec } = ingest;
      const video = [videoCodec, pixelFormat].filter((word) => word !== undefined).join(" ");
      chosen.form = undefined;
      chosen.state = { at: "other-codec", codecs: audioCodec === undefined ? video : `${video}, ${audioCodec}` };
      return;
    }
    judge(chosen, ingest.slateMisfit);
    if (!isNew(chosen, found)) return;
    const { form } = chosen.next;
    chosen.form = form;
    chosen.state = { at: "making" };
    void this.#deps.maker.make(chosen.fileId, form).then((made) => {
      // The channel may have another slate, or another form, by now.
      if (this.#chosen.get(channelId) !== chosen || chosen.form !== form) return;
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

/** The stream does not say its form, or not yet. */
function unknown(chosen: Chosen): void {
  chosen.unknownSamples += 1;
  if (chosen.unknownSamples < UNKNOWN_SAMPLES_MAX) return;
  chosen.form = undefined;
  chosen.state = { at: "unfit", why: "unknown" };
}

/** A slate that was made is ready where the relay can show it. */
function judge(chosen: Chosen, misfit: SlateMisfit | undefined): void {
  if (chosen.form === undefined || (chosen.state.at !== "ready" && chosen.state.at !== "unfit")) return;
  chosen.state = misfit === undefined ? { at: "ready" } : { at: "unfit", why: misfit };
}

/** Whether the stream has had another form than the slate for long enough. */
function isNew(chosen: Chosen, found: SlateForm): chosen is Chosen & { next: NonNullable<Chosen["next"]> } {
  const form = steadyForm(found, chosen.next?.form ?? chosen.form);
  if (chosen.form !== undefined && formName(chosen.form) === formName(form)) {
    chosen.next = undefined;
    return false;
  }
  const isSame = chosen.next !== undefined && formName(chosen.next.form) === formName(form);
  chosen.next = isSame && chosen.next !== undefined ? { form, samples: chosen.next.samples + 1 } : { form, samples: 1 };
  return chosen.next.samples >= STEADY_SAMPLES;
}
