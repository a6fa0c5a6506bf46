import { z } from "zod";
import type { HistoryBlock } from "../../control/history/history.ts";
import type { UnstoredHistory } from "../../control/history/history-reader.ts";
import type { HistoryWriter } from "../../control/history/history-writer.ts";
import { BUS_MESSAGE_BYTES_MAX, BUS_REPLY_BYTES_MAX, type Bus } from "../../control/ports/bus.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { subjectsOf } from "../node-report.ts";
import type { NodeRpc } from "../node-rpc.ts";

const WORD = "history";
/** How long the owner may take to answer, in milliseconds. */
const ANSWER_MS = 800;
/** Room for the rest of a reply, in bytes. */
const REST_BYTES = 1_024;
/** Values of a block, blocks of an answer, and targets of a channel that are taken from another node. */
const LIST_MAX = 200;

const numbers = z.array(z.number()).max(LIST_MAX);
const series = z.looseObject({
  targetId: z.number(),
  rates: numbers,
  queueMs: numbers,
  drops: numbers,
  retries: numbers,
});
const block = z.looseObject({
  channelId: z.string().min(1).max(64),
  step: z.enum(["second", "minute"]),
  times: numbers.min(1),
  ingestRates: numbers,
  targets: z.array(series).max(LIST_MAX),
});
const answer = z.looseObject({ startTime: z.number(), blocks: z.array(block).max(LIST_MAX) });

export type ToldHistoryDeps = {
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  /** What this node has not stored yet. */
  readonly own: () => Pick<HistoryWriter, "startOf" | "unstored">;
  /** The other node that owns a channel, as far as is known. */
  readonly ownerOf: (channelId: ChannelId) => Incarnation | undefined;
};

/** The history of channels on air that their owners have not stored yet: the last minute. */
export class ToldHistory {
  readonly #deps: ToldHistoryDeps;

  constructor(deps: ToldHistoryDeps) {
    this.#deps = deps;
    deps.rpc.on(WORD, async ({ channelId, bytesMax }) =>
      typeof channelId === "string" ? this.#tell(channelId, replyBytes(bytesMax)) : undefined,
    );
  }

  /** Asks the owner. Undefined where no other node owns the channel, or its owner does not answer. Never rejects. */
  async ask(channelId: ChannelId): Promise<UnstoredHistory | undefined> {
    const { bus, ownerOf } = this.#deps;
    const owner = ownerOf(channelId);
    if (owner === undefined) return undefined;
    const question = { op: WORD, channelId, bytesMax: BUS_REPLY_BYTES_MAX };
    const reply = await bus.request(subjectsOf(owner).rpc, question, ANSWER_MS);
    const read = reply.kind === "reply" ? answer.safeParse(reply.message) : undefined;
    if (read?.success !== true) return undefined;
    return { startTime: read.data.startTime, blocks: read.data.blocks.filter((each) => isOf(each, channelId)) };
  }

  #tell(channelId: ChannelId, bytesMax: number) {
    const own = this.#deps.own();
    const startTime = own.startOf(channelId);
    if (startTime === undefined) return {};
    const blocks = [...own.unstored(channelId, "minute"), ...own.unstored(channelId, "second")];
    return { startTime, blocks: lastThatFit(blocks, bytesMax - REST_BYTES) };
  }
}

/** Whether all lists of a block are as long as its times. */
function isOf({ channelId, times, ingestRates, targets }: HistoryBlock, wanted: ChannelId): boolean {
  const lists = [
    ingestRates,
    ...targets.flatMap(({ rates, queueMs, drops, retries }) => [rates, queueMs, drops, retries]),
  ];
  return channelId === wanted && lists.every(({ length }) => length === times.length);
}

/** How long a reply may be, by what the question says. A node of the version before says nothing, and takes a message. */
function replyBytes(bytesMax: unknown): number {
  return typeof bytesMax === "number" ? Math.min(bytesMax, BUS_REPLY_BYTES_MAX) : BUS_MESSAGE_BYTES_MAX;
}

/** The last blocks that fit into one reply: while the database is away many may wait. A block of 100 targets has 100 kB. */
function lastThatFit(blocks: readonly HistoryBlock[], bytesMax: number): readonly HistoryBlock[] {
  let bytes = 0;
  const from = blocks.findLastIndex((each, index) => {
    bytes += Buffer.byteLength(JSON.stringify(each)) + 1;
    return bytes > bytesMax || blocks.length - index > LIST_MAX;
  });
  return blocks.slice(from + 1);
}
