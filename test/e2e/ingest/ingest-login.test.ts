import { join } from "node:path";
import { expect, test } from "vitest";
import type { Channel } from "../../support/dashboard/api-client.ts";
import { startGstreamer } from "../../support/encoders/gstreamer-encoder.ts";
import { startLibrtmp } from "../../support/encoders/librtmp-encoder.ts";
import { loginProof, sayLogin } from "../../support/encoders/login-client.ts";
import type { Child } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { type Server, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

const DEADLINE_MS = 20_000;

type Login = { readonly id: string; readonly password: string };
type Event = { readonly eventCode: string; readonly reason?: string };

async function withLogin({ api }: Server, name: string, login: Login): Promise<Channel> {
  const { channelId } = await api.createChannel(name, [{ rtmpUrl: "rtmp://127.0.0.1:9/x", streamKey: uniqueKey("k") }]);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { ingestAuth: login });
  return api.channel(channelId);
}

/** How FFmpeg gets the login: in the URL, not encoded. */
function urlOf({ publishUrl, streamKey }: Channel, { id, password }: Login, ending = ""): string {
  return `${publishUrl.replace("rtmp://", `rtmp://${id}:${password}@`)}${ending}/${streamKey}`;
}

/** How librtmp gets it: after the URL. */
function librtmpUrlOf({ publishUrl, streamKey }: Channel, { id, password }: Login, ending = ""): string {
  return `${publishUrl}${ending}/${streamKey} pubUser=${id} pubPasswd=${password}`;
}

async function isOnAir({ api }: Server, { channelId }: Channel): Promise<true | undefined> {
  return (await api.channel(channelId)).isPublishing ? true : undefined;
}

async function codesOf({ api }: Server, { channelId }: Channel): Promise<readonly string[]> {
  const events = await api.request("GET", `/api/v2/re-stream/channels/${channelId}/events`);
  return (events as readonly Event[]).map(({ eventCode }) => eventCode);
}

test.concurrent("FFmpeg, librtmp and GStreamer log in to the ingest by Adobe's scheme, and the first two by Limelight's too", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const server = await stage.server();
  const clip = await makeClip({ seconds: 10 });
  const login = (name: string): Login => ({ id: name, password: uniqueKey("password") });
  const publish = {
    adobe: (channel: Channel, user: Login) => stage.ffmpeg(clip, urlOf(channel, user)),
    limelight: (channel: Channel, user: Login) => stage.ffmpeg(clip, urlOf(channel, user, "-llnw")),
    gstreamer: (channel: Channel, user: Login) => gstreamer(channel, user),
    librtmp_adobe: (channel: Channel, user: Login) => librtmp(librtmpUrlOf(channel, user)),
    librtmp_limelight: (channel: Channel, user: Login) => librtmp(librtmpUrlOf(channel, user, "-llnw")),
  };
  const librtmp = async (url: string) => stage.encoder(await startLibrtmp(stage.folder, clip, url));
  const gstreamer = async ({ publishUrl, streamKey }: Channel, login: Login) => {
    const copyPath = join(stage.folder, "sent.flv");
    const url = `${publishUrl}/${streamKey}`;
    return stage.encoder(await startGstreamer({ sink: "rtmp2sink", url, seconds: 20, copyPath, login }));
  };
  for (const [name, start] of Object.entries(publish)) {
    const user = login(name);
    stage.keepSecret(user.password);
    const channel = await withLogin(server, name, user);
    expect(channel.publishUrl).toMatch(/\/relay\/login$/);
    const encoder = await start(channel, user);
    await waitFor(`${name} on air`, DEADLINE_MS, () => isOnAir(server, channel));
    expect(encoder.isRunning()).toBe(true);
    encoder.kill("SIGKILL");
  }
});

test.concurrent("a wrong password, an unknown user, no login and another channel's are refused, and the channel's events say so", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const server = await stage.server();
  const clip = await makeClip({ seconds: 10 });
  const alice = { id: "alice", password: uniqueKey("password") };
  const bob = { id: "bob", password: uniqueKey("password") };
  for (const { password } of [alice, bob]) stage.keepSecret(password);
  const channel = await withLogin(server, "guarded", alice);
  const other = await withLogin(server, "other", bob);
  const plainUrl = channel.publishUrl.replace(/\/login$/, "");
  const ffmpeg = (url: string) => stage.ffmpeg(clip, url);
  const librtmp = async (url: string) => stage.encoder(await startLibrtmp(stage.folder, clip, url));
  const wrong = { ...alice, password: "wrong" };
  const unknown = { ...alice, id: "nobody" };
  const tries = {
    "wrong password": () => ffmpeg(urlOf(channel, wrong)),
    "unknown user": () => ffmpeg(urlOf(channel, unknown)),
    "another channel's": () => ffmpeg(urlOf(channel, bob)),
    "no login where it is demanded": () => ffmpeg(`${channel.publishUrl}/${channel.streamKey}`),
    "no login elsewhere": () => ffmpeg(`${plainUrl}/${channel.streamKey}`),
    "librtmp's wrong password": () => librtmp(librtmpUrlOf(channel, wrong)),
    "librtmp's unknown user": () => librtmp(librtmpUrlOf(channel, unknown)),
    "librtmp's wrong password in Limelight's way": () => librtmp(librtmpUrlOf(channel, wrong, "-llnw")),
  };
  const tryOne = async ([name, start]: readonly [string, () => Promise<Child>]) => {
    const encoder = await start();
    // Each program reports the refusal by itself; a crash has no code.
    expect((await encoder.exited).code, name).toBeGreaterThan(0);
    expect(await isOnAir(server, channel), name).toBeUndefined();
  };
  await Promise.all(Object.entries(tries).map(tryOne));
  await waitFor("the event", DEADLINE_MS, async () =>
    (await codesOf(server, channel)).includes("AUTH_FAILED") ? true : undefined,
  );
  // One event a minute, however many attempts there are; and nothing began.
  const codes = await codesOf(server, channel);
  expect(codes.filter((code) => code === "AUTH_FAILED")).toHaveLength(1);
  expect(codes).not.toContain("PUBLISH_START");
  expect(await codesOf(server, other)).not.toContain("AUTH_FAILED");
});

test.concurrent("a proof that is overheard and repeated is refused, and the channel's events say so", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const server = await stage.server();
  const credentials = { id: "alice", password: uniqueKey("password") };
  stage.keepSecret(credentials.password);
  const channel = await withLogin(server, "replayed", credentials);
  const app = new URL(channel.publishUrl).pathname.slice(1);
  const attempt = { port: server.fanfare.rtmpPort, app, streamKey: channel.streamKey, credentials };
  const proof = await loginProof(attempt);
  expect(await sayLogin(attempt, proof)).toBe("publishing");
  expect(await codesOf(server, channel)).not.toContain("AUTH_FAILED");
  expect(await sayLogin(attempt, proof)).toMatchObject({ kind: "login-demanded", demand: { kind: "refused" } });
  await waitFor("the event", DEADLINE_MS, async () =>
    (await codesOf(server, channel)).includes("AUTH_FAILED") ? true : undefined,
  );
});
