import { expect, test } from "vitest";
import { UdpFaultProxy } from "../../../src/testkit/proxy/udp-fault-proxy.ts";
import { endOf, LINGER, startTsFfmpeg } from "../../support/encoders/srt-encoder.ts";
import { seededRandom } from "../../support/stages/seeded-random.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

const CLIP_SECONDS = 4;

test("through a network that loses 5 %, doubles and reorders, a platform gets every packet", async () => {
  const stage = await Stage.open();
  const nginx = await stage.nginx();
  const { api } = await stage.server({ environment: { FANFARE_SRT_PORT: "0" } });
  const key = uniqueKey("lossy");
  const channel = await api.createChannel("lossy", [{ rtmpUrl: nginx.url, streamKey: key }]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { hold: { seconds: 0 } });
  const address = channel.srtUrl ?? "srt is off";
  const port = Number(address.split(":").at(-1));
  const faults = { loss: 0.05, delayMs: 20, duplicates: 0.02, reordered: 0.02, reorderMs: 5 };
  const to = { host: "127.0.0.1", port };
  const proxy = await UdpFaultProxy.start({ to, faults, random: seededRandom(1), isSpared: endOf(CLIP_SECONDS) });
  stage.onClose(() => proxy.close());
  const clip = await makeClip({ seconds: CLIP_SECONDS });
  const url = `srt://127.0.0.1:${proxy.port}?streamid=publish:${channel.streamKey}&latency=3000000&${LINGER}`;
  const encoder = stage.encoder(await startTsFfmpeg(clip, url));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await expectSentPackets(nginx, key, clip.path);
  expect(proxy.lost).toBeGreaterThan(20);
});
