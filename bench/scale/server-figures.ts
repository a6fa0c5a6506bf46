/** Frames by reason. */
type Drops = Readonly<Record<string, number>>;

/** What a server says of itself. */
export type ServerFigures = {
  /** Frames dropped for slow targets since it started, by channel and reason. */
  readonly drops: ReadonlyMap<string, Drops>;
  /** The share of its time in which each media thread was busy. */
  readonly loads: readonly number[];
  /** Its troubles and refusals, in words; empty where all is well. */
  readonly says: readonly string[];
};

const DEADLINE_MS = 10_000;

/** Reads its metrics and its readiness. A server that does not answer in time says so by that. */
export async function serverFigures(origin: string | undefined): Promise<ServerFigures> {
  if (origin === undefined) return { drops: new Map(), loads: [], says: [] };
  try {
    const [metrics, ready] = await Promise.all([ask(`${origin}/metrics`), ask(`${origin}/readyz`)]);
    const refused = sum(metrics.text, "fanfare_ingest_refused_total");
    return {
      drops: dropsIn(metrics.text),
      loads: samples(metrics.text, "fanfare_event_loop_load")
        .filter(({ labels }) => !labels.includes('thread="control"') && labels.includes("media"))
        .map(({ value }) => value),
      says: [
        ...(ready.status === 200 ? [] : [`/readyz: ${ready.status} ${ready.text.trim()}`]),
        ...(refused === 0 ? [] : [`${refused} encoders refused`]),
      ],
    };
  } catch (error) {
    return { drops: new Map(), loads: [], says: [`no answer in time: ${String(error)}`] };
  }
}

async function ask(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) });
  return { status: answer.status, text: await answer.text() };
}

type MetricSample = { readonly labels: string; readonly value: number };

function samples(text: string, name: string): MetricSample[] {
  return text.split("\n").flatMap((line) => {
    const [, found, labels = "", value] = /^(\w+)(\{[^}]*\})? (\S+)$/.exec(line) ?? [];
    return found === name ? [{ labels, value: Number(value) }] : [];
  });
}

function sum(text: string, name: string): number {
  return samples(text, name).reduce((total, { value }) => total + value, 0);
}

function dropsIn(text: string): ReadonlyMap<string, Drops> {
  const drops = new Map<string, Record<string, number>>();
  for (const { labels, value } of samples(text, "fanfare_target_dropped_frames_total")) {
    const [, channel = ""] = /channel_id="([^"]*)"/.exec(labels) ?? [];
    const [, reason = ""] = /reason="([^"]*)"/.exec(labels) ?? [];
    const ofChannel = drops.get(channel) ?? {};
    ofChannel[reason] = (ofChannel[reason] ?? 0) + value;
    drops.set(channel, ofChannel);
  }
  return drops;
}
