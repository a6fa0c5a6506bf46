import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

/** Connections kept open to the server. */
const SOCKETS_MAX = 32;

export type Load = {
  readonly origin: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** The next request: its kind, its target, its headers. */
  readonly next: () => {
    readonly kind: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
  };
};

/** Latencies in milliseconds by kind, from the moment each request was due, and answers other than 200. */
export type LoadResult = {
  readonly latencies: ReadonlyMap<string, readonly number[]>;
  readonly failures: readonly string[];
};

/**
 * Sends requests at a steady rate whether or not earlier ones are answered, and counts from when each was due: a server
 * that stands still for a second shows it in all requests of that second.
 */
export async function runLoad({ origin, perSecond, seconds, next }: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const latencies = new Map<string, number[]>();
  const failures: string[] = [];
  const startMs = performance.now();
  const total = perSecond * seconds;
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const nowMs = performance.now() - startMs;
    for (const dueCount = Math.min(total, Math.ceil((nowMs / 1_000) * perSecond)); sent < dueCount; sent += 1) {
      const dueMs = startMs + (sent / perSecond) * 1_000;
      const { kind, target, headers } = next();
      const answered = send(agent, `${origin}${target}`, headers).then(
        (status) => {
          if (status !== 200) failures.push(`${kind}: ${status}`);
          const known = latencies.get(kind) ?? [];
          known.push(performance.now() - dueMs);
          latencies.set(kind, known);
        },
        (error: unknown) => void failures.push(`${kind}: ${String(error)}`),
      );
      running.push(answered);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  agent.destroy();
  return { latencies, failures };
}

/** Resolves with the status of the answer once it has been read whole. */
export function send(
  agent: Agent,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers }, (answer) => {
      text(answer).then(() => resolve(answer.statusCode), reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The value that this share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
