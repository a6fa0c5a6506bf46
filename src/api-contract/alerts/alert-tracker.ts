import type { AlertSeverity } from "./alert-rules.ts";

/** A channel's verdict, as far as alerts depend on it. */
export type AlertVerdict = {
  readonly state: "healthy" | "attention" | "broken" | "waiting" | "off";
  readonly reason?: { readonly code: string; readonly platId?: number | undefined } | undefined;
};

/** One alert: what is wrong with a channel now. */
export type Alert<Verdict extends AlertVerdict> = {
  readonly channelId: string;
  /** For an unstable channel the worst since the last alert. */
  readonly severity: AlertSeverity;
  readonly verdict: Verdict;
  /** How often trouble began within the last minute, if more than once; else 0. */
  readonly troubleCount: number;
};

/** What people were told of a channel last, for a process that goes on with its broadcast. Plain data. */
export type ToldTrouble = {
  /** Identifies the trouble; empty: none, or its end was told. */
  readonly key: string;
  readonly rank: number;
  /** For how much longer only a worse trouble makes an alert, in milliseconds. */
  readonly quietMs: number;
};

/** A channel has one alert within this time, in milliseconds, and a second one only where it gets worse. */
const ALERT_WINDOW_MS = 60_000;
/** Trouble that began this often since the last alert makes a channel unstable. */
const UNSTABLE_COUNT = 2;

const RANKS = { broken: 2, attention: 1, healthy: 0, waiting: 0, off: 0 } as const;
const SEVERITIES = ["healthy", "attention", "broken"] as const;

type Entry<Verdict> = {
  /** Undefined: none yet in this process, which goes on with what another one told. */
  seen: Verdict | undefined;
  /** The trouble of the last alert; empty: none, or it is over. */
  reportedKey: string;
  /** Until then there is no alert, except where it gets worse. */
  quietUntilMs: number;
  reportedRank: number;
  /** Since the last alert: how often trouble began, and the worst of it. */
  troubleCount: number;
  worstRank: number;
  /** A change that makes an alert once the quiet time is over. */
  isDue: boolean;
};

/**
 * Turns the verdicts of channels into alerts. A channel's first verdict is its starting point, not an alert. A person's
 * own actions make no alert either: the end of a broadcast, a channel that is turned off, platforms that are all turned
 * off on air. Pure: the time is an argument.
 */
export class AlertTracker<Verdict extends AlertVerdict> {
  readonly #entries = new Map<string, Entry<Verdict>>();

  /** Takes a channel's present verdict. Returns the alert to send at once. */
  take(channelId: string, verdict: Verdict, nowMs: number): Alert<Verdict> | undefined {
    const entry = this.#entries.get(channelId);
    if (entry === undefined) {
      this.#entries.set(channelId, { seen: verdict, ...NOTHING_TOLD });
      return undefined;
    }
    const before = entry.seen;
    entry.seen = verdict;
    if (!isOnAir(verdict)) {
      Object.assign(entry, { reportedKey: "", troubleCount: 0, worstRank: 0, isDue: false });
      return undefined;
    }
    if (keyOf(verdict) === (before === undefined ? entry.reportedKey : keyOf(before))) return undefined;
    const rank = RANKS[verdict.state];
    if (rank > 0) {
      const isBetter = rank < (before === undefined ? entry.reportedRank : RANKS[before.state]);
      const wasOnAir = before === undefined || isOnAir(before);
      if (isBetter || (verdict.reason?.code === "PLATFORMS_OFF" && wasOnAir)) return undefined;
      entry.troubleCount += 1;
      entry.worstRank = Math.max(entry.worstRank, rank);
    } else if (entry.reportedKey === "" && !entry.isDue) return undefined;
    if (nowMs >= entry.quietUntilMs || rank > entry.reportedRank) return alertOf(channelId, entry, verdict, nowMs);
    entry.isDue = true;
    return undefined;
  }

  /**
   * A broadcast ended that no person ended. Returns an alert with this verdict, unless the channel had one of that
   * severity within the last minute.
   */
  lost(channelId: string, verdict: Verdict, nowMs: number): Alert<Verdict> | undefined {
    const entry = this.#entries.get(channelId) ?? { seen: verdict, ...NOTHING_TOLD };
    const rank = RANKS[verdict.state];
    if (nowMs < entry.quietUntilMs && entry.reportedRank >= rank) return undefined;
    this.#entries.set(channelId, { ...entry, quietUntilMs: nowMs + ALERT_WINDOW_MS, reportedRank: rank });
    return { channelId, severity: severityOf(rank), verdict, troubleCount: 0 };
  }

  /** Returns the alerts that waited for the end of their channels' quiet times. */
  due(nowMs: number): readonly Alert<Verdict>[] {
    const alerts: Alert<Verdict>[] = [];
    for (const [channelId, entry] of this.#entries) {
      if (!entry.isDue || nowMs < entry.quietUntilMs) continue;
      entry.isDue = false;
      const { seen } = entry;
      if (seen === undefined) continue;
      const isSame = keyOf(seen) === entry.reportedKey;
      if (!isSame || entry.troubleCount >= UNSTABLE_COUNT) alerts.push(alertOf(channelId, entry, seen, nowMs));
    }
    return alerts;
  }

  /** The time of the next alert that `due` returns, on the same clock; undefined while none waits. */
  get nextDueMs(): number | undefined {
    const times = [...this.#entries.values()].filter(({ isDue }) => isDue).map(({ quietUntilMs }) => quietUntilMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What was told of a channel last; undefined where that changes nothing from now on. */
  told(channelId: string, nowMs: number): ToldTrouble | undefined {
    const entry = this.#entries.get(channelId);
    if (entry === undefined) return undefined;
    const { reportedKey: key, reportedRank: rank, quietUntilMs } = entry;
    const quietMs = Math.max(0, quietUntilMs - nowMs);
    return key === "" && quietMs === 0 ? undefined : { key, rank, quietMs };
  }

  /** Goes on with what another process told of a channel: its next verdict is compared with that. */
  resume(channelId: string, { key, rank, quietMs }: ToldTrouble, nowMs: number): void {
    const quietUntilMs = nowMs + Math.min(quietMs, ALERT_WINDOW_MS);
    this.#entries.set(channelId, {
      ...NOTHING_TOLD,
      seen: undefined,
      reportedKey: key,
      reportedRank: rank,
      quietUntilMs,
    });
  }

  /** The channel is deleted. */
  forget(channelId: string): void {
    this.#entries.delete(channelId);
  }

  /** From now on each channel's next verdict is its first. */
  clear(): void {
    this.#entries.clear();
  }
}

const NOTHING_TOLD = { reportedKey: "", quietUntilMs: 0, reportedRank: 0, troubleCount: 0, worstRank: 0, isDue: false };

const isOnAir = ({ state }: AlertVerdict): boolean => state !== "waiting" && state !== "off";
const severityOf = (rank: number): AlertSeverity => SEVERITIES[rank] ?? "healthy";

/** Two verdicts with the same text need no second alert. Empty: there is no trouble. */
function keyOf({ state, reason }: AlertVerdict): string {
  return RANKS[state] === 0 ? "" : `${state} ${reason?.code ?? ""} ${reason?.platId ?? ""}`;
}

function alertOf<Verdict extends AlertVerdict>(
  channelId: string,
  entry: Entry<Verdict>,
  verdict: Verdict,
  nowMs: number,
): Alert<Verdict> {
  const { troubleCount, worstRank } = entry;
  const isUnstable = troubleCount >= UNSTABLE_COUNT;
  const rank = isUnstable ? worstRank : RANKS[verdict.state];
  Object.assign(entry, {
    reportedKey: keyOf(verdict),
    quietUntilMs: nowMs + ALERT_WINDOW_MS,
    // A message that everything is healthy does not make the next trouble count as worse.
    reportedRank: rank === 0 ? entry.reportedRank : rank,
    troubleCount: 0,
    worstRank: 0,
    isDue: false,
  });
  return { channelId, severity: severityOf(rank), verdict, troubleCount: isUnstable ? troubleCount : 0 };
}
