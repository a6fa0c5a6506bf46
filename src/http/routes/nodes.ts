import type { FastifyInstance } from "fastify";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import { moveNodeRequest } from "../../api-contract/schemas/schemas.ts";
import { DomainError } from "../../control/ports/errors.ts";
import type { MoveBegun, NodeRecord, Nodes, StayReason } from "../../control/ports/nodes.ts";
import { sendContent } from "../answers/reply.ts";
import { orRefuseAfter, readOptionalJson } from "../answers/request.ts";

type NodeParams = { readonly Params: { readonly incarnation: string } };

const MS_PER_SECOND = 1_000;

const STAYS = {
  source: {
    stayReason: "SOURCE",
    message: "A source plays into the channel: stop it, and start it again at any server.",
    messageKo: "소스를 재생하고 있는 채널입니다. 소스를 중지한 뒤 다시 시작해 주세요.",
  },
  "test-pattern": {
    stayReason: "TEST_PATTERN",
    message: "A test pattern is on air: stop it, or wait until it ends.",
    messageKo: "테스트 영상을 송출하고 있습니다. 종료하거나 끝날 때까지 기다려 주세요.",
  },
  "encoder-lost": {
    stayReason: "ENCODER_LOST",
    message: "The encoder is lost. The broadcast can move once it is back.",
    messageKo: "인코더 연결이 끊어졌습니다. 인코더가 다시 연결되면 옮길 수 있습니다.",
  },
} as const satisfies Readonly<Record<StayReason, object>>;

/** The servers that share a database: list, drain, move their broadcasts. */
export function addNodeRoutes(api: FastifyInstance, nodes: Nodes): void {
  api.get("/nodes", async (_request, reply) => sendContent(reply, (await nodes.list()).map(nodeAnswer)));

  api.post<NodeParams>("/nodes/:incarnation/drain", async (request, reply) => {
    const node = await named(request.params.incarnation, (incarnation) => nodes.drain(incarnation));
    return sendContent(reply, nodeAnswer(node));
  });

  api.post<NodeParams>("/nodes/:incarnation/move", async (request, reply) => {
    const { incarnation: text } = request.params;
    const find = () =>
      named(text, async (incarnation) => (await nodes.list()).find((each) => each.incarnation === incarnation));
    const { to } = await orRefuseAfter(find, parseBody(moveNodeRequest, readOptionalJson(request)));
    const move = await named(text, (incarnation) => nodes.moveChannels(incarnation, to ?? undefined));
    return sendContent(reply, { ...nodeAnswer(move.node), ...begunAnswer(move.begun) });
  });
}

/** Throws where there is no such node that serves. */
async function named<Found>(
  incarnation: string,
  run: (incarnation: number) => Promise<Found | undefined>,
): Promise<Found> {
  const found = /^[1-9]\d{0,14}$/.test(incarnation) ? await run(Number(incarnation)) : undefined;
  if (found === undefined) throw new DomainError({ kind: "node-not-found" });
  return found;
}

function begunAnswer(begun: MoveBegun | undefined) {
  if (begun === undefined) return {};
  const staying = begun.staying.map(({ channelId, why }) => ({ channelId, ...STAYS[why] }));
  return { movingCount: begun.moving, staying };
}

function nodeAnswer({ incarnation, nodeId, version, state, isSelf, heardAgoMs, load }: NodeRecord) {
  return {
    ...{ incarnation, nodeId, version, nodeState: state, isSelf },
    ...(heardAgoMs === undefined ? {} : { heardSecondsAgo: Math.floor(heardAgoMs / MS_PER_SECOND) }),
    ...(load === undefined
      ? {}
      : {
          channelCount: load.channels,
          egressBitsPerSecond: Math.round(load.egressBitsPerSecond),
          ...(load.capacityBitsPerSecond === undefined ? {} : { capacityBitsPerSecond: load.capacityBitsPerSecond }),
          loopDelayMilliseconds: Math.round(load.loopDelayMs),
          relayedCount: load.relayed,
          ...(load.drainEndTime === undefined ? {} : { drainEndTime: load.drainEndTime }),
        }),
  };
}
