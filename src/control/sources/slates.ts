import { slateSentence } from "../../api-contract/sources/source-sentences.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, IngestSample, SlateMisfit } from "../../thread-protocol/samples.ts";
import { formName, type SlateForm, slateForm, steadyForm } from "../channels/slate-form.ts";
import type { SlateFailed } from "../facts/server-fact.ts";
import {
  isSlateTrouble,
  type SlateMaker,
  type SlateStage,
  type SlateState,
  type SlateTrouble,
} from "../ports/slate-maker.ts";

export type SlatesDeps = {
  readonly maker: SlateMaker;
  readonly runtime: Pick<SlateStage, "setSlate">;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a slate cannot be shown: once for each reason in a broadcast. */
  readonly publish: (fact: SlateFailed) => void;
};

type Chosen = {
  readonly fileId: string;
  /** The form of the slate that was made, or is being made. */
  form: SlateForm | undefined;
  /** Aborts the making of a slate that is not needed any more. */
  making: AbortController | undefined;
  /** A form that the stream may have now, and in how many samples it had it, at any frame rate and at this one. */
  next: { readonly form: SlateForm; readonly samples: number; readonly samplesAtRate: number } | undefined;
  unknownSamples: number;
  state: SlateState;
  /** In how many samples the slate could not be shown, one after the other, for the same reason. */
  troubleSamples: { readonly sentence: string; readonly count: number } | undefined;
  /** Reasons that were published in this broadcast. */
  readonly published: Set<string>;
};

/** An encoder's first frame rate is measured over less than a whole window, of two seconds: a form counts from here on. */
const STEADY_SAMPLES = 3;
/**
 * Phones and screen captures never have the same frame rate for long: after so many samples it is taken as it is. Another
 * rate alone is worth another slate when it has lasted as long.
 */
const RESTLESS_SAMPLES = 10;

/** A stream that has not said its form in so many samples, one each second, never will. */
const UNKNOWN_SAMPLES_MAX = 10;

/** A slate that could not be shown for so many samples is reported: a stream that changes gets another one before that. */
const TROUBLE_SAMPLES = 5;

/** The slates of channels: makes each into the form of its stream when that is on air, and gives it to the stream. */
export class Slates {
  readonly #deps: SlatesDeps;
  readonly #chosen = new Map<ChannelId, Chosen>();

  constructor(deps: SlatesDeps) {
    this.#deps = deps;
  }

  /** The channel has this slate from now on; undefined: none. */
  choose(channelId: ChannelId, fileId: string | undefined): void {
    this.#chosen.get(channelId)?.making?.abort();
    if (fileId === undefined) {
      if (this.#chosen.delete(channelId)) this.#deps.runtime.setSlate(channelId, undefined);
      return;
    }
    this.#chosen.set(channelId, {
      ...{ fileId, form: undefined, making: undefined, next: undefined, unknownSamples: 0 },
      ...{ state: { at: "waiting" }, troubleSamples: undefined, published: new Set() },
    });
  }

  /** Undefined where the channel has none. */
  state(channelId: ChannelId): SlateState | undefined {
    return this.#chosen.get(channelId)?.state;
  }

  /** Why the slate cannot be shown; undefined where it can, where there is none, and before that is sure. */
  trouble(channelId: ChannelId): SlateTrouble | undefined {
    const chosen = this.#chosen.get(channelId);
    const isSure = chosen?.troubleSamples !== undefined && chosen.troubleSamples.count >= TROUBLE_SAMPLES;
    return isSure && isSlateTrouble(chosen.state) ? chosen.state : undefined;
  }

  fileOf(channelId: ChannelId): string | undefined {
    return this.#chosen.get(channelId)?.fileId;
  }

  /** Takes every batch of samples: a stream that begins, or has another form, gets its slate. */
  samples(batch: readonly ChannelSample[]): void {
    if (this.#chosen.size === 0) return;
    for (const { channelId, ingest } of batch) {
      const chosen = this.#chosen.get(channelId);
      if (chosen === undefined || ingest.state !== "LIVE") continue;
      this.#look(channelId, chosen, ingest);
      this.#watchTrouble(channelId, chosen);
    }
  }

  /** The broadcast is over: the next one may come from another thread, and gets its slate anew. */
  ended(channelId: ChannelId): void {
    const chosen = this.#chosen.get(channelId);
    if (chosen !== undefined) this.choose(channelId, chosen.fileId);
  }

  #look(channelId: ChannelId, chosen: Chosen, ingest: IngestSample): void {
    const found = slateForm(ingest);
    if (found === undefined) return unknown(chosen);
    chosen.unknownSamples = 0;
    if (found === "other") {
      const { videoCodec, pixelFormat, audioCodec } = ingest;
      const video = [videoCodec, pixelFormat].filter((word) => word !== undefined).join(" ");
      forget(chosen);
      chosen.state = { at: "other-codec", codecs: audioCodec === undefined ? video : `${video}, ${audioCodec}` };
      return;
    }
    judge(chosen, ingest.slateMisfit);
    if (isNew(chosen, found)) this.#make(channelId, chosen, chosen.next.form);
  }

  #make(channelId: ChannelId, chosen: Chosen, form: SlateForm): void {
    const { maker, runtime, log } = this.#deps;
    forget(chosen);
    const making = new AbortController();
    chosen.form = form;
    chosen.making = making;
    chosen.state = { at: "making" };
    void maker.make(chosen.fileId, form, making.signal).then((made) => {
      if (making.signal.aborted) return;
      chosen.making = undefined;
      if ("flv" in made) {
        runtime.setSlate(channelId, made.flv);
        chosen.state = { at: "ready" };
        return;
      }
      chosen.state = { at: "failed", reason: made.reason };
      log.warn("a slate could not be made", { channelId, fileId: chosen.fileId, detail: made.reason });
    });
  }

  #watchTrouble(channelId: ChannelId, chosen: Chosen): void {
    const { state, troubleSamples, published } = chosen;
    if (!isSlateTrouble(state)) {
      chosen.troubleSamples = undefined;
      return;
    }
    const [sentence] = slateSentence(state);
    const count = troubleSamples?.sentence === sentence ? troubleSamples.count + 1 : 1;
    chosen.troubleSamples = { sentence, count };
    if (count < TROUBLE_SAMPLES || published.has(state.at)) return;
    published.add(state.at);
    this.#deps.publish({ kind: "slate-failed", time: this.#deps.clock.wallNow(), channelId, sentence });
  }
}

/** The stream has no form that a slate stands for, or another one now. */
function forget(chosen: Chosen): void {
  chosen.making?.abort();
  chosen.making = undefined;
  chosen.form = undefined;
}

/** The stream does not say its form, or not yet. */
function unknown(chosen: Chosen): void {
  chosen.unknownSamples += 1;
  if (chosen.unknownSamples < UNKNOWN_SAMPLES_MAX) return;
  forget(chosen);
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
  const before = chosen.next;
  const isSame = before !== undefined && isAlike(before.form, form);
  const isSameRate = isSame && formName(before.form) === formName(form);
  chosen.next = {
    form,
    samples: isSame ? before.samples + 1 : 1,
    samplesAtRate: isSameRate ? before.samplesAtRate + 1 : 1,
  };
  const { samples, samplesAtRate } = chosen.next;
  const isRateAlone = chosen.form !== undefined && isAlike(chosen.form, form);
  if (isRateAlone) return samplesAtRate >= RESTLESS_SAMPLES;
  return samplesAtRate >= STEADY_SAMPLES || samples >= RESTLESS_SAMPLES;
}

/** Whether they differ in their frame rates at most. */
function isAlike(left: SlateForm, right: SlateForm): boolean {
  return formName({ ...left, frameRate: right.frameRate }) === formName(right);
}
