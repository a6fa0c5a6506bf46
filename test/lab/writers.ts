import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import type { LabNode } from "../support/cluster/lab-node.ts";

const CHANNELS = "/api/v2/re-stream/channels";
const CHANNELS_MAX = 10;
const PAUSE_MS = 100;

const channelAnswer = z.looseObject({
  channelId: z.string(),
  restream: z.array(z.looseObject({ platId: z.int(), streamKey: z.string() })),
});

/** `wanted`: what was acknowledged last. `maybe`: what a request without an answer may have made of it. */
type Known = { readonly platId: number; wanted: string; maybe: string | undefined };

/** Edits channels at any node, one edit after another, and remembers what was acknowledged. */
export class Writer {
  readonly #nodes: () => readonly LabNode[];
  readonly #name: string;
  readonly #known = new Map<string, Known>();
  readonly #over: Promise<void>;
  #isOver = false;
  #number = 0;
  acknowledged = 0;
  unanswered = 0;

  /** `nodes`: those that may answer now. */
  constructor(name: string, nodes: () => readonly LabNode[]) {
    this.#name = name;
    this.#nodes = nodes;
    this.#over = this.#write();
  }

  /** Stops, and returns a sentence for each acknowledged write that a node does not have. */
  async stop(): Promise<readonly string[]> {
    this.#isOver = true;
    await this.#over;
    const lost: string[] = [];
    for (const { name, api } of this.#nodes()) {
      for (const [channelId, { wanted, maybe }] of this.#known) {
        const { restream } = channelAnswer.parse(await api.request("GET", `${CHANNELS}/${channelId}`));
        const there = restream[0]?.streamKey;
        if (there !== wanted && there !== maybe) lost.push(`node ${name}: ${channelId} has ${there}, not ${wanted}`);
      }
    }
    return lost;
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const nodes = this.#nodes();
      const node = nodes[Math.floor(Math.random() * nodes.length)];
      if (node !== undefined) {
        const isAnswered = await this.#edit(node).then(
          () => true,
          () => false,
        );
        if (isAnswered) this.acknowledged += 1;
        else this.unanswered += 1;
      }
      await pass(PAUSE_MS);
    }
  }

  async #edit({ api }: LabNode): Promise<void> {
    this.#number += 1;
    const streamKey = `${this.#name}_${this.#number}`;
    const channels = [...this.#known];
    if (channels.length < CHANNELS_MAX) {
      const body = {
        ...{ channelName: streamKey, planType: "PROFESSIONAL", envType: "REAL" },
        restream: [{ targetName: "CUSTOM", rtmpUrl: "rtmp://x/app", streamKey }],
      };
      const made = channelAnswer.parse(await api.request("POST", CHANNELS, body));
      const platId = made.restream[0]?.platId ?? 0;
      this.#known.set(made.channelId, { platId, wanted: streamKey, maybe: undefined });
      return;
    }
    const [channelId, known] = channels[this.#number % channels.length] ?? ["", undefined];
    if (known === undefined) return;
    // The one before may still be carried out: it is known again once one behind it is acknowledged.
    known.maybe = streamKey;
    const body = { targetName: "CUSTOM", rtmpUrl: "rtmp://x/app", streamKey };
    await api.request("PUT", `${CHANNELS}/${channelId}/platforms/${known.platId}`, body);
    known.wanted = streamKey;
    known.maybe = undefined;
  }
}
