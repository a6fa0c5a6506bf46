import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, onTestFinished, test, vi } from "vitest";
import { batch, frames, heads } from "../../support/recordings/batches.ts";
import { Api, MANAGER, VIEWER } from "../api.ts";

const HOST = { host: "fanfare.example" };

const CHANNEL = "ls-20260102030405-aB3dE";
const START = 1_767_323_045_000;
const LIST = "/api/v2/re-stream/recordings";
const ONE = `${LIST}/${CHANNEL}/20260102030405-001`;

/** The HTTP side with a recorder that has these recordings, of one second each. */
async function withRecordings(...channels: readonly string[]): Promise<Api> {
  const api = await Api.open();
  onTestFinished(() => api.close());
  api.recorder.recorder.start();
  for (const [index, channelId] of channels.entries()) {
    api.recorder.send({ kind: "begin", number: index, channelId, startTime: START + index * 1_000 });
    api.recorder.send({ kind: "media", number: index, bytes: batch(...heads(), ...frames(0, 1_000)) });
    api.recorder.send({ kind: "end", number: index, reason: "BROADCAST_ENDED" });
  }
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return api;
}

test("recordings are listed newest first, of all channels or of one", async () => {
  const api = await withRecordings(CHANNEL, "ls-20260102030405-other", CHANNEL);
  const all = await api.call({ method: "GET", url: `${LIST}?pageSizeNo=2` });
  expect(all.body.total).toBe(3);
  expect(all.body.content.map(({ recordingId }: { recordingId: string }) => recordingId)).toEqual([
    "20260102030407-001",
    "20260102030406-001",
  ]);
  const own = await api.call({ method: "GET", url: `${LIST}?channelId=${CHANNEL}`, key: VIEWER });
  expect(own.body.total).toBe(2);
  expect(own.body.content[1]).toEqual({
    ...{ channelId: CHANNEL, recordingId: "20260102030405-001", container: "mp4", state: "FINISHED" },
    fileName: `${CHANNEL}-20260102030405-001.mp4`,
    ...{ startTime: START, endTime: api.clock.wallNow(), endReason: "BROADCAST_ENDED", durationMilliseconds: 960 },
    bytes: own.body.content[1].bytes,
    tracks: [
      { kind: "video", codec: "avc", width: 640, height: 360 },
      { kind: "audio", codec: "aac", sampleRate: 48_000, channels: 2 },
    ],
  });
  expect((await api.call({ method: "GET", url: ONE })).body.content).toEqual(own.body.content[1]);
});

test("a file is downloaded as a whole and in parts", async () => {
  const api = await withRecordings(CHANNEL);
  const authorization = `Bearer ${MANAGER.secretKey}`;
  const download = (more: Readonly<Record<string, string>> = {}) =>
    api.server.inject({ method: "GET", url: `${ONE}/file`, headers: { ...HOST, authorization, ...more } });
  const whole = await download();
  const { length } = whole.rawPayload;
  expect(whole.headers).toMatchObject({
    "content-type": "video/mp4",
    "accept-ranges": "bytes",
    "cache-control": "no-store",
    "content-disposition": `attachment; filename="${CHANNEL}-20260102030405-001.mp4"`,
  });
  const size = Number(whole.headers["content-length"]);
  expect(size).toBeGreaterThan(3_000);
  expect(length).toBe(size);
  const part = async (range: string, more: Readonly<Record<string, string>> = {}) => {
    const { statusCode, headers, rawPayload } = await download({ range, ...more });
    const [, from] = /^bytes (\d+)-/.exec(headers["content-range"]?.toString() ?? "") ?? [];
    const at = Number(from ?? 0);
    if (statusCode === 206) expect(rawPayload).toEqual(whole.rawPayload.subarray(at, at + rawPayload.length));
    return [statusCode, headers["content-range"], rawPayload.length];
  };
  expect(await part("bytes=0-3")).toEqual([206, `bytes 0-3/${size}`, 4]);
  expect(await part("bytes=4-")).toEqual([206, `bytes 4-${size - 1}/${size}`, size - 4]);
  expect(await part("bytes=-10")).toEqual([206, `bytes ${size - 10}-${size - 1}/${size}`, 10]);
  expect(await part(`bytes=${size}-`)).toEqual([416, `bytes */${size}`, 0]);
  expect(await part("bytes=0-1,3-4")).toEqual([200, undefined, size]);
  expect(await part("lines=0-1")).toEqual([200, undefined, size]);
  expect(await part("bytes=0-3", { "if-range": '"another"' })).toEqual([200, undefined, size]);
  expect(await part("bytes=0-3", { "if-range": String(whole.headers["etag"]) })).toEqual([206, `bytes 0-3/${size}`, 4]);
  const head = await api.server.inject({ method: "HEAD", url: `${ONE}/file`, headers: { ...HOST, authorization } });
  expect([head.statusCode, Number(head.headers["content-length"]), head.rawPayload.length]).toEqual([200, size, 0]);
  const stranger = await api.server.inject({ method: "GET", url: `${ONE}/file`, headers: HOST });
  expect(stranger.statusCode).toBe(401);
});

test("a download ends with the key that it was asked for with, and another one goes on", async () => {
  const api = await withRecordings(CHANNEL);
  const port = Number(new URL(await api.server.listen({ host: "127.0.0.1", port: 0 })).port);
  const file = api.recordings.get({ channelId: CHANNEL, recordingId: "20260102030405-001" });
  // More than any buffer on the way takes.
  vi.spyOn(api.recordings, "get").mockReturnValue({ ...file, bytes: 2 ** 40 });
  vi.spyOn(api.recordings, "read").mockImplementation(async (_file, _at, length) => new Uint8Array(length));
  const { body } = await api.call({ method: "POST", url: "/api/v2/access-keys", body: { role: "viewer" } });
  const { accessKey, secretKey } = body.content;
  const begin = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const outgoing = request({ host: "127.0.0.1", port, path: `${ONE}/file`, headers });
    onTestFinished(() => void outgoing.destroy());
    outgoing.on("error", () => undefined);
    const [response] = (await once(outgoing.end(), "response")) as [IncomingMessage];
    response.on("error", () => undefined);
    return response;
  };
  const [ended, kept] = [await begin(secretKey), await begin(VIEWER.secretKey)];
  const closed = new Promise<void>((resolve) => ended.once("close", () => resolve()));
  expect((await api.call({ method: "DELETE", url: `/api/v2/access-keys/${accessKey}` })).status).toBe(200);
  ended.resume();
  await closed;
  expect(ended.complete).toBe(false);
  let taken = 0;
  for await (const part of kept) {
    taken += part.length;
    if (taken > 64 * 1024 * 1024) break;
  }
  expect(taken).toBeGreaterThan(64 * 1024 * 1024);
});

test("a deleted recording is gone, and the channel's timeline has who deleted it", async () => {
  const api = await withRecordings(CHANNEL);
  expect((await api.call({ method: "DELETE", url: ONE, key: VIEWER })).status).toBe(401);
  expect((await api.call({ method: "DELETE", url: ONE })).body.content).toMatchObject({
    recordingId: "20260102030405-001",
  });
  for (const url of [ONE, `${ONE}/file`])
    expect((await api.call({ method: "GET", url })).body.error.errorCode).toBe(250004);
  expect((await api.call({ method: "DELETE", url: ONE })).status).toBe(404);
});

test("no name leads out of the folder", async () => {
  const api = await withRecordings(CHANNEL);
  const hostile = [
    `${LIST}/${CHANNEL}/..%2F..%2Ffanfare.db/file`,
    `${LIST}/..%2F${CHANNEL}/20260102030405-001/file`,
    `${LIST}/${CHANNEL}/20260102030405-001%00/file`,
    `${LIST}/${CHANNEL}/20260102030405-001.json/file`,
  ];
  for (const url of hostile) expect([400, 404]).toContain((await api.call({ method: "GET", url })).status);
});

test("a recording that is being written is shown, and cannot be deleted", async () => {
  const api = await withRecordings();
  api.recorder.send({ kind: "begin", number: 1, channelId: CHANNEL, startTime: START });
  api.recorder.send({ kind: "media", number: 1, bytes: batch(...heads(), ...frames(0, 1_000)) });
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const { body } = await api.call({ method: "GET", url: ONE });
  expect(body.content).toMatchObject({ state: "RECORDING" });
  expect(body.content).not.toHaveProperty("endTime");
  expect((await api.call({ method: "DELETE", url: ONE })).body.error).toMatchObject({ errorCode: 250005 });
});

test("a channel is recorded once that is turned on, and its answers say how it stands", async () => {
  const api = await withRecordings();
  const channel = await api.create({ recording: { enabled: true } });
  expect(channel.recording).toEqual({ enabled: true, status: "READY" });
  expect((await api.admission.admit(channel.streamKey))?.spec.isRecorded).toBe(true);
  const url = `/api/v2/re-stream/channels/${channel.channelId}`;
  const off = await api.call({ method: "PUT", url, body: { recording: { enabled: false } } });
  expect(off.body.content.recording).toEqual({ enabled: false, status: "OFF" });
  expect(api.runtime.applied.at(-1)).not.toHaveProperty("isRecorded");
  const kept = await api.call({ method: "PUT", url, body: { channelName: "renamed" } });
  expect(kept.body.content.recording.enabled).toBe(false);
});
