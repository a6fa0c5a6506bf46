/** What a kind of target is known to accept. An absent field is not known: nothing is guessed. */
export type TargetLimits = {
  /** In the words of `ingest.videoCodec`; the target refuses every other codec. */
  readonly videoCodecs?: readonly string[];
  /** In the words of `ingest.audioCodec`. */
  readonly audioCodecs?: readonly string[];
  /** Bytes a second. */
  readonly videoBytesPerSecondMax?: number;
  /** Bytes a second. */
  readonly audioBytesPerSecondMax?: number;
  /** What the target asks encoders to set. */
  readonly keyframeSecondsAdvised?: number;
  /** Above this it complains. */
  readonly keyframeSecondsMax?: number;
  readonly frameRateMax?: number;
  /** Lines of the video; for upright video its columns. */
  readonly heightMax?: number;
  readonly bFramesMax?: number;
  /** Hertz. */
  readonly sampleRates?: readonly number[];
  readonly audioChannelsMax?: number;
  /** What a stream must have. */
  readonly tracksNeeded?: readonly ("audio" | "video")[];
};

/** Every possible limit, so that an answer can say which of them are not known. */
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

/**
 * How reliable a fact is: `documented` by the platform or a widely used client's list, `reported` by users, or
 * `unknown`.
 */
export const CONFIDENCES = ["documented", "reported", "unknown"] as const;
type Confidence = (typeof CONFIDENCES)[number];

/** What is known of one kind of target. Addresses are suggestions: every one can be edited. */
export type TargetPreset = {
  readonly targetName: string;
  readonly displayName: Bilingual;
  /** Server addresses, the best first; empty where the platform issues one for each account or broadcast. */
  readonly urls: readonly string[];
  /** Addresses of a second server that the platform switches to by itself. */
  readonly backupUrls: readonly string[];
  /** Where to find the address, where it is not one of `urls`. */
  readonly urlHelp?: Bilingual;
  /** What the key looks like and where to find it. */
  readonly keyHelp: Bilingual;
  /** How a refusal or a loss shows there; absent where that is not known. */
  readonly failureHelp?: Bilingual;
  /** The page with the stream key; absent where no public address of it is known. https only. */
  readonly keyPage?: string;
  /** The page for the running broadcast; absent where no public address of it is known. https only. */
  readonly livePage?: string;
  readonly limits: TargetLimits;
  readonly confidence: Confidence;
  /** The sources of these facts. */
  readonly sources: readonly string[];
};
