import { afterEach, beforeEach, expect, test } from "vitest";
import { pullError } from "../../../src/sources/pull-links/pull-errors.ts";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import type { TargetStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { Api, CHANNELS } from "../api.ts";
import { EventReader } from "../live/event-reader.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const REFUSED = targetError("publish-refused");
const FAILED: TargetStatus = { status: "FAIL", sinceTime: 2, lastError: { ...REFUSED, time: 2 } };

/** A channel on air whose one platform has this status. */
async function onAir(status: TargetStatus): Promise<{ readonly channelId: string; readonly platId: number }> {
  const { channelId, restream } = await api.create();
  const [{ platId }] = restream;
  api.runtime.start(channelId, 1);
  tell(channelId, platId, status);
  return { channelId, platId };
}

function tell(channelId: string, platId: number, status: TargetStatus): void {
  api.runtime.status(channelId, platId, status);
  api.live.fact({ kind: "target-status", time: 2, channelId, targetId: platId, from: "READY", status });
}

const health = async (channelId: string) => (await api.get(`${CHANNELS}/${channelId}`)).body.content.health;

test("a platform that fails makes its channel broken, in the channel, in the list and in the metrics", async () => {
  const { channelId, platId } = await onAir(FAILED);
  api.metrics.fact({
    ...{ kind: "ingest-started", time: 1, channelId, ingestId: 1, slot: "main", remoteAddress: "192.0.2.1" },
    ...{ encoder: "x", isBroadcastNew: true },
  });
  const broken = {
    state: "broken",
    reason: { code: "PUBLISH_REJECTED", message: REFUSED.message, messageKo: REFUSED.messageKo, platId },
    nextStep: {
      code: "CHECK_KEY",
      message: "Copy the stream key again from the platform, and check there that the broadcast is open.",
      messageKo: "플랫폼에서 스트림 키를 다시 복사하고, 방송이 열려 있는지 확인해 주세요.",
    },
    reasonCount: 1,
  };
  expect(await health(channelId)).toEqual(broken);
  expect((await api.get(CHANNELS)).body.content[0].health).toEqual(broken);
  const metrics = (await api.metrics.text()).split("\n");
  expect(metrics).toContain(`fanfare_channel_health{channel_id="${channelId}",state="broken"} 1`);
  expect(metrics).toContain(`fanfare_channel_health{channel_id="${channelId}",state="healthy"} 0`);
  tell(channelId, platId, { status: "PUBLISHING", sinceTime: 3 });
  expect(await health(channelId)).toEqual({ state: "healthy", reasonCount: 0 });
});

test("a platform that is unstable needs attention while it is green, and no more once the broadcast is over", async () => {
  const { channelId, platId } = await onAir({ status: "PUBLISHING", sinceTime: 2 });
  api.runtime.sample(channelId, platId, { isUnstable: true });
  expect(await health(channelId)).toMatchObject({
    state: "attention",
    reason: { code: "PLATFORM_UNSTABLE", platId },
    nextStep: { code: "CHECK_CONNECTION" },
  });
  api.runtime.leave(channelId, 3);
  expect(await health(channelId)).toMatchObject({ state: "waiting" });
});

test("a channel that is turned off has the verdict off", async () => {
  const { channelId } = await api.create();
  await api.put(`${CHANNELS}/${channelId}/off`);
  expect(await health(channelId)).toMatchObject({ state: "off", nextStep: { code: "TURN_CHANNEL_ON" } });
});

test("a source that fails makes its channel broken at once, in the answer, the live stream and the metrics", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId } = await api.create();
  api.facts.subscribe("metrics", (fact) => api.metrics.fact(fact));
  const source = `${CHANNELS}/${channelId}/source`;
  await api.put(source, { pull: { url: "rtmp://192.0.2.7/live/a" } });
  api.clock.advance(100);
  const reader = await EventReader.open(api);
  await reader.next();
  const next = async () => {
    api.clock.advance(100);
    for (;;) {
      const { name, data } = await reader.next();
      if (name === "channel") return [data.health.state, data.health.reason?.code];
    }
  };
  await api.post(`${source}/start`);
  expect(await next()).toEqual(["waiting", "SOURCE_STARTING"]);
  const lastError = { ...pullError("connection-refused"), time: 5 };
  const link = { status: "FAIL", sinceTime: 5, lastError, retryAttempt: 1, isUnstable: false } as const;
  api.player.become(channelId, { state: "failed", sinceTime: 5, link });
  expect(await next()).toEqual(["broken", "TCP_REFUSED"]);
  expect(await health(channelId)).toEqual({
    state: "broken",
    reason: { code: "TCP_REFUSED", message: lastError.message, messageKo: lastError.messageKo },
    nextStep: {
      code: "CHECK_SOURCE",
      message: "Check the source's address, and whether it is streaming.",
      messageKo: "소스의 주소가 맞는지, 소스가 송출 중인지 확인해 주세요.",
    },
    reasonCount: 1,
  });
  const metrics = (await api.metrics.text()).split("\n");
  expect(metrics).toContain(`fanfare_channel_health{channel_id="${channelId}",state="broken"} 1`);
  await api.post(`${source}/stop`);
  expect(await next()).toEqual(["waiting", "WAITS_FOR_ENCODER"]);
  api.player.become(channelId, { state: "stopped", sinceTime: 6, reason: "not-playable" });
  expect(await next()).toEqual(["broken", "SOURCE_FAILED"]);
  await api.put(source, { pull: { url: "rtmp://192.0.2.7/live/b" } });
  expect(await health(channelId)).toMatchObject({ state: "waiting", reason: { code: "WAITS_FOR_ENCODER" } });
  reader.close();
});

test("the live stream sends the channel again when a platform changes its verdict, and only then", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId, platId } = await onAir({ status: "PUBLISHING", sinceTime: 2 });
  api.clock.advance(100);
  const reader = await EventReader.open(api);
  await reader.next();
  const next = async () => {
    api.clock.advance(100);
    const { name, data } = await reader.next();
    return [name, data.health?.state ?? data.connectStatus];
  };
  tell(channelId, platId, FAILED);
  expect(await next()).toEqual(["channel", "broken"]);
  expect(await next()).toEqual(["platform", "FAIL"]);
  // A retry leaves it as broken as before.
  tell(channelId, platId, { ...FAILED, status: "CONNECTING" });
  expect(await next()).toEqual(["platform", "CONNECTING"]);
  tell(channelId, platId, { status: "PUBLISHING", sinceTime: 4 });
  expect(await next()).toEqual(["channel", "healthy"]);
  expect(await next()).toEqual(["platform", "PUBLISHING"]);
  const sample = channelSample(channelId, [targetSample(platId, { isUnstable: true })]);
  api.view.samples([sample]);
  api.live.samples([sample]);
  expect((await reader.next()).name).toBe("sample");
  expect(await next()).toEqual(["channel", "attention"]);
  reader.close();
});
