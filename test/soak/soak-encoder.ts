import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import type { EncoderFaultKind } from "./matrix/fault-plan.ts";
import type { SentStream } from "./streams/sent-stream.ts";

/** Video; the audio adds almost nothing. */
export const ENCODER_KILOBITS = 1_500;
/** Apart enough for hours of frames of one life, and for many lives within 32 bits. */
const SERIALS_PER_LIFE = 1_000_000;
const SERIALS_PER_CHANNEL = 400_000_000;
/** Edges where clocks of 32 bits turn negative, or wrap: lives take turns. */
const EDGES_MS = [2 ** 31, 2 ** 32] as const;
/** A life crosses its edge so long after its beginning. */
const EDGE_AFTER_MS = 20_000;
/** How soon it comes back where the server closed its connection. */
const RETURN_MS = 1_000;

export type SoakEncoderOptions = {
  readonly url: string;
  readonly streamKey: string;
  /** From 0; no two channels send the same bytes. */
  readonly channel: number;
  readonly sent: SentStream;
  readonly onProblem: (problem: string) => void;
};

/** A channel's encoder: it publishes, fails on request, and comes back, with other bytes each time. */
export class SoakEncoder {
  readonly #options: SoakEncoderOptions;
  readonly #done: Promise<void>;
  #current: KitEncoder | undefined;
  #lives = 0;
  #isStopping = false;
  /** The fault that this life ends by, and how long it stays away. */
  #awayMs: number | undefined;
  /** The server may close a frozen encoder's connection. */
  #isFrozen = false;

  constructor(options: SoakEncoderOptions) {
    this.#options = options;
    this.#done = this.#live();
  }

  get lives(): number {
    return this.#lives;
  }

  begin(kind: EncoderFaultKind, forMs: number): void {
    if (kind === "encoder-freeze") {
      this.#isFrozen = true;
      return this.#current?.freeze();
    }
    this.#awayMs = forMs;
    this.#options.sent.lost();
    void this.#current?.stop("reset");
  }

  heal(kind: EncoderFaultKind): void {
    if (kind !== "encoder-freeze" || !this.#isFrozen) return;
    this.#isFrozen = false;
    this.#options.sent.thawed();
    this.#current?.thaw();
  }

  /** Ends the broadcast as OBS does. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#current?.stop("clean");
    await this.#done;
  }

  async #live(): Promise<void> {
    const { url, streamKey, channel, sent, onProblem } = this.#options;
    while (!this.#isStopping) {
      const firstSerial = channel * SERIALS_PER_CHANNEL + this.#lives * SERIALS_PER_LIFE;
      const edgeMs = EDGES_MS[(channel + this.#lives) % EDGES_MS.length] ?? 0;
      this.#lives += 1;
      const clip = sent.follow(syntheticClip({ kilobits: ENCODER_KILOBITS, firstSerial }));
      this.#current = new KitEncoder({ url, streamKey, clip, time: { startMs: edgeMs - EDGE_AFTER_MS } });
      const { end } = await this.#current.closed;
      if (this.#isStopping) return;
      const awayMs = this.#awayMs ?? RETURN_MS;
      const isExpected = this.#awayMs !== undefined || (this.#isFrozen && end?.how === "lost");
      if (!isExpected) onProblem(`the encoder ended by itself: ${JSON.stringify(end)}`);
      this.#awayMs = undefined;
      this.#isFrozen = false;
      await pass(awayMs);
    }
  }
}
