import type { FastifyInstance } from "fastify";
import { DomainError } from "../../control/ports/errors.ts";
import type { NodeRecord, Nodes } from "../../control/ports/nodes.ts";
import { sendContent } from "../answers/reply.ts";

type NodeParams = { readonly Params: { readonly incarnation: string } };

const MS_PER_SECOND = 1_000;

/** The servers that share a database: list, drain. */
export function addNodeRoutes(api: FastifyInstance, nodes: Nodes): void {
  api.get("/nodes", async (_request, reply) => sendContent(reply, (await nodes.list()).map(nodeAnswer)));

  api.post<NodeParams>("/nodes/:incarnation/drain", async (request, reply) => {
    const { incarnation } = request.params;
    const node = /^[1-9]\d{0,14}$/.test(incarnation) ? await nodes.drain(Number(incarnation)) : undefined;
    if (node === undefined) throw new DomainError({ kind: "node-not-found" });
    return sendContent(reply, nodeAnswer(node));
  });
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
