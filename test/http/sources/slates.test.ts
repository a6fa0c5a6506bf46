import { expect, test } from "vitest";
import { channelSample } from "../../support/stages/sample.ts";
import { Api, CHANNEL, CHANNELS } from "../api.ts";

async function open() {
  const api = await Api.open();
  const { body } = await api.post(CHANNELS, CHANNEL);
  const channelId: string = body.content.channelId;
  api.files.add("mf-a");
  return { api, channelId, url: `${CHANNELS}/${channelId}` };
}

const LIVE = {
  ...{ videoCodec: "avc", width: 1280, height: 720, frameRate: 29.98 },
  ...{ audioCodec: "aac", sampleRate: 48_000, channels: 2 },
};

test("a slate is made into the stream's form when that is known, once for each form and broadcast", async () => {
  const { api, channelId, url } = await open();
  expect((await api.get(`${url}/slate`)).body.content).toEqual({
    slateState: "none",
    curtainClosed: false,
    slateShown: false,
  });
  expect((await api.put(`${url}/slate`, { fileId: "mf-none" })).status).toBe(404);
  expect((await api.put(`${url}/slate`, { fileId: "mf-a" })).body.content).toMatchObject({
    fileId: "mf-a",
    slateState: "waiting",
  });
  const sample = (changes: object, times = 3) => {
    const { ingest, ...rest } = channelSample(channelId, []);
    for (let count = 0; count < times; count += 1)
      api.slates.samples([{ ...rest, ingest: { ...ingest, ...LIVE, ...changes } }]);
  };
  sample({ frameRate: undefined });
  expect(api.runtime.slates).toEqual([]);
  // The first rate is measured over less than its time.
  sample({ frameRate: 17.3 }, 2);
  for (const rate of [29.98, 29.96, 30.01]) sample({ frameRate: rate }, 1);
  await api.get(`${url}/slate`);
  expect(api.runtime.slates).toEqual([[channelId, Buffer.from("slate")]]);
  const state = async () => (await api.get(`${url}/slate`)).body.content.slateState;
  expect(await state()).toBe("ready");
  sample({ slateMisfit: "form" });
  const unfit = (await api.get(`${url}/slate`)).body.content;
  expect([unfit.slateState, unfit.message]).toEqual([
    "unfit",
    expect.stringContaining("does not have the stream's form"),
  ]);
  sample({});
  expect(await state()).toBe("ready");
  api.slateMade = { reason: "it took longer than 300 s" };
  sample({ width: 640, height: 360 });
  const failed = (await api.get(`${url}/slate`)).body.content;
  expect(failed).toMatchObject({
    slateState: "failed",
    message: "It could not be made: the last frame is shown instead. (it took longer than 300 s)",
  });
  sample({ videoCodec: "vp9" });
  const { slateState, message } = (await api.get(`${url}/slate`)).body.content;
  expect([slateState, message]).toEqual(["other-codec", expect.stringContaining("(vp9, aac)")]);
  sample({ pixelFormat: "yuv420p12le" });
  expect((await api.get(`${url}/slate`)).body.content.message).toContain("(avc yuv420p12le, aac)");
  api.slateMade = { flv: Buffer.from("slate") };
  sample({ pixelFormat: "yuv420p10le" });
  expect(api.slates.state(channelId)).toEqual({ at: "making" });
  expect(await state()).toBe("ready");
  // Audio alone: a stream has ten seconds to say its form.
  sample({ videoCodec: undefined }, 9);
  expect(await state()).toBe("ready");
  sample({ videoCodec: undefined }, 1);
  expect(await state()).toBe("unfit");
  sample({}, 2);
  expect(await state()).toBe("unfit");
  sample({}, 1);
  expect(await state()).toBe("ready");
  expect((await api.delete("/api/v2/media-files/mf-a")).body.error.details).toContain("A channel has the file");
  expect((await api.delete(`${url}/slate`)).body.content.slateState).toBe("none");
  expect(api.runtime.slates.at(-1)).toEqual([channelId, undefined]);
  await api.close();
});

test("a stream whose frame rate never stands still gets its slate too, and not a new one all the time", async () => {
  const { api, channelId, url } = await open();
  await api.put(`${url}/slate`, { fileId: "mf-a" });
  const sample = (frameRate: number) => {
    const { ingest, ...rest } = channelSample(channelId, []);
    api.slates.samples([{ ...rest, ingest: { ...ingest, ...LIVE, frameRate } }]);
  };
  const restless = [27, 21.5, 30, 24.5, 18];
  for (const rate of [...restless, ...restless]) sample(rate);
  await api.get(`${url}/slate`);
  expect(api.runtime.slates).toHaveLength(1);
  for (const rate of [27, 27, 27, 27, ...restless, 12, 12, 12]) sample(rate);
  await api.get(`${url}/slate`);
  expect(api.runtime.slates).toHaveLength(1);
  for (let count = 0; count < 10; count += 1) sample(50);
  await api.get(`${url}/slate`);
  expect(api.runtime.slates).toHaveLength(2);
  await api.close();
});

test("a slate that cannot be shown is an event, once in a broadcast, and a part of the verdict", async () => {
  const { api, channelId, url } = await open();
  await api.put(`${url}/slate`, { fileId: "mf-a" });
  api.runtime.start(channelId, api.clock.wallMs);
  const sample = (changes: object, times: number) => {
    const { ingest, ...rest } = channelSample(channelId, []);
    for (let count = 0; count < times; count += 1)
      api.slates.samples([{ ...rest, ingest: { ...ingest, ...LIVE, ...changes } }]);
  };
  const verdict = async () => (await api.get(url)).body.content.health;
  const events = async () => {
    // Events are stored behind the call that caused them.
    await verdict();
    return (await api.get(`${url}/events`)).body.content.filter(({ eventCode }: { eventCode: string }) =>
      eventCode.startsWith("SLATE"),
    );
  };
  sample({ videoCodec: "vp9" }, 4);
  expect([(await verdict()).reason?.code, await events()]).toEqual([undefined, []]);
  sample({ videoCodec: "vp9" }, 1);
  expect(await verdict()).toMatchObject({
    state: "attention",
    reason: { code: "SLATE_FAILED", message: expect.stringContaining("(vp9, aac)") },
    nextStep: { code: "CHANGE_SLATE" },
  });
  expect(await events()).toMatchObject([{ eventCode: "SLATE_FAILED", logLevel: "WARN" }]);
  expect((await events())[0].description).toMatch(/slate cannot be shown: No slate .+ FLAC \(vp9, aac\)\.$/);
  sample({}, 3);
  await api.get(`${url}/slate`);
  sample({}, 1);
  expect((await verdict()).state).toBe("healthy");
  sample({ videoCodec: "vp9" }, 5);
  expect(await events()).toHaveLength(1);
  api.slates.ended(channelId);
  sample({ videoCodec: "vp9" }, 5);
  expect(await events()).toHaveLength(2);
  await api.close();
});

test("the curtain needs a channel on air and a slate", async () => {
  const { api, channelId, url } = await open();
  expect((await api.post(`${url}/curtain`)).body.error.details).toBe("The channel is off air.");
  api.runtime.start(channelId, api.clock.wallMs);
  expect((await api.post(`${url}/curtain`)).body.error.details).toContain("no slate");
  await api.put(`${url}/slate`, { fileId: "mf-a" });
  expect((await api.post(`${url}/curtain`)).status).toBe(200);
  expect((await api.delete(`${url}/curtain`)).status).toBe(200);
  expect(api.runtime.curtains).toEqual([
    [channelId, true],
    [channelId, false],
  ]);
  const { body } = await api.get(`${url}/events`);
  const reasons = body.content
    .map((event: { reason?: string }) => event.reason)
    .filter((reason?: string) => reason !== undefined);
  expect(reasons.reverse()).toEqual(["slate-changed", "curtain-closed", "curtain-opened"]);
  await api.close();
});

test("a slate is there again after a restart", async () => {
  const { api, channelId, url } = await open();
  await api.put(`${url}/slate`, { fileId: "mf-a" });
  api.slates.choose(channelId, undefined);
  await api.sources.resume();
  expect((await api.get(`${url}/slate`)).body.content.fileId).toBe("mf-a");
  await api.close();
});
