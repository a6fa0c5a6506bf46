/** What is known of how a kind of target may be fed. A field that is absent is not known: nothing is guessed. */
export type TargetLimits = {
  /** In the words of `ingest.videoCodec`; every other is refused by the target. */
  readonly videoCodecs?: readonly string[];
  /** In the words of `ingest.audioCodec`. */
  readonly audioCodecs?: readonly string[];
  /** Bytes a second. */
  readonly videoBytesPerSecondMax?: number;
  /** Bytes a second. */
  readonly audioBytesPerSecondMax?: number;
  /** What the target asks encoders to be set to. */
  readonly keyframeSecondsAdvised?: number;
  /** Above this it complains. */
  readonly keyframeSecondsMax?: number;
  readonly frameRateMax?: number;
  /** Lines of the video; of upright video its columns. */
  readonly heightMax?: number;
  readonly bFramesMax?: number;
  /** Hertz. */
  readonly sampleRates?: readonly number[];
  readonly audioChannelsMax?: number;
  /** What a stream has to have. */
  readonly tracksNeeded?: readonly ("audio" | "video")[];
};

/** Every limit there can be, so that an answer can say which of them are not known. */
export const LIMIT_NAMES = [
  "videoCodecs",
  "audioCodecs",
  "videoBytesPerSecondMax",
  "audioBytesPerSecondMax",
  "keyframeSecondsAdvised",
  "keyframeSecondsMax",
  "frameRateMax",
  "heightMax",
  "bFramesMax",
  "sampleRates",
  "audioChannelsMax",
  "tracksNeeded",
] as const satisfies readonly (keyof TargetLimits)[];

/** A sentence in both languages. */
export type Bilingual = { readonly en: string; readonly ko: string };

/** How well something is known: `documented` by the platform or a widely used client's list, `reported` by users, or `unknown`. */
export const CONFIDENCES = ["documented", "reported", "unknown"] as const;
type Confidence = (typeof CONFIDENCES)[number];

/** What is known of one kind of target. Addresses are hints: every one may be edited. */
export type TargetPreset = {
  readonly targetName: string;
  readonly displayName: Bilingual;
  /** Server addresses, the best first; empty where the platform hands out one for each account or broadcast. */
  readonly urls: readonly string[];
  /** A second way in that the platform itself switches to. */
  readonly backupUrls: readonly string[];
  /** Where the address comes from, where it is not simply one of `urls`. */
  readonly urlHelp?: Bilingual;
  /** What the key looks like and where it is found. */
  readonly keyHelp: Bilingual;
  /** How a refusal or a loss looks there; absent where that is not known. */
  readonly failureHelp?: Bilingual;
  readonly limits: TargetLimits;
  readonly confidence: Confidence;
  /** What all this rests on. */
  readonly sources: readonly string[];
};
