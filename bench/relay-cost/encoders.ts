import { z } from "zod";
import { type Child, startChild } from "../../test/support/processes/children.ts";
import { waitFor } from "../../test/support/processes/waiting.ts";
import type { Ingest } from "./relay.ts";

const CONNECT_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 3_000;

const totals = z.object({
  channels: z.number(),
  /** Of all channels together. */
  frames: z.number(),
  bytes: z.number(),
  /** Of each channel; 0 where no end was set. */
  videoFrames: z.number(),
  audioFrames: z.number(),
  /** How many of these audio frames come before the first video frame: a target begins with that one. */
  earlyAudioFrames: z.number(),
});

export type SentTotals = z.infer<typeof totals>;

export type EncodersOptions = {
  readonly program: string;
  readonly clip: string;
  /** How many times real time they send. */
  readonly speed: number;
  /** So many rounds of the clip from the one in which `mayEnd` was called, then each ends its stream; absent: they go on. */
  readonly rounds: number | undefined;
  readonly ingests: readonly Ingest[];
};

/** The encoders of all channels, in one process. */
export class Encoders {
  readonly pid: number;
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
    this.pid = child.pid;
  }

  /** Resolves once all of them publish. */
  static async start({ program, clip, speed, rounds, ingests }: EncodersOptions): Promise<Encoders> {
    const args = [clip, String(speed), ...(rounds === undefined ? [] : [String(rounds)])];
    const child = await startChild(program, args, { isFed: true });
    // The blank line ends the list.
    child.write(`${ingests.map(({ port, app, key }) => `${port} ${app} ${key}\n`).join("")}\n`);
    await waitFor("the encoders to publish", CONNECT_DEADLINE_MS, () => {
      if (child.stdout().includes("ready")) return true;
      if (!child.isRunning()) throw new Error(`the encoders ended: ${child.stdout()}${child.stderr()}`);
      return undefined;
    });
    return new Encoders(child);
  }

  /** Throws where they gave up. */
  expectWell(): void {
    const failure = this.#child.stderr();
    if (failure !== "") throw new Error(`the encoders ended: ${failure}`);
  }

  /** Call it when the streams are no longer needed: the rounds count from now. Where no rounds were set it does nothing. */
  mayEnd(): void {
    this.#child.write("end\n");
  }

  /** What was sent, once the last stream has ended. */
  async finished(): Promise<SentTotals> {
    const { code } = await this.#child.exited;
    this.expectWell();
    if (code !== 0) throw new Error(`the encoders ended with ${code}`);
    return totals.parse(JSON.parse(this.#child.stdout().trim().split("\n").at(-1) ?? ""));
  }

  async stop(): Promise<void> {
    await this.#child.stop("SIGTERM", STOP_GRACE_MS);
  }
}
