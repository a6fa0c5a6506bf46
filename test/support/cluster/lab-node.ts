import { join } from "node:path";
import { z } from "zod";
import { ApiClient } from "../dashboard/api-client.ts";
import { type FanfareOptions, FanfareProcess } from "../processes/fanfare-process.ts";
import type { SharedServices } from "./shared-services.ts";

/** One server of a cluster, and a client of its API. */
export type LabNode = {
  readonly name: string;
  readonly fanfare: FanfareProcess;
  readonly api: ApiClient;
  /** Where it accepts other nodes. */
  readonly linkPort: number;
};

const nodesAnswer = z.array(z.looseObject({ isSelf: z.boolean(), channelCount: z.int().optional() }));

/** Starts a node on the shared services, with its data below `folder`. */
export async function startLabNode(
  name: string,
  folder: string,
  services: SharedServices,
  more: Pick<FanfareOptions, "environment" | "wrapper" | "host" | "root"> = {},
): Promise<LabNode> {
  const { credentials } = services;
  const environment = { ...(await services.environmentOf(name, more.host)), ...more.environment };
  const fanfare = await FanfareProcess.start({
    ...more,
    dataFolder: join(folder, name),
    credentials,
    environment,
  });
  const linkPort = Number(environment["FANFARE_NODE_LISTEN"]?.split(":").at(-1));
  const isOurs = more.root === undefined;
  return { name, fanfare, linkPort, api: new ApiClient(fanfare.origin, credentials, () => undefined, isOurs) };
}

/** Where encoders publish at this node, without a key. */
export const ingestUrl = ({ fanfare }: LabNode): string => `rtmp://${fanfare.host}:${fanfare.rtmpPort}/live`;

/** How many channels a node carries, by itself. Rejects where it does not answer. */
export async function carriedBy({ api }: LabNode): Promise<number> {
  const nodes = nodesAnswer.parse(await api.request("GET", "/api/v2/nodes"));
  return nodes.find(({ isSelf }) => isSelf)?.channelCount ?? 0;
}
