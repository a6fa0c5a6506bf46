import type { FastifyInstance } from "fastify";
import { DomainError } from "../../control/ports/errors.ts";
import type { NodeRecord, Nodes } from "../../control/ports/nodes.ts";
import { sendContent } from "../answers/reply.ts";

type NodeParams = { readonly Params: { readonly incarnation: string } };

const MS_PER_SECOND = 1_000;

/** The servers that share a database: list, drain, move their broadcasts. */
export function addNodeRoutes(api: FastifyInstance, nodes: Nodes): void {
  api.get("/nodes", async (_request, reply) => sendContent(reply, (await nodes.list()).map(nodeAnswer)));

  api.post<NodeParams>("/nodes/:incarnation/drain", async (request, reply) => {
    const node = await named(request.params.incarnation, (incarnation) => nodes.drain(incarnation));
    return sendContent(reply, nodeAnswer(node));
  });

  api.post<NodeParams>("/nodes/:incarnation/move", async (request, reply) => {
    const node = await named(request.params.incarnation, (incarnation) => nodes.moveChannels(incarnation));
    return sendContent(reply, nodeAnswer(node));
  });
}

/** Throws where there is no such node that serves. */
async function named(
  incarnation: string,
  run: (incarnation: number) => Promise<NodeRecord | undefined>,
): Promise<NodeRecord> {
  const node = /^[1-9]\d{0,14}$/.test(incarnation) ? await run(Number(incarnation)) : undefined;
  if (node === undefined) throw new DomainError({ kind: "node-not-found" });
  return node;
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
