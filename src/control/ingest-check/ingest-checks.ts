import type { Clock } from "../../base/clock.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, IngestSample } from "../../thread-protocol/samples.ts";
import type { Target } from "../channels/channel.ts";
import { isOn } from "../channels/target-windows.ts";
import type { OverThreshold, ServerFact, SilenceChanged } from "../facts/server-fact.ts";
import type { Bilingual } from "../presets/target-preset.ts";
import { displayNameOf, limitsOf } from "../presets/target-presets.ts";
import { type FindingCode, findIngestFaults, findTargetFaults } from "./ingest-findings.ts";
import { describeFinding, type WarningSeverity } from "./ingest-sentences.ts";
import { ThresholdWatch } from "./over-threshold.ts";
import { type PlacedFinding, SteadyFindings } from "./steady-findings.ts";

/** What a person should change about a running stream, and for which target; without one: for all. */
export type IngestWarning = {
  readonly code: FindingCode;
  readonly severity: WarningSeverity;
  readonly message: Bilingual;
  readonly targetId?: TargetId;
};

type CheckedTarget = Pick<Target, "targetId" | "targetName" | "isEnabled" | "isOutsideWindows" | "tracks">;

export type IngestChecksOptions = {
  readonly clock: Clock;
  /** The channel's targets as stored; undefined where there is no such channel. */
  readonly readTargets: (channelId: ChannelId) => Promise<readonly CheckedTarget[] | undefined>;
  /** Called once in a broadcast for each rate that stays above a target's limit. Must not throw. */
  readonly publish: (fact: OverThreshold | SilenceChanged) => void;
};

/** The state of one broadcast. */
type Check = {
  /** The encoder that is being measured. */
  encoder: string;
  /** Since when, in monotonic milliseconds; undefined while it is lost. */
  sinceMs: number | undefined;
  state: CheckState;
  steady: SteadyFindings;
  readonly threshold: ThresholdWatch;
  /** How long the audio has been silent; undefined while it is not. */
  silentSeconds: number | undefined;
  targets: readonly CheckedTarget[];
  /** `unread`: to be read again before the next check. Until then the former targets count. */
  reading: "unread" | "reading" | "read";
  warnings: readonly IngestWarning[];
};

/** How long after an encoder's start the check stays open, in milliseconds: the measurements need this time. */
const CHECKING_MS = 20_000;

/** Whether an encoder was measured for long enough to say that nothing is wrong. */
export type CheckState = "checking" | "done";

/**
 * Compares what encoders send with what their channels' targets accept, once a second, and says what to change.
 * Remembers only channels on air.
 */
export class IngestChecks {
  readonly #options: IngestChecksOptions;
  readonly #checks = new Map<ChannelId, Check>();

  constructor(options: IngestChecksOptions) {
    this.#options = options;
  }

  /** Takes the measures, once a second. */
  samples(samples: readonly ChannelSample[]): void {
    for (const { channelId, ingest } of samples) this.#sample(channelId, ingest);
  }

  /** Forgets a broadcast that is over, and reads the targets of a changed channel again. */
  fact(fact: ServerFact): void {
    if (fact.kind === "ingest-ended" && fact.isBroadcastOver) this.#checks.delete(fact.channelId);
    if (fact.kind === "channel-changed") this.#changed(fact.channelId);
  }

  #changed(channelId: ChannelId): void {
    const check = this.#checks.get(channelId);
    if (check === undefined) return;
    const isUnderWay = check.reading === "reading";
    check.reading = "unread";
    if (!isUnderWay) void this.#read(channelId, check);
  }

  /** The present warnings. */
  warnings(channelId: ChannelId): readonly IngestWarning[] {
    return this.#checks.get(channelId)?.warnings ?? [];
  }

  /** Undefined while nothing arrives. */
  state(channelId: ChannelId): CheckState | undefined {
    const check = this.#checks.get(channelId);
    return check?.sinceMs === undefined ? undefined : check.state;
  }

  #sample(channelId: ChannelId, ingest: IngestSample): void {
    if (ingest.state === "ENDED") this.#checks.delete(channelId);
    // Nothing about the test pattern is an encoder's setting.
    if (ingest.state !== "LIVE" || ingest.testPatternEndTime !== undefined) {
      this.#pause(channelId);
      return;
    }
    const check = this.#checkOf(channelId, ingest);
    if (check.reading === "unread") void this.#read(channelId, check);
    const nowMs = this.#options.clock.now();
    check.sinceMs ??= nowMs;
    check.state = nowMs - check.sinceMs < CHECKING_MS ? "checking" : "done";
    const findings = findAll(ingest, check.targets);
    check.steady.take(findings, nowMs);
    show(check);
    this.#noteSilence(channelId, check, findings);
    const time = this.#options.clock.wallNow();
    for (const breach of check.threshold.take(findings, nowMs)) {
      this.#options.publish({ kind: "over-threshold", time, channelId, ...breach });
    }
  }

  /** Reports where silence begins and where it ends. */
  #noteSilence(channelId: ChannelId, check: Check, findings: readonly PlacedFinding[]): void {
    const found = findings.find(({ code }) => code === "AUDIO_SILENT")?.found;
    const before = check.silentSeconds;
    check.silentSeconds = found === undefined ? undefined : Number(found);
    if ((before === undefined) === (found === undefined)) return;
    const isOver = found === undefined;
    const time = this.#options.clock.wallNow();
    const seconds = before ?? Number(found);
    this.#options.publish({ kind: "silence-changed", time, channelId, seconds, isOver });
  }

  /** Without media there are no findings; an encoder that comes back is measured from the beginning. */
  #pause(channelId: ChannelId): void {
    const check = this.#checks.get(channelId);
    if (check === undefined) return;
    check.threshold.pause();
    check.silentSeconds = undefined;
    check.steady = new SteadyFindings();
    check.sinceMs = undefined;
    check.warnings = [];
  }

  /** Another encoder is measured from the beginning; an alert already made in this broadcast is not repeated. */
  #checkOf(channelId: ChannelId, { slot, startTime, remoteAddress }: IngestSample): Check {
    const encoder = `${slot} ${startTime} ${remoteAddress}`;
    const known = this.#checks.get(channelId);
    if (known === undefined) {
      const check: Check = {
        encoder,
        sinceMs: undefined,
        state: "checking",
        steady: new SteadyFindings(),
        threshold: new ThresholdWatch(),
        silentSeconds: undefined,
        targets: [],
        reading: "unread",
        warnings: [],
      };
      this.#checks.set(channelId, check);
      return check;
    }
    if (known.encoder !== encoder) {
      known.encoder = encoder;
      known.sinceMs = undefined;
      known.steady = new SteadyFindings();
      known.threshold.pause();
      known.silentSeconds = undefined;
    }
    return known;
  }

  /** A database that cannot be read is asked again at the next sample; a change meanwhile is read again. */
  async #read(channelId: ChannelId, check: Check): Promise<void> {
    check.reading = "reading";
    try {
      check.targets = (await this.#options.readTargets(channelId)) ?? [];
      if (check.reading === "reading") check.reading = "read";
      show(check);
    } catch {
      check.reading = "unread";
    }
  }
}

function show(check: Check): void {
  check.warnings = describeAll(check.steady.shown, check.targets);
}

function findAll(ingest: IngestSample, targets: readonly CheckedTarget[]): readonly PlacedFinding[] {
  const ofTargets = targets
    .filter(isOn)
    .flatMap(({ targetId, targetName, tracks }) =>
      findTargetFaults(ingest, limitsOf(targetName), tracks).map((finding) => ({ ...finding, targetId })),
    );
  // A need that is known of a platform is reported for that platform, not for the stream as well.
  const said = new Set<string>(ofTargets.map(({ code }) => code));
  return [...findIngestFaults(ingest).filter(({ code }) => !said.has(code)), ...ofTargets];
}

/** A target that is removed or switched off has no warnings, even within a warning's minimum time. */
function describeAll(findings: readonly PlacedFinding[], targets: readonly CheckedTarget[]): readonly IngestWarning[] {
  return findings.flatMap((finding) => {
    const { code, targetId } = finding;
    if (targetId === undefined) return [{ code, ...describeFinding(finding) }];
    const target = targets.find((each) => each.targetId === targetId && isOn(each));
    if (target === undefined) return [];
    return [{ code, ...describeFinding(finding, displayNameOf(target.targetName)), targetId }];
  });
}
