import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import type { ApiClient, Credentials } from "../support/dashboard/api-client.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { restoreDatabase } from "./database-text.ts";

/** Where the databases of released versions are kept: one SQL file and one JSON file of each. */
export const DATABASES = join(ROOT, "test", "fixtures", "databases");
const CREDENTIALS: Credentials = {
  accessKey: "RELEASED000000000001",
  secretKey: "released-000000000000000000000000001",
};

export { CREDENTIALS as RELEASED_CREDENTIALS };

const CHANNELS = "/api/v2/re-stream/channels";
const WAIT_MS = 30_000;
const CLIP_SECONDS = 3;
/** What says how things are at this moment, or which version answers in which words. */
const OF_THE_MOMENT = ["lastUsedTime", "health"];

const recordedSchema = z.object({
  version: z.string(),
  /** When the answers were given, in milliseconds since 1970. */
  timeMs: z.int(),
  /** The text of the key file that opens the database. */
  keyFile: z.string(),
  /** What the version itself answered about this database, by the call. */
  answers: z.record(z.string(), z.unknown()),
});
export type Recorded = z.infer<typeof recordedSchema>;

/** Reads what was recorded of a version. `folder`: of SQLite by default. */
export function readRecorded(version: string, folder = DATABASES): Recorded {
  return recordedSchema.parse(JSON.parse(readFileSync(join(folder, `${version}.json`), "utf8")));
}

/** Makes a data folder as that version left it. */
export function restoreReleased(folder: string, { version, keyFile }: Recorded): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  restoreDatabase(join(folder, "fanfare.db"), readFileSync(join(DATABASES, `${version}.sql`), "utf8"));
  writeFileSync(join(folder, "encryption.key"), keyFile, { mode: 0o600 });
}

/** Fills a server's database by calls that every released version has, and by one broadcast. */
export async function fillDatabase(api: ApiClient): Promise<void> {
  const target = await KitTarget.start();
  const shown = await api.createChannel("on_air", [
    { rtmpUrl: target.url, streamKey: "kept-key", label: "Archive" },
    { targetName: "YOUTUBE", rtmpUrl: "rtmps://a.rtmps.youtube.com/live2", streamKey: "yt-kept", tracks: { audio: 1 } },
  ]);
  const [, second] = await api.platforms(shown.channelId);
  await api.request("PUT", `${CHANNELS}/${shown.channelId}/platforms/${second?.platId}/off`);
  const settings = {
    ...{ hold: { seconds: 0 }, freeze: { mediaSeconds: 7, videoSeconds: 11 }, latency: "low" },
    ...{ backup: { enabled: true }, ingestAuth: { id: "alice", password: "kept-password" } },
    ...{ alertOn: true, alertOptions: { alertChangeStatus: true, alertReStreamFail: true } },
  };
  const open = await api.createChannel("blocked", [
    { rtmpUrl: "rtmp://192.0.2.1/app", streamKey: "a", id: "bob", password: "kept-too", bufferPolicy: "disconnect" },
  ]);
  await api.request("PUT", `${CHANNELS}/${open.channelId}`, settings);
  await api.request("PUT", `${CHANNELS}/${open.channelId}/off`);
  const gone = await api.createChannel("deleted", [{ rtmpUrl: "rtmp://192.0.2.2/app", streamKey: "b" }]);
  await api.request("DELETE", `${CHANNELS}/${gone.channelId}`);
  // Nothing listens there: the deliveries are kept and wait.
  await api.request("POST", "/api/v2/events/callbackEndpoint", { callbackUrl: "http://127.0.0.1:9/default" });
  const own = { callbackUrl: "http://127.0.0.1:9/own" };
  await api.request("POST", `${CHANNELS}/${open.channelId}/callbackEndpoint`, own);
  await api.request("POST", "/api/v2/access-keys", { role: "viewer", name: "kept viewer" });

  const clip = syntheticClip({ seconds: CLIP_SECONDS });
  await api.request("PUT", `${CHANNELS}/${shown.channelId}`, { hold: { seconds: 0 } });
  const encoder = new KitEncoder({ url: shown.publishUrl, streamKey: shown.streamKey, clip });
  await encoder.closed;
  const reports = () => api.request("GET", `${CHANNELS}/${shown.channelId}/reports`);
  await waitFor("the broadcast's report", WAIT_MS, async () => {
    return z.array(z.unknown()).parse(await reports()).length === 1 || undefined;
  });
  await target.close();
}

/** What a server answers about the sample, by the call, without what is of the moment. Its clock may show another time. */
export async function readAnswers(origin: string): Promise<Record<string, unknown>> {
  const list = `${CHANNELS}?pageNo=1&pageSizeNo=20`;
  const answers: Record<string, unknown> = { [list]: await answerOf(origin, list) };
  const channels = z.array(z.object({ channelId: z.string() })).parse(answers[list]);
  const calls = channels.flatMap(({ channelId }) =>
    ["", "/platforms", "/publish-log", "/reports"].map((rest) => `${CHANNELS}/${channelId}${rest}`),
  );
  const others = ["/api/v2/events?pageNo=1&pageSizeNo=100", "/api/v2/events/callbackEndpoint", "/api/v2/access-keys"];
  for (const call of [...calls, ...others]) answers[call] = await answerOf(origin, call);
  return answers;
}

/** Asks with the secret itself: a signature has a time. */
async function answerOf(origin: string, call: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${CREDENTIALS.secretKey}` };
  const response = await fetch(`${origin}${call}`, { headers });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${call}: ${response.status} ${text}`);
  return withoutMoment(z.object({ content: z.unknown() }).parse(JSON.parse(text)).content);
}

/** An answer without the fields that change by themselves, and with the port of encoders replaced. */
function withoutMoment(answer: unknown): unknown {
  const text = JSON.stringify(answer, (name, value) => (OF_THE_MOMENT.includes(name) ? undefined : value));
  return JSON.parse(text.replaceAll(/rtmp:\/\/127\.0\.0\.1:\d+\/relay/g, "rtmp://127.0.0.1:1935/relay"));
}
