import { randomBytes } from "node:crypto";
import { NO_ALERTS } from "../../src/control/channels/channel.ts";
import type { BareNode } from "./nodes.ts";

const TARGETS = 3;
/** As many at once as a pool has connections. */
const AT_ONCE = 8;

/** Makes channels with three targets each, with sealed keys as the API makes them. Returns their ids. */
export async function makeChannels({ channels }: BareNode, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, no) => `ls-20260101000000-${String(no).padStart(6, "0")}`);
  let next = 0;
  const work = async () => {
    for (let no = next++; no < count; no = next++) {
      await channels.createChannel({
        ...{ channelId: ids[no] ?? "", name: `channel_${no}`, planType: "PROFESSIONAL", envType: "REAL" },
        ...{ alerts: NO_ALERTS, holdSeconds: 30, latency: "efficient", createdTime: 1_700_000_000_000 + no },
        freeze: { mediaSeconds: 5, videoSeconds: 10 },
        streamKey: randomBytes(20).toString("hex"),
        targets: Array.from({ length: TARGETS }, (_unused, index) => ({
          ...{ targetName: "CUSTOM", url: `rtmp://platform-${index}.example.com/app` },
          ...{ streamKey: randomBytes(12).toString("hex"), isEnabled: true, bufferPolicy: "drop" as const },
        })),
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return ids;
}
