import { afterEach, beforeEach, expect, test } from "vitest";
import type { Store } from "../../../src/control/ports/store.ts";
import { Api, CHANNELS, type Method, PLATFORM } from "../api.ts";

let api: Api;
let reads: number;
beforeEach(async () => {
  reads = 0;
  const counting = (store: Store) =>
    new Proxy(store, {
      get: (target, name) => {
        if (name === "findChannel") reads += 1;
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  api = await Api.open({ over: counting });
});
afterEach(() => api.close());

/** How often a request reads the channel beside the transaction that changes it, and its answer. */
async function readsOf(method: Method, path: string, body?: unknown) {
  reads = 0;
  const answer = await api.call({ method, url: `${CHANNELS}/${path}`, ...(body === undefined ? {} : { body }) });
  expect(answer.status).toBe(200);
  return { reads, content: answer.body.content };
}

test("an edit returns what its transaction left, and reads the channel no second time", async () => {
  const { channelId, restream } = await api.create();
  const platform = `${channelId}/platforms/${restream[0].platId}`;
  const edited = await readsOf("PUT", channelId, { channelName: "renamed", freeze: { mediaSeconds: 7 } });
  expect(edited).toMatchObject({ reads: 0, content: { channelName: "renamed", freeze: { mediaSeconds: 7 } } });
  expect(edited.content).toEqual((await readsOf("GET", channelId)).content);
  expect(await readsOf("PUT", channelId, {})).toEqual({ ...edited, reads: 0 });
  const change = { rtmpUrl: "rtmp://other/app", streamKey: "k", label: "Mine" };
  expect(await readsOf("PUT", platform, change)).toMatchObject({ reads: 0, content: change });
  const added = await readsOf("POST", `${channelId}/platforms`, { ...PLATFORM, targetName: "TWITCH" });
  expect(added).toMatchObject({ reads: 0, content: { targetName: "TWITCH" } });
  expect((await readsOf("POST", `${channelId}/stream-key`)).reads).toBe(0);
  expect(await readsOf("PUT", `${channelId}/on`)).toMatchObject({ reads: 0, content: { channelStatus: "READY" } });
  expect(await readsOf("PUT", `${platform}/on`)).toMatchObject({ reads: 0, content: { enabled: true } });
  expect(await readsOf("DELETE", platform)).toMatchObject({ reads: 0, content: { label: "Mine" } });
});

test("a request that waits for an effect reads the channel once, after it", async () => {
  const { channelId, restream } = await api.create();
  const platform = `${channelId}/platforms/${restream[0].platId}`;
  expect(await readsOf("PUT", `${platform}/off`)).toMatchObject({ reads: 1, content: { enabled: false } });
  expect(await readsOf("PUT", `${channelId}/off`)).toMatchObject({ reads: 1, content: { channelStatus: "BLOCK" } });
});
