import { z } from "zod";
import { milliseconds } from "../../test/lab/figures.ts";
import { type Lab, type LabChannel, mediaBehind } from "../../test/lab/lab.ts";
import type { LabNode } from "../../test/support/cluster/lab-node.ts";

/** Each channel gets every command so often. */
const ROUNDS = 10;
const COMMANDS = ["update", "preview-token", "off", "on", "end"] as const;

const platforms = z.array(z.looseObject({ platId: z.int() }));

/** A channel and its owner. */
export type Owned = { readonly channel: LabChannel; readonly node: LabNode };

/** How long commands take at a node that does not own the channel, one after another, with the client's own time. */
export async function measureCommands(lab: Lab, owned: readonly Owned[]): Promise<string[]> {
  const tookMs = new Map<string, number[]>(COMMANDS.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const visits = owned.map(({ channel, node }, index) => {
      const others = lab.nodes.filter((other) => other !== node);
      const other = others[(round + index) % others.length];
      const [target] = channel.targets;
      if (other === undefined || target === undefined) throw new Error("no node or target");
      const path = `/api/v2/re-stream/channels/${channel.channelId}`;
      const measure = async (name: (typeof COMMANDS)[number], method: string, url: string, body?: object) => {
        const startMs = performance.now();
        await other.api.request(method, url, body);
        tookMs.get(name)?.push(performance.now() - startMs);
      };
      return { channel, target, path, api: other.api, measure };
    });
    for (const { channel, target, path, api, measure } of visits) {
      await measure("update", "PUT", path, { alertOn: round % 2 === 0 });
      await measure("preview-token", "POST", `${path}/preview-token`);
      const [first] = platforms.parse(await api.request("GET", `${path}/platforms`));
      const before = target.connections.length;
      await measure("off", "PUT", `${path}/platforms/${first?.platId}/off`);
      await measure("on", "PUT", `${path}/platforms/${first?.platId}/on`);
      await mediaBehind(target, before, channel.channelId);
    }
    // The encoders come back by themselves.
    const before = visits.map(({ channel }) => channel.targets.map(({ connections }) => connections.length));
    for (const { path, measure } of visits) await measure("end", "POST", `${path}/end`);
    for (const [index, { channel }] of visits.entries()) await lab.onAir(channel, before[index]);
  }
  return [...tookMs].map(
    ([name, values]) =>
      `command at another node than the owner: ${name}, ${values.length}: p50, p90, p99, longest | ${milliseconds(values)}`,
  );
}
