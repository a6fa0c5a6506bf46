import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Api, CHANNELS, PLATFORM, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const put = (path: string, body?: unknown) => api.put(`${CHANNELS}/${path}`, body);
const post = (path: string, body?: unknown) => api.post(`${CHANNELS}/${path}`, body);

describe("call 13", () => {
  test("changes what it names, keeps the rest, and returns the channel with its platforms", async () => {
    const created = await api.create();
    const changed = await put(created.channelId, { channelName: "다른이름", planType: "UNLIMITED", envType: "DEV" });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      content: { ...created, channelName: "다른이름", planType: "UNLIMITED", envType: "DEV" },
    });
    expect(await api.channel(created.channelId)).toEqual(changed.body.content);
    const again = await put(created.channelId, { envType: "STAGE", planType: null });
    expect(again.body.content).toEqual({ ...changed.body.content, envType: "STAGE" });
    expect(api.runtime.applied.map((spec) => spec.revision)).toEqual([2, 3]);
  });

  test("an empty object changes nothing", async () => {
    const created = await api.create();
    for (const body of [{}, { channelName: null, alertOptions: null, unknownField: 1 }]) {
      const { status, body: answer } = await put(created.channelId, body);
      expect([status, answer]).toEqual([200, { content: created }]);
    }
    expect(api.runtime.applied).toEqual([]);
  });

  test("alerts are off, then all on, then as they are chosen, and kept over an off", async () => {
    const { channelId, alertOn } = await api.create();
    expect(alertOn).toBe(false);
    const alerts = async (body: object) => {
      const { status, body: answer } = await put(channelId, body);
      expect(status).toBe(200);
      return [answer.content.alertOn, answer.content.alertOptions];
    };
    const all = { alertChangeStatus: true, alertVodUploadFail: true, alertReStreamFail: true };
    expect(await alerts({ alertOn: true })).toEqual([true, all]);
    const chosen = { ...all, alertChangeStatus: false };
    expect(await alerts({ alertOptions: { alertChangeStatus: false } })).toEqual([true, chosen]);
    expect(await alerts({ alertOn: false })).toEqual([false, undefined]);
    expect(await alerts({ alertOptions: { alertReStreamFail: false } })).toEqual([false, undefined]);
    expect(await alerts({ alertOn: true })).toEqual([true, { ...chosen, alertReStreamFail: false }]);
  });

  test("alerts may be set when a channel is created", async () => {
    const alertOptions = { alertChangeStatus: false, alertVodUploadFail: false, alertReStreamFail: true };
    expect(await api.create({ alertOn: true, alertOptions })).toMatchObject({ alertOn: true, alertOptions });
  });

  test("a plan too small for the existing platforms is 250014, and one that fits is accepted", async () => {
    const restream = Array.from({ length: 4 }, () => PLATFORM);
    const { channelId } = await api.create({ planType: "UNLIMITED", restream });
    const refused = await put(channelId, { channelName: "renamed", planType: "STANDARD" });
    expect(refused.status).toBe(400);
    expect(refused.body.error).toEqual({
      ...service(250014, "FORMVALIDATION_FAILED", "Form validation failed").error,
      details: "restream: the plan STANDARD allows 3 platforms, got 4.",
    });
    expect(await api.channel(channelId)).toMatchObject({ channelName: "channel001", planType: "UNLIMITED" });
    expect((await put(channelId, { planType: "PROFESSIONAL" })).body.content.planType).toBe("PROFESSIONAL");
    expect((await put(channelId, { channelName: "renamed" })).status).toBe(200);
  });

  test.each([
    [{ channelName: "x" }, "channelName"],
    [{ channelName: "" }, "channelName"],
    [{ planType: "" }, "planType"],
    [{ planType: "FREE", envType: "x" }, "planType"],
    [{ envType: "" }, "envType"],
    [{ alertOn: "true" }, "alertOn"],
    [{ alertOptions: true }, "alertOptions"],
    [{ alertOptions: { alertReStreamFail: 1 } }, "alertOptions.alertReStreamFail"],
  ])("%j is 250002", async (body, field) => {
    const { channelId } = await api.create();
    const { status, body: answer } = await put(channelId, body);
    expect(status).toBe(400);
    expect(answer).toMatchObject(service(250002, "INVALID_FORMAT", `${field}: invalid value.`));
    expect(api.runtime.applied).toEqual([]);
  });

  test("is allowed on air", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 5);
    const { status, body } = await put(channelId, { channelName: "on_the_air" });
    expect([status, body.content.channelStatus]).toEqual([200, "PUBLISHING"]);
  });
});

describe("call 14", () => {
  test("off blocks the channel and on makes it READY again, both repeatedly", async () => {
    const { restream: _platforms, health: _verdict, ...channel } = await api.create();
    for (let round = 1; round <= 2; round += 1) {
      for (const action of ["off", "off", "on", "on"]) {
        const channelStatus = action === "off" ? "BLOCK" : "READY";
        const { status, body } = await put(`${channel.channelId}/${action}`);
        const { health, ...content } = body.content;
        expect([status, content]).toEqual([200, { ...channel, channelStatus }]);
        expect(health.state).toBe(action === "off" ? "off" : "waiting");
        expect((await api.channel(channel.channelId)).channelStatus).toBe(channelStatus);
      }
    }
    expect(api.runtime.applied.map((spec) => spec.revision)).toEqual([2, 3, 4, 5]);
  });

  test("a blocked channel's key admits no encoder, and a blocked channel can be listed, edited and deleted", async () => {
    const { channelId, streamKey } = await api.create();
    await put(`${channelId}/off`);
    expect((await api.admission.admit(streamKey))?.refusedFor).toBe("channel-off");
    const list = async (status: string) => (await api.get(`${CHANNELS}?channelStatus=${status}`)).body.total;
    expect([await list("BLOCK"), await list("READY"), await list("PUBLISHING")]).toEqual([1, 0, 0]);
    expect((await put(channelId, { channelName: "renamed" })).body.content.channelStatus).toBe("BLOCK");
    await put(`${channelId}/on`);
    expect([await list("BLOCK"), await list("READY"), await list("PUBLISHING")]).toEqual([0, 1, 0]);
    expect(await api.admission.admit(streamKey)).toMatchObject({ spec: { channelId }, slot: "main" });
    expect((await api.admission.admit(streamKey))?.refusedFor).toBeUndefined();
    await put(`${channelId}/off`);
    const deleted = await api.delete(`${CHANNELS}/${channelId}`);
    expect([deleted.status, deleted.body.content.channelStatus]).toEqual([200, "DELETED"]);
  });

  test("off ends a running broadcast after the media thread got the block, and answers once it is over", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 5);
    const order: string[] = [];
    const { runtime } = api;
    const [apply, end] = [runtime.apply.bind(runtime), runtime.end.bind(runtime)];
    runtime.apply = (spec) => {
      order.push("apply");
      apply(spec);
    };
    runtime.end = (id) => {
      order.push("end");
      end(id);
    };
    const { body } = await put(`${channelId}/off`);
    expect(order).toEqual(["apply", "end"]);
    expect(body.content).toMatchObject({ channelStatus: "BLOCK", isPublishing: false, recentPublishTime: 5 });
  });

  test("needs no body and reads none", async () => {
    const { channelId } = await api.create();
    expect((await put(`${channelId}/off`, "not JSON")).status).toBe(200);
  });
});

describe("the end of a broadcast by request", () => {
  test("is answered once it is over, with the channel READY", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 5);
    const { status, body } = await post(`${channelId}/end`);
    expect(status).toBe(200);
    expect(body.content).toMatchObject({ channelId, channelStatus: "READY", isPublishing: false });
    expect(body.content).not.toHaveProperty("restream");
    expect(api.runtime.ended).toEqual([channelId]);
    expect((await api.delete(`${CHANNELS}/${channelId}`)).status).toBe(200);
  });

  test("waits until the media thread has done it", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 5);
    api.runtime.isResponsive = false;
    const answer = post(`${channelId}/end`);
    await expect.poll(() => api.runtime.ended).toEqual([channelId]);
    api.runtime.leave(channelId, 6);
    expect((await answer).body.content).toMatchObject({ channelStatus: "READY", isPublishing: false });
  });

  test("returns the channel where there is none", async () => {
    const { restream: _platforms, ...channel } = await api.create();
    expect((await post(`${channel.channelId}/end`)).body).toEqual({ content: channel });
  });

  test("returns what is true after two seconds where the media thread does not do it", async () => {
    const { channelId } = await api.create();
    api.runtime.start(channelId, 5);
    api.runtime.isResponsive = false;
    const answer = post(`${channelId}/end`);
    await expect.poll(() => api.runtime.ended).toEqual([channelId]);
    api.clock.advance(2_000);
    expect((await answer).body.content).toMatchObject({ channelStatus: "PUBLISHING", isPublishing: true });
  });
});

describe("call 15", () => {
  test.each([
    ["without a body", undefined],
    ["with an empty body", ""],
    ["with nothing chosen", {}],
    ["with main chosen", { which: "main" }],
  ])("%s sets another key, and the old one admits no encoder", async (_name, body) => {
    const { restream: _platforms, ...channel } = await api.create();
    const { status, body: answer } = await post(`${channel.channelId}/stream-key`, body);
    expect(status).toBe(200);
    const { streamKey } = answer.content;
    expect(answer.content).toEqual({ ...channel, streamKey });
    expect(streamKey).toMatch(/^[a-z0-9]{32}$/);
    expect(streamKey).not.toBe(channel.streamKey);
    expect(await api.store.findChannelByStreamKey(channel.streamKey)).toBeUndefined();
    expect((await api.store.findChannelByStreamKey(streamKey))?.channelId).toBe(channel.channelId);
    expect(api.runtime.cut).toEqual([[channel.channelId, "main"]]);
    expect(api.runtime.applied).toMatchObject([{ channelId: channel.channelId, revision: 2 }]);
  });

  test("with a key that does not exist, or without JSON, is refused and changes nothing", async () => {
    const { channelId, streamKey } = await api.create();
    const wrong = await post(`${channelId}/stream-key`, { which: "third" });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatchObject(service(250002, "INVALID_FORMAT", "which: invalid value."));
    expect((await post(`${channelId}/stream-key`, "{")).body.error.errorCode).toBe(250012);
    expect((await api.channel(channelId)).streamKey).toBe(streamKey);
    expect(api.runtime.cut).toEqual([]);
  });
});

test("none of these is allowed to a viewer, and a missing channel is reported", async () => {
  const { channelId } = await api.create();
  const calls = [
    ["PUT", "", {}],
    ["PUT", "/on", undefined],
    ["PUT", "/off", undefined],
    ["POST", "/end", undefined],
    ["POST", "/stream-key", undefined],
  ] as const;
  for (const [method, path, body] of calls) {
    for (const prefix of ["/api/v2", "/api/fin-v2"]) {
      const url = `${prefix}/re-stream/channels/${channelId}${path}`;
      expect((await api.call({ method, url, body, key: VIEWER })).body.error.errorCode).toBe("210");
      const gone = await api.call({ method, url: url.replace(channelId, "ls-20200101000000-aaaaa"), body });
      expect([gone.status, gone.body.error.message]).toEqual([404, "Channel not found."]);
    }
  }
  expect((await api.channel(channelId)).channelStatus).toBe("READY");
});
