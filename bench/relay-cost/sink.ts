import { z } from "zod";
import { type Child, startChild } from "../../test/support/processes/children.ts";
import { waitFor } from "../../test/support/processes/waiting.ts";

const ANSWER_DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;

const stats = z.object({
  /** Of the sink's clock, in microseconds. */
  atUs: z.number(),
  open: z.number(),
  publishing: z.number(),
  /** Publishers that are read: all except those that are set to be stuck. */
  readers: z.number(),
  /** Publishers so far, also those that are gone. */
  accepted: z.number(),
  bytes: z.number(),
  /** Frames of the connections that are checked, and were. */
  whole: z.number(),
  /** Frames that differ from what was sent, or are out of order. */
  wrong: z.number(),
  missing: z.number(),
  /**
   * Frames that are not at their encoder's time, counted from the connection's first video frame, or come after a later
   * one.
   */
  displaced: z.number(),
  /** Before the metadata or the sequence header of their kind. */
  headless: z.number(),
  /** How many connections were checked, apart from those that were set to stop reading, and what they got. */
  connections: z.number(),
  videoLeast: z.number(),
  videoMost: z.number(),
  audioLeast: z.number(),
  audioMost: z.number(),
  /** Number of the video frame that a connection began with: of the one that began last. */
  firstVideoMost: z.number(),
  /** Numbers of the video and audio frame that would have come next, on the connection with the fewest. */
  nextVideoLeast: z.number(),
  nextAudioLeast: z.number(),
  latencies: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
});

const stuckAnswer = z.object({ stuck: z.number() });

/** What reached the sink: bytes on all connections; the rest of the connections it checks. */
export type SinkStats = z.infer<typeof stats>;

export type SinkOptions = {
  readonly program: string;
  /** Where it listens: `ADDRESS:PORT`. */
  readonly place: string;
  /** The command that runs it, such as one in another network namespace; absent: here. */
  readonly wrapper?: readonly string[];
  readonly clip: string;
  /** Number of connections that are checked; of the others the bytes alone are counted. */
  readonly watchedMax: number;
  /** Files; where given it speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
};

/** The sink's process, controlled over its standard input. */
export class Sink {
  readonly pid: number;
  readonly #child: Child;
  #answered = 0;

  private constructor(child: Child) {
    this.#child = child;
    this.pid = child.pid;
  }

  static async start({ program, place, wrapper = [], clip, watchedMax, tls }: SinkOptions): Promise<Sink> {
    const files = tls === undefined ? [] : [tls.certificate, tls.key];
    const [command = "", ...args] = [...wrapper, program, place, clip, String(watchedMax), ...files];
    const child = await startChild(command, args, { isFed: true });
    const sink = new Sink(child);
    await sink.#answer();
    return sink;
  }

  async stats(): Promise<SinkStats> {
    return stats.parse(await this.#ask("stats"));
  }

  /** Latencies are counted from now on. */
  async reset(): Promise<void> {
    await this.#ask("reset");
  }

  /** Every so manieth connection stops reading; returns the number of such targets by now. */
  async stick(every: number): Promise<number> {
    return stuckAnswer.parse(await this.#ask(`stick ${every}`)).stuck;
  }

  async stop(): Promise<void> {
    await this.#child.stop("SIGTERM", STOP_GRACE_MS);
  }

  async #ask(command: string): Promise<unknown> {
    this.#child.write(`${command}\n`);
    return await this.#answer();
  }

  async #answer(): Promise<unknown> {
    const line = await waitFor("the sink's answer", ANSWER_DEADLINE_MS, () => {
      if (!this.#child.isRunning()) throw new Error(`the sink ended: ${this.#child.stderr()}`);
      // The text after the last line break is not a whole line yet.
      return this.#child.stdout().split("\n").slice(0, -1)[this.#answered];
    });
    this.#answered += 1;
    return JSON.parse(line);
  }
}
