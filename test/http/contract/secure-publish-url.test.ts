import { expect, onTestFinished, test } from "vitest";
import { Api, CHANNELS, VIEWER } from "../api.ts";

const PLAIN = "rtmp://live.example.com:1935/relay";
const SECURE = "rtmps://live.example.com:1936/relay";

async function opened(options: Parameters<typeof Api.open>[0] = {}): Promise<Api> {
  const api = await Api.open(options);
  onTestFinished(() => api.close());
  return api;
}

test("where encoders are accepted over TLS a channel has that address, in every answer", async () => {
  const api = await opened({ securePublishUrl: SECURE });
  const channel = await api.create();
  expect(channel).toMatchObject({ publishUrl: PLAIN, globalPublishUrl: PLAIN, securePublishUrl: SECURE });
  const list = await api.get(CHANNELS, VIEWER);
  expect(list.body.content).toMatchObject([{ securePublishUrl: SECURE }]);
  const url = `${CHANNELS}/${channel.channelId}`;
  const edited = await api.put(url, { ingestAuth: { id: "alice", password: "s3cr3t!" } });
  expect(edited.body.content).toMatchObject({ publishUrl: `${PLAIN}/login`, securePublishUrl: `${SECURE}/login` });
});

test("where encoders are accepted over SRT a channel has that address, in every answer", async () => {
  const api = await opened({ srtUrl: "srt://live.example.com:8890" });
  expect(await api.create()).toMatchObject({ srtUrl: "srt://live.example.com:8890" });
  expect((await api.get(CHANNELS, VIEWER)).body.content).toMatchObject([{ srtUrl: "srt://live.example.com:8890" }]);
});

test("where they are not no answer mentions it", async () => {
  const api = await opened();
  const channel = await api.create();
  expect(channel).not.toHaveProperty("securePublishUrl");
  expect(channel).not.toHaveProperty("srtUrl");
});
