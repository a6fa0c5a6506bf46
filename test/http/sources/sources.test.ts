import { expect, test } from "vitest";
import { SqlSourceStore } from "../../../src/store/sources/source-store.ts";
import { Api, CHANNEL, CHANNELS, VIEWER } from "../api.ts";

const FILES = "/api/v2/media-files";

async function open() {
  const api = await Api.open();
  const { body } = await api.post(CHANNELS, CHANNEL);
  const channelId: string = body.content.channelId;
  api.files.add("mf-a");
  api.files.add("mf-b");
  return { api, channelId, source: `${CHANNELS}/${channelId}/source` };
}

const uploaded = (api: Api, url: string, from: number, bytes: Buffer, length: number | "*" = "*") =>
  api.call({
    method: "PUT",
    url: `${url}/content`,
    body: bytes,
    headers: { "content-range": `bytes ${from}-${from + bytes.length - 1}/${length}` },
  });

test("a file is uploaded in parts, and an upload that was cut off goes on where it ended", async () => {
  const { api } = await open();
  const made = await api.post(FILES, { fileName: " intermission.mp4 ", bytes: 6 });
  expect(made.body.content).toMatchObject({ fileName: "intermission.mp4", fileState: "uploading", receivedBytes: 0 });
  const url = `${FILES}/${made.body.content.fileId}`;
  expect((await uploaded(api, url, 0, Buffer.from("abc"))).body.content.receivedBytes).toBe(3);
  const again = await uploaded(api, url, 0, Buffer.from("abc"));
  expect([again.status, again.body.error.details]).toEqual([409, "The next bytes of this file begin at 3."]);
  const whole = await uploaded(api, url, 3, Buffer.from("def"));
  expect(whole.body.content).toMatchObject({
    fileState: "ready",
    fileKind: "video",
    durationSeconds: 5,
    frameRate: 30,
  });
  expect((await api.get(FILES)).body.content).toHaveLength(3);
  expect((await api.get("/api/v2/media-space")).body.content).toEqual({
    ffmpegFound: true,
    usedBytes: 26,
    quotaBytes: 1e9,
  });
  const frame = await api.server.inject({ url: `${url}/frame`, headers: api.signedHeaders("GET", `${url}/frame`) });
  expect([frame.statusCode, frame.body, frame.headers["content-type"]]).toEqual([200, "jpeg", "image/jpeg"]);
  expect((await api.delete(url)).status).toBe(200);
  expect((await api.get(url)).status).toBe(404);
  await api.close();
});

test("an upload is known by the client's fingerprint until it is whole", async () => {
  const { api } = await open();
  for (const fingerprint of ["", "a b", "x".repeat(101), 5])
    expect(
      (await api.post(FILES, { fileName: "a.mp4", bytes: 2, fileFingerprint: fingerprint })).body.error.details,
    ).toContain("fileFingerprint: expected 1 to 100 letters");
  const fingerprint = "1800000000000-9e3779b9";
  const made = await api.post(FILES, { fileName: "a.mp4", bytes: 2, fileFingerprint: fingerprint });
  const url = `${FILES}/${made.body.content.fileId}`;
  expect([made.body.content.fileFingerprint, (await api.get(url)).body.content.fileFingerprint]).toEqual([
    fingerprint,
    fingerprint,
  ]);
  await api.close();
});

test("a file of HDR says so, and where its colours will look pale", async () => {
  const { api } = await open();
  const own = { isTranscoded: true, isAudioTranscoded: true } as const;
  api.files.add("mf-mapped", { hdr: "HLG", ...own });
  api.files.add("mf-pale", { hdr: "PQ", isPale: true, ...own });
  const { body: mapped } = await api.get(`${FILES}/mf-mapped`);
  expect(mapped.content).toMatchObject({ hdr: "HLG" });
  expect(Object.keys(mapped.content).filter((name) => /notice|^is/.test(name))).toEqual([]);
  expect((await api.get(`${FILES}/mf-pale`)).body.content).toMatchObject({
    hdr: "PQ",
    notice: expect.stringContaining("will look pale"),
    noticeKo: expect.stringContaining("색이 옅게"),
  });
  await api.close();
});

test("an upload does not go on with another file, nor with bytes other than announced", async () => {
  const { api } = await open();
  const made = await api.post(FILES, { fileName: "a.mp4", bytes: 6 });
  const url = `${FILES}/${made.body.content.fileId}`;
  const other = await uploaded(api, url, 0, Buffer.from("abc"), 7);
  expect([other.status, other.body.error.details]).toEqual([400, expect.stringContaining("begun with 6 bytes")]);
  const short = await api.call({
    ...{ method: "PUT", url: `${url}/content`, body: Buffer.from("abc") },
    headers: { "content-range": "bytes 0-5/6" },
  });
  expect([short.status, short.body.error.details]).toEqual([400, expect.stringContaining("Content-Range")]);
  // Where they begin is right: told that, a client would send them again for ever.
  for (const length of [6, "*"] as const) {
    const beyond = await uploaded(api, url, 0, Buffer.from("abcdefg"), length);
    expect([beyond.status, beyond.body.error.details]).toEqual([
      400,
      "These bytes end behind the file: the upload was begun with 6 bytes.",
    ]);
  }
  expect((await api.get(url)).body.content.receivedBytes).toBe(0);
  expect((await uploaded(api, url, 0, Buffer.from("abcdef"), 6)).body.content.fileState).toBe("ready");
  await api.close();
});

test.each([
  { name: "no name", body: { fileName: " ", bytes: 1 }, code: 250011 },
  { name: "no length", body: { fileName: "a" }, code: 250011 },
  { name: "half a byte", body: { fileName: "a", bytes: 1.5 }, code: 250002 },
  { name: "more than the library holds", body: { fileName: "a", bytes: 1_000_000_001 }, code: 250005 },
])("an upload is refused: $name", async ({ body, code }) => {
  const { api } = await open();
  expect((await api.post(FILES, body)).body.error.errorCode).toBe(code);
  await api.close();
});

test("without FFmpeg, uploads and sources are refused with that reason", async () => {
  const { api, source } = await open();
  await api.put(source, { fileIds: ["mf-a"] });
  api.files.isAvailable = false;
  api.player.isAvailable = false;
  for (const answer of [await api.post(FILES, { fileName: "a", bytes: 1 }), await api.post(`${source}/start`)])
    expect([answer.status, answer.body.error.details]).toEqual([409, expect.stringContaining("not installed")]);
  expect((await api.get(source)).body.content.ffmpegFound).toBe(false);
  await api.close();
});

test("a source is set, started, edited while it plays, and stopped; events tell each step", async () => {
  const { api, channelId, source } = await open();
  expect((await api.post(`${source}/start`)).body.error.details).toContain("no source");
  expect((await api.put(source, { fileIds: ["mf-none"] })).status).toBe(404);
  expect((await api.put(source, { fileIds: [] })).status).toBe(400);
  const set = await api.put(source, { fileIds: ["mf-a", "mf-b"], loop: true });
  expect(set.body.content).toMatchObject({
    sourceKind: "files",
    fileIds: ["mf-a", "mf-b"],
    loop: true,
    sourceState: "stopped",
  });
  expect((await api.post(`${source}/stop`)).body.error.details).toContain("does not play");
  expect((await api.post(`${source}/start`)).body.content.sourceState).toBe("starting");
  expect(api.player.starts).toMatchObject([{ channelId, position: 0, source: { fileIds: ["mf-a", "mf-b"] } }]);
  expect((await api.post(`${source}/start`)).body.error.details).toContain("plays already");
  api.player.become(channelId, { state: "playing", sinceTime: 1, position: 1, fileId: "mf-b" });
  expect((await api.get(source)).body.content).toMatchObject({ sourceState: "playing", position: 1, fileId: "mf-b" });
  await api.put(source, { fileIds: ["mf-b"] });
  expect(api.player.updates.at(-1)).toEqual([channelId, { kind: "files", fileIds: ["mf-b"], isLooped: false }]);
  expect((await api.delete(`${FILES}/mf-b`)).body.error.details).toContain("A channel has the file");
  expect((await api.post(`${source}/stop`)).body.content).toMatchObject({
    sourceState: "stopped",
    sourceReason: "stopped-by-person",
    message: "It was stopped.",
  });
  expect((await api.delete(source)).body.content).not.toHaveProperty("fileIds");
  const { body } = await api.get(`${CHANNELS}/${channelId}/events`);
  const told = body.content.map((event: { eventCode: string; reason?: string }) => event.reason ?? event.eventCode);
  expect(told.reverse()).toEqual([
    ...["STREAM_RESERVE", "source-changed", "source-started", "SOURCE_STARTED", "source-changed"],
    ...["source-stopped", "SOURCE_ENDED", "source-changed"],
  ]);
  await api.close();
});

test("a pulled source hides its secrets, tells how its connection is, and its loss once", async () => {
  const { api, channelId, source } = await open();
  const url = "srt://192.0.2.7:9000?passphrase=0123456789&latency=200";
  const shown = "srt://192.0.2.7:9000?passphrase=****&latency=200";
  for (const body of [
    {},
    { fileIds: ["mf-a"], pull: { url } },
    { pull: { url: "file:///etc/passwd" } },
    { pull: { url: shown } },
  ])
    expect((await api.put(source, body)).status).toBe(400);
  expect((await api.put(source, { pull: { url } })).body.content).toMatchObject({
    sourceKind: "pull",
    pull: { url: shown, connectStatus: "READY" },
    sourceState: "stopped",
  });
  expect((await api.post(`${source}/start`)).body.content.sourceState).toBe("starting");
  expect(api.player.starts).toMatchObject([{ channelId, source: { kind: "pull", url } }]);
  const lastError = {
    code: "TCP_REFUSED",
    severity: "transient",
    message: "Refused.",
    messageKo: "거부.",
    time: 5,
  } as const;
  const link = {
    status: "FAIL",
    sinceTime: 5,
    lastError,
    retryAttempt: 1,
    nextRetryTime: 1_005,
    isUnstable: false,
  } as const;
  api.player.become(channelId, { state: "failed", sinceTime: 5, link });
  expect((await api.get(source)).body.content).toMatchObject({
    sourceState: "failed",
    pull: { url: shown, connectStatus: "FAIL", stability: "stable", lastError, retryAttempt: 1, nextRetryTime: 1_005 },
  });
  api.player.become(channelId, { state: "starting", sinceTime: 6, link: { ...link, status: "CONNECTING" } });
  api.player.become(channelId, { state: "failed", sinceTime: 7, link: { ...link, retryAttempt: 2 } });
  expect((await api.put(source, { fileIds: ["mf-a"] })).body.error.details).toContain("plays already");
  await api.sources.resume();
  expect(api.player.starts.at(-1)).toMatchObject({ source: { kind: "pull", url } });
  api.player.become(channelId, {
    state: "playing",
    sinceTime: 8,
    link: {
      status: "PUBLISHING",
      sinceTime: 8,
      isUnstable: false,
      variant: { bitRate: 3_000_000, codecs: "avc1.64001f" },
    },
  });
  expect((await api.get(source)).body.content.pull.variant).toEqual({ bitRate: 3_000_000, codecs: "avc1.64001f" });
  await api.post(`${source}/stop`);
  const { body } = await api.get(`${CHANNELS}/${channelId}/events`);
  const told = body.content.map(
    (event: { eventCode: string; reason?: string }) => `${event.eventCode} ${event.reason ?? ""}`,
  );
  expect(told.reverse().filter((line: string) => line.startsWith("SOURCE"))).toEqual([
    "SOURCE_FAILED TCP_REFUSED",
    "SOURCE_STARTED ",
    "SOURCE_ENDED ",
  ]);
  expect(JSON.stringify(body)).not.toContain("0123456789");
  await api.close();
});

test.each([
  ["rtmp://user:secret@media.example.com:1936/live/the-key?token=1", "rtmp://media.example.com:1936/…"],
  ["https://cdn.example.com/a-long-token/index.m3u8", "https://cdn.example.com/…"],
  ["srt://[2001:db8::7]:9000?streamid=the-key", "srt://[2001:db8::7]:9000/…"],
  ["rtsp://cam.example.com", "rtsp://cam.example.com"],
])("a viewer sees of %s where it leads, and nothing that could be a key", async (url, shown) => {
  const { api, source } = await open();
  expect((await api.put(source, { pull: { url } })).status).toBe(200);
  const { body } = await api.call({ method: "GET", url: source, key: VIEWER });
  expect(body.content).toMatchObject({ sourceKind: "pull", pull: { url: shown, connectStatus: "READY" } });
  expect(JSON.stringify(body)).not.toMatch(/secret|the-key|token/);
  await api.close();
});

test("a pull ends with the broadcast that a person ends; files end by themselves", async () => {
  const { api, channelId, source } = await open();
  await api.put(source, { pull: { url: "rtmp://192.0.2.7/live/key" } });
  await api.post(`${source}/start`);
  api.sources.ended(channelId);
  expect((await api.get(source)).body.content).toMatchObject({ sourceState: "stopped", sourceReason: "replaced" });
  await api.put(source, { fileIds: ["mf-a"] });
  await api.post(`${source}/start`);
  api.sources.ended(channelId);
  expect((await api.get(source)).body.content.sourceState).toBe("starting");
  // Those that wait for their folder would begin again.
  const detail = "the watched folder cannot be read now";
  api.player.become(channelId, { state: "failed", sinceTime: 1, reason: "files-away", detail });
  expect((await api.get(source)).body.content).toMatchObject({
    ...{ sourceState: "failed", sourceReason: "files-away" },
    message: `None of the files can be read now. The source goes on by itself once one can. (${detail})`,
  });
  api.sources.ended(channelId);
  expect((await api.get(source)).body.content).toMatchObject({ sourceState: "stopped", sourceReason: "replaced" });
  await api.close();
});

test("the connection of a source that is on air is followed by its next one", async () => {
  const { api, channelId, source } = await open();
  await api.put(source, { pull: { url: "rtmp://192.0.2.7/live/key" } });
  await api.post(`${source}/start`);
  const start = api.player.starts[0];
  const onAir = (ingestId: number, more: { readonly sourceKind?: "pull" }) => {
    const [time, slot] = [api.clock.wallMs, "main"] as const;
    const encoder = { remoteAddress: "192.0.2.1", encoder: "test", isBroadcastNew: true, slot, ...more };
    api.view.fact({ kind: "ingest-started", time, channelId, ingestId, ...encoder });
    api.view.fact({ kind: "publisher-active", time, channelId, ingestId, slot, heldMs: 0 });
  };
  onAir(1, { sourceKind: "pull" });
  expect(await start?.read()).toMatchObject({ channelId });
  onAir(2, {});
  await expect(start?.read()).rejects.toThrow("source-encoder-on-air");
  await api.close();
});

test("a source never interrupts an encoder, and begins no broadcast while the server is overloaded or the channel off", async () => {
  const { api, channelId, source } = await open();
  await api.put(source, { fileIds: ["mf-a"] });
  api.isOverloaded = true;
  expect((await api.post(`${source}/start`)).body.error.details).toContain("cannot keep up");
  api.isOverloaded = false;
  api.runtime.start(channelId, api.clock.wallMs);
  expect((await api.post(`${source}/start`)).body.error.details).toContain("never interrupts");
  await api.close();
});

test("what played when the server ended plays again at the same file, unless it was stopped", async () => {
  const { api, channelId, source } = await open();
  await api.put(source, { fileIds: ["mf-a", "mf-b"] });
  await api.post(`${source}/start`);
  api.player.become(channelId, { state: "playing", sinceTime: 1, position: 1, fileId: "mf-b" });
  await api.get(source);
  await api.sources.resume();
  expect(api.player.starts.at(-1)).toMatchObject({ channelId, position: 1 });
  api.player.become(channelId, { state: "stopped", sinceTime: 2, reason: "elsewhere" });
  expect((await api.get(source)).body.content).toMatchObject({ sourceReason: "elsewhere" });
  const again = api.player.starts.length;
  await api.sources.resume();
  expect(api.player.starts).toHaveLength(again + 1);
  api.player.become(channelId, { state: "stopped", sinceTime: 2, reason: "finished" });
  await api.put(source, { fileIds: ["mf-a"] });
  const before = api.player.starts.length;
  await api.sources.resume();
  expect(api.player.starts).toHaveLength(before);
  await api.close();
});

test("a source that another server has taken over stops here, and what is stored is the other one's", async () => {
  const { api, channelId, source } = await open();
  await api.put(source, { fileIds: ["mf-a", "mf-b"] });
  await api.post(`${source}/start`);
  const store = new SqlSourceStore(api.database);
  expect(await store.claimSource(channelId, 0, 9)).toBe(true);
  const [stored] = await store.listSources();
  // This process stood still meanwhile, and goes on.
  api.player.become(channelId, { state: "playing", sinceTime: 1, position: 1, fileId: "mf-b" });
  await expect
    .poll(async () => (await api.get(source)).body.content)
    .toMatchObject({ sourceState: "stopped", sourceReason: "elsewhere" });
  expect(await store.listSources()).toEqual([stored]);
  api.sources.learn({ ...stored, channelId, isWanted: true, position: 0, node: 9 });
  const refused = await api.post(`${source}/start`);
  expect([refused.status, refused.body.error.details]).toEqual([409, expect.stringContaining("plays already")]);
  expect(await store.listSources()).toEqual([stored]);
  await api.close();
});
