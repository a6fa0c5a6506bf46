import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "../../support/processes/waiting.ts";
import { Api, CHANNELS } from "../api.ts";

const DEADLINE_MS = 5_000;

let api: Api;
let origin: string;
beforeEach(async () => {
  api = await Api.open();
  origin = await api.server.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(() => api.close());

async function address(): Promise<string> {
  const { channelId } = await api.create();
  const { body } = await api.post(`${CHANNELS}/${channelId}/preview-token`);
  expect(body.content).toEqual({
    url: expect.stringMatching(new RegExp(`^/preview/${channelId}\\.flv\\?token=[a-z0-9]{32}$`)),
    expiresTime: api.clock.wallMs + 300_000,
  });
  return body.content.url;
}

const watched = (count: number) =>
  waitFor("the watch", DEADLINE_MS, () =>
    api.runtime.watches.length >= count ? api.runtime.watches.at(-1) : undefined,
  );

test("bytes from the media thread reach the viewer, and are credited when they have left", async () => {
  const url = await address();
  const asked = fetch(origin + url);
  const watch = await watched(1);
  watch.sink.take(Buffer.from("FLV1"));
  const answer = await asked;
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "video/x-flv"]);
  expect(answer.headers.get("x-ncp-trace-id")).toMatch(/^[a-z0-9]{26}$/);
  watch.sink.take(Buffer.from("more"));
  await waitFor("the credit", DEADLINE_MS, () => (watch.takenBytes === 8 ? true : undefined));
  watch.sink.end();
  expect(await answer.text()).toBe("FLV1more");
});

test("a viewer that takes nothing is cut off at the end of the stream", async () => {
  const asked = fetch(origin + (await address()));
  const watch = await watched(1);
  watch.sink.take(Buffer.from("FLV1"));
  const answer = await asked;
  // More than the kernel takes for a reader that does not read.
  const bytes = 64 * 1_024 * 1_024;
  watch.sink.take(Buffer.alloc(bytes));
  watch.sink.end();
  await waitFor("the leave", DEADLINE_MS, () => watch.isLeft || undefined);
  expect(watch.takenBytes).toBe(4);
  await expect(answer.arrayBuffer()).rejects.toThrow();
});

test("a channel that is off air has no preview", async () => {
  const url = await address();
  const asked = fetch(origin + url);
  (await watched(1)).sink.end();
  const answer = await asked;
  expect([answer.status, ((await answer.json()) as { error: { errorCode: number } }).error.errorCode]).toEqual([
    409, 250005,
  ]);
});

test("a token opens its own channel, for five minutes", async () => {
  const url = await address();
  const { channelId } = await api.create();
  const token = url.split("=")[1] ?? "";
  for (const wrong of [`/preview/${channelId}.flv?token=${token}`, url.slice(0, -1), url.split("?")[0] ?? ""]) {
    expect([wrong, (await fetch(origin + wrong)).status]).toEqual([wrong, 401]);
  }
  api.clock.advance(300_000);
  expect((await fetch(origin + url)).status).toBe(401);
  expect(api.runtime.watches).toEqual([]);
});

test("a channel has four viewers; when one leaves there is room again, and the media thread is informed", async () => {
  const url = await address();
  const stops: AbortController[] = [];
  for (let count = 1; count <= 4; count += 1) {
    const stop = new AbortController();
    stops.push(stop);
    const asked = fetch(origin + url, { signal: stop.signal });
    (await watched(count)).sink.take(Buffer.from("FLV"));
    await asked;
  }
  const refused = await fetch(origin + url);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  stops[0]?.abort();
  await waitFor("the leave", DEADLINE_MS, () => api.runtime.watches[0]?.isLeft === true || undefined);
  const again = fetch(origin + url);
  (await watched(5)).sink.take(Buffer.from("FLV"));
  expect((await again).status).toBe(200);
});

test("previews and tokens of a deleted key end at once, and another key's go on", async () => {
  const { channelId } = await api.create();
  const access = "/api/v2/access-keys";
  const { body } = await api.post(access, { role: "manager", name: "second" });
  const second = { accessKeyId: body.content.accessKey, secretKey: body.content.secretKey };
  const path = `${CHANNELS}/${channelId}/preview-token`;
  const watching = async (key: typeof second | undefined, count: number) => {
    const made = await api.call({ method: "POST", url: path, ...(key === undefined ? {} : { key }) });
    const asked = fetch(origin + made.body.content.url);
    (await watched(count)).sink.take(Buffer.from("FLV"));
    return { url: origin + made.body.content.url, answer: await asked };
  };
  const doomed = await watching(second, 1);
  const kept = await watching(undefined, 2);
  expect((await api.delete(`${access}/${second.accessKeyId}`)).status).toBe(200);
  await expect(doomed.answer.text()).rejects.toThrow();
  await waitFor("the leave", DEADLINE_MS, () => api.runtime.watches[0]?.isLeft === true || undefined);
  expect((await fetch(doomed.url)).status).toBe(401);
  expect(api.runtime.watches[1]?.isLeft).toBe(false);
  api.runtime.watches[1]?.sink.end();
  expect(await kept.answer.text()).toBe("FLV");
});
