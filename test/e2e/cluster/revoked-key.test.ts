import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { NodeWays } from "../../lab/node-ways.ts";
import { SharedServices } from "../../support/cluster/shared-services.ts";
import { ApiClient } from "../../support/dashboard/api-client.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 30_000;
const MEDIA_BYTES = 20_000;
const streamKeyAnswer = z.looseObject({ streamKey: z.string() });

test("an encoder whose key is changed at its own node must go, though the owner at another node is cut off and does not hear of it", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const services = await SharedServices.start(stage.folder);
  stage.onClose(() => services.close());
  for (const secret of services.secrets) stage.keepSecret(secret);
  const { credentials } = services;
  const node = async (name: string) => {
    const ways = await NodeWays.open(services);
    stage.onClose(() => ways.close());
    const environment = { ...(await services.environmentOf(name)), ...ways.environment };
    const fanfare = await stage.fanfare({ dataFolder: join(stage.folder, name), credentials, environment });
    return { ways, fanfare, api: new ApiClient(fanfare.origin, credentials, (secret) => stage.keepSecret(secret)) };
  };
  const [a, b] = [await node("a"), await node("b")];
  const logs = () => [a, b].map(({ fanfare }) => fanfare.output).join("\n---\n");
  const target = await stage.target();
  const clip = syntheticClip({ kilobits: 300 });
  const channel = await a.api.createChannel("revoked", [{ rtmpUrl: target.url, streamKey: uniqueKey("revoked") }]);
  const media = (bytes: number) =>
    waitFor("media", DEADLINE_MS, () => (target.connections[0]?.report.mediaBytes ?? 0) > bytes || undefined, logs);
  const first = stage.kitEncoder(channel, { clip });
  await media(MEDIA_BYTES);
  await expect
    .poll(() => b.api.channel(channel.channelId), { timeout: DEADLINE_MS })
    .toMatchObject({ isPublishing: true });
  await first.stop("reset");
  // It comes to the other node, which passes it on.
  const url = channel.publishUrl.replace(`:${a.fanfare.rtmpPort}/`, `:${b.fanfare.rtmpPort}/`);
  const second = stage.kitEncoder(channel, { clip, url });
  expect(await second.accepted).toBe(true);
  await media((target.connections[0]?.report.mediaBytes ?? 0) + MEDIA_BYTES);
  expect(target.connections).toHaveLength(1);

  a.ways.nats.blackhole();
  a.ways.postgres.blackhole();
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  // It is stored, and the owner cannot be asked.
  await expect(b.api.request("POST", `${path}/stream-key`, {})).rejects.toThrow("503");
  const { streamKey } = streamKeyAnswer.parse(await b.api.request("GET", path));
  stage.keepSecret(streamKey);
  expect(streamKey).not.toBe(channel.streamKey);
  await second.closed;
  const third = stage.kitEncoder(channel, { clip, url });
  expect(await third.accepted).toBe(false);
  a.ways.nats.resume();
  a.ways.postgres.resume();
});
