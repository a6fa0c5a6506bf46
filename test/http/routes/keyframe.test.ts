import { afterEach, beforeEach, expect, test } from "vitest";
import type { Keyframe } from "../../../src/thread-protocol/keyframe.ts";
import { Api, CHANNELS, VIEWER } from "../api.ts";

let api: Api;
let url: string;
let channelId: string;
beforeEach(async () => {
  api = await Api.open();
  channelId = (await api.create()).channelId;
  url = `${CHANNELS}/${channelId}/keyframe`;
});
afterEach(() => api.close());

const KEYFRAME: Keyframe = { found: "keyframe", time: 1_764_432_000_123, bytes: new Uint8Array([70, 76, 86]) };

const ask = (headers: Record<string, string> = {}, key = VIEWER) =>
  api.server.inject({ method: "GET", url, headers: { ...api.signedHeaders("GET", url, key), ...headers } });

test("a viewer gets the last keyframe with its time, and no cache keeps it", async () => {
  api.runtime.keyframeFound = { ...KEYFRAME };
  const { statusCode, headers, rawPayload } = await ask();
  expect([statusCode, rawPayload]).toEqual([200, Buffer.from("FLV")]);
  expect(headers).toMatchObject({
    "content-type": "video/x-flv",
    etag: '"1764432000123"',
    "last-modified": "Sat, 29 Nov 2025 16:00:00 GMT",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  expect(api.runtime.keyframesAsked).toEqual([[channelId, undefined]]);
});

test("a client that has the keyframe is answered 304 without a body, and a foreign entity tag is ignored", async () => {
  api.runtime.keyframeFound = { found: "unchanged" };
  const { statusCode, headers, rawPayload } = await ask({ "if-none-match": '"1764432000123"' });
  expect([statusCode, rawPayload.length, headers["cache-control"]]).toEqual([304, 0, "no-store"]);
  api.runtime.keyframeFound = { ...KEYFRAME };
  for (const tag of ['"x"', "*", '"1", "2"', `"${"9".repeat(16)}"`]) await ask({ "if-none-match": tag });
  await ask({ "if-none-match": 'W/"5"' });
  expect(api.runtime.keyframesAsked.map(([, knownTime]) => knownTime)).toEqual([
    ...[1_764_432_000_123, undefined, undefined, undefined, undefined, 5],
  ]);
});

test("a missing keyframe, or one that is too large, is answered with its reason", async () => {
  const refused = async (found: "none" | "too-large") => {
    api.runtime.keyframeFound = { found };
    const { status, body } = await api.get(url);
    return [status, body.error.errorCode, body.error.details];
  };
  expect(await refused("none")).toEqual([409, 250005, "The channel is not on air, or no keyframe has come yet."]);
  expect(await refused("too-large")).toEqual([409, 250005, "The channel's last keyframe has more than 4 MiB."]);
  const unknown = await api.get(url.replace(channelId, "ls-20200324144322-qfphX"));
  expect([unknown.status, unknown.body.error.errorCode]).toEqual([404, 250004]);
});

test("16 keyframes are sent at a time, one more is refused with a time to retry, and a place is free once its answer has left", async () => {
  const found = Promise.withResolvers<Keyframe>();
  api.runtime.keyframeFound = found.promise;
  const asked = Array.from({ length: 16 }, () => ask());
  await expect.poll(() => api.runtime.keyframesAsked.length).toBe(16);
  const more = await ask();
  expect([more.statusCode, more.headers["retry-after"]]).toEqual([429, "2"]);
  found.resolve({ found: "unchanged" });
  expect((await Promise.all(asked)).map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 16 }, () => 304));
  expect((await ask()).statusCode).toBe(304);
});
