import { z } from "zod";
import type { SourceStatus } from "../../control/channels/source.ts";
import type { CheckState, IngestWarning } from "../../control/ingest-check/ingest-checks.ts";
import type { ChannelLive, TargetLive } from "../../control/ports/runtime.ts";
import type { SlateState } from "../../control/ports/slate-maker.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";

/**
 * A channel's state as its owner tells it to the other nodes: JSON, without secrets. A node that plays the channel's source,
 * or did, tells that too, also where it does not own the channel.
 */
export type ToldChannel = {
  readonly channelId: ChannelId;
  /** The ownership in which this was true; 0: this node does not own the channel. */
  readonly epoch: number;
  /** Absent: this node does not own the channel, or has released it. */
  readonly live?: Omit<ChannelLive, "targets" | "owner"> & {
    readonly targets: readonly (TargetLive & { readonly targetId: TargetId })[];
  };
  readonly warnings?: readonly IngestWarning[];
  readonly checkState?: CheckState;
  /** What the channel's source does at this node, or did last. */
  readonly source?: SourceStatus;
  /** How the channel's slate is; absent where there is none. */
  readonly slate?: SlateState;
};

/** The most targets and warnings of one channel that are taken from another node. */
const LIST_MAX = 200;
const TEXT_MAX = 4_096;
/** So few targets and findings always fit. */
const ENTRIES_FEW = 10;
/** Characters of a sentence about a target of a channel that is too long for a message. */
const SENTENCE_MAX = 80;
/** Characters of FFmpeg's words that are told. */
const DETAIL_MAX = 1_000;

const text = z.string().max(TEXT_MAX);
const number = z.number();
// Codes are texts: a newer node may have codes that this one does not know, with sentences of its own.
const sentence = { code: text, message: text, messageKo: text };
const warning = z.looseObject({
  code: text,
  severity: z.enum(["warning", "error"]),
  message: z.looseObject({ en: text, ko: text }),
  targetId: number.optional(),
});
const status = z.looseObject({
  status: z.enum(["READY", "CONNECTING", "PUBLISHING", "FAIL"]),
  sinceTime: number,
  lastError: z.looseObject({ ...sentence, severity: z.enum(["transient", "fatal"]), time: number }).optional(),
  warning: z.looseObject(sentence).optional(),
  retryAttempt: number.optional(),
  nextRetryTime: number.optional(),
});
const sample = z.looseObject({
  targetId: number,
  bytesPerSecond: number,
  bytesTotal: number,
  playMs: number,
  retryCount: number,
  droppedFrames: number,
  drops: z.looseObject({ overTime: number, overBytes: number, untilKeyframe: number }),
  queueMs: number,
  unackedBytes: number.optional(),
  ackedBytes: number.optional(),
  isUnstable: z.boolean(),
});
const ingest = z.looseObject({
  state: z.enum(["LIVE", "HELD", "ENDED"]),
  slot: z.enum(["main", "backup"]),
  remoteAddress: text,
  encoder: text,
  startTime: number,
  testPatternEndTime: number.optional(),
  bytesPerSecond: number,
  bytesTotal: number,
  standbyDiffers: text.optional(),
  measures: z.looseObject({}).optional(),
});
const live = z.looseObject({
  isPublishing: z.boolean(),
  startTime: number.optional(),
  hold: z.looseObject({ endTime: number, limitTime: number }).optional(),
  ingest: ingest.optional(),
  targets: z
    .array(z.looseObject({ targetId: number, status, sample: sample.optional(), onAirMs: number.optional() }))
    .max(LIST_MAX),
});
const variant = z.looseObject({
  bitRate: number,
  width: number.optional(),
  height: number.optional(),
  codecs: text.optional(),
});
const link = z.looseObject({ ...status.shape, isUnstable: z.boolean(), variant: variant.optional() });
const source = z.discriminatedUnion("state", [
  z.looseObject({
    state: z.literal("stopped"),
    sinceTime: number,
    reason: text.optional(),
    detail: text.optional(),
  }),
  z.looseObject({ state: z.literal("starting"), sinceTime: number, link: link.optional() }),
  z
    .looseObject({
      state: z.literal("failed"),
      sinceTime: number,
      link: link.optional(),
      reason: text.optional(),
      detail: text.optional(),
    })
    .refine((failed) => failed.link !== undefined || failed.reason !== undefined),
  z.looseObject({
    state: z.literal("playing"),
    sinceTime: number,
    position: number.optional(),
    fileId: text.optional(),
    link: link.optional(),
  }),
]);
const slate = z.discriminatedUnion("at", [
  z.looseObject({ at: z.enum(["waiting", "making", "ready"]) }),
  z.looseObject({ at: z.literal("other-codec"), codecs: text }),
  z.looseObject({ at: z.literal("unfit"), why: z.enum(["tracks", "form", "unknown"]) }),
  z.looseObject({ at: z.literal("failed"), reason: text }),
]);
const told = z.looseObject({
  channelId: z.string().min(1).max(64),
  epoch: z.int().min(0),
  live: live.optional(),
  warnings: z.array(warning).max(LIST_MAX).optional(),
  checkState: z.enum(["checking", "done"]).optional(),
  source: source.optional(),
  slate: slate.optional(),
});

/** Whether another node's message has this form. Fields that this program does not know are ignored. */
function isToldChannel(value: unknown): value is ToldChannel {
  return told.safeParse(value).success;
}

/** Returns the channels of a list that another program sent; skips everything else. */
export function readToldChannels(value: unknown): readonly ToldChannel[] {
  return Array.isArray(value) ? value.flatMap(readToldChannel) : [];
}

/** A newer node may have words for sources and slates that this program does not know. The rest of the channel counts. */
function readToldChannel(value: unknown): readonly ToldChannel[] {
  if (isToldChannel(value)) return [value];
  if (typeof value !== "object" || value === null) return [];
  const rest: unknown = { ...value, source: undefined, slate: undefined };
  return isToldChannel(rest) ? [rest] : [];
}

/** The form in which the owner tells its state. */
export function tellLive({ targets, owner: _owner, ...rest }: ChannelLive): NonNullable<ToldChannel["live"]> {
  return { ...rest, targets: [...targets].map(([targetId, each]) => ({ ...each, targetId })) };
}

/**
 * The same channel with as much as fits into so many bytes of JSON: a channel with a hundred targets that all failed is longer than
 * a message. What is left out first is what people miss least: counters, the findings of the ingest check, and then the ends of
 * the sentences about targets. Their states and codes stay.
 */
export function fitted(told: ToldChannel, bytesMax: number): ToldChannel {
  const entries = (told.live?.targets.length ?? 0) + (told.warnings?.length ?? 0);
  if (entries < ENTRIES_FEW) return told;
  let short = told;
  for (const shorten of SHORTER) {
    if (sizeOf(short) <= bytesMax) break;
    short = shorten(short);
  }
  return short;
}

/** The length of a channel in a list, in bytes. */
export function sizeOf(told: ToldChannel): number {
  return Buffer.byteLength(JSON.stringify(told)) + 1;
}

type ToldTarget = NonNullable<ToldChannel["live"]>["targets"][number];

const SHORTER: readonly ((told: ToldChannel) => ToldChannel)[] = [
  (told) => withTargets(told, ({ sample: _sample, ...rest }) => rest),
  (told) => ({ ...told, warnings: [] }),
  (told) =>
    withTargets(told, ({ status: { lastError, warning, ...status }, ...rest }) => ({
      ...rest,
      status: {
        ...status,
        ...(lastError === undefined ? {} : { lastError: withShortSentence(lastError) }),
        ...(warning === undefined ? {} : { warning: withShortSentence(warning) }),
      },
    })),
];

function withShortSentence<Said extends { readonly message: string; readonly messageKo: string }>(said: Said): Said {
  const short = (sentence: string) =>
    sentence.length > SENTENCE_MAX ? `${sentence.slice(0, SENTENCE_MAX - 1)}…` : sentence;
  return { ...said, message: short(said.message), messageKo: short(said.messageKo) };
}

function withTargets(told: ToldChannel, change: (target: ToldTarget) => ToldTarget): ToldChannel {
  const { live: whole } = told;
  return whole === undefined ? told : { ...told, live: { ...whole, targets: whole.targets.map(change) } };
}

/** FFmpeg's own words, as far as other nodes need them. */
export function tellSource(status: SourceStatus): SourceStatus {
  if (!("detail" in status) || status.detail === undefined) return status;
  return { ...status, detail: status.detail.slice(0, DETAIL_MAX) };
}

/** The state that another node told. */
export function hearLive({ targets, ...rest }: NonNullable<ToldChannel["live"]>): ChannelLive {
  return { ...rest, targets: new Map(targets.map(({ targetId, ...each }) => [targetId, each])) };
}

/** The counters of a channel on air that another node told; undefined where it told none. */
export function sampleOf({ channelId, live: told }: ToldChannel): ChannelSample | undefined {
  if (told?.ingest === undefined || !told.isPublishing) return undefined;
  return { channelId, ingest: told.ingest, targets: told.targets.flatMap((target) => target.sample ?? []) };
}
