import { createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcp } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { createResolver } from "../../../src/net/dns/resolver.ts";
import { encodeMp4Header } from "../../../src/recording/container/mp4-header.ts";
import { partsOf } from "../../../src/sources/pull-links/http-fetch.ts";
import { openPullLink } from "../../../src/sources/pull-links/open-pull-link.ts";
import { PullDialer } from "../../../src/sources/pull-links/pull-dialer.ts";
import { PullFailure } from "../../../src/sources/pull-links/pull-errors.ts";
import type { PullPlace } from "../../../src/sources/pull-links/pull-link.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { certificate } from "../../support/stages/certificates.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { AVC_CONFIG, AVC_CONFIG_CHANGED } from "../../support/streams/media-messages.ts";

/** Sources may be at 127.0.0.1 here; 127.0.0.2 stands for everything that they may not reach. */
const policy = { allowed: parseCidrList("127.0.0.1/32"), ownPorts: [], ownHosts: [] };
const dialer = new PullDialer({ clock: systemClock, resolver: createResolver(), policy, extraCa: "" });
const SEGMENTS = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,"];

async function listen(server: ReturnType<typeof createTcp>, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  onTestFinished(() => void server.closeAllConnections());
  return `http://127.0.0.1:${await listen(server, "127.0.0.1")}`;
}

/** A service that nobody may reach by way of a source. */
async function forbidden() {
  const seen = { connections: 0 };
  const server = createTcp((socket) => {
    seen.connections += 1;
    socket.destroy();
  });
  return { seen, origin: `http://127.0.0.2:${await listen(server, "127.0.0.2")}` };
}

function open(url: string, by = dialer, from?: PullPlace) {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  return openPullLink(url, { dialer: by, randomBytes: (length) => Buffer.alloc(length, 7) }, closing.signal, from);
}

/** Opens the source as FFmpeg would: its playlist, and the segments in it. */
async function play(url: string) {
  const link = await open(url);
  onTestFinished(() => link.close());
  const local = link.input.at(-1) ?? "";
  const playlist = await (await fetch(local)).text();
  const names = playlist.split("\n").filter((line) => line.startsWith("/"));
  const get = (name: string) =>
    fetch(new URL(name, local)).then(
      async (answer) => ({ status: answer.status, body: await answer.text().catch(() => "broken off") }),
      () => ({ status: 0, body: "" }),
    );
  return { link, local, playlist, names, get };
}

const failure = (url: string) =>
  open(url).then(
    () => undefined,
    (error: unknown) => (error instanceof PullFailure ? error.error : error),
  );

test("FFmpeg is given local names only, and what they stand for arrives", async () => {
  const origin = await serve((request, response) => {
    if (request.url === "/live/a.ts?x=1")
      return void response.end(`segment for ${request.headers.authorization ?? "nobody"}`);
    response.end([...SEGMENTS, "a.ts?x=1"].join("\n"));
  });
  const { playlist, names, get, local, link } = await play(
    origin.replace("//", "//user:pass@").concat("/live/index.m3u8"),
  );
  expect(playlist).not.toContain("a.ts");
  expect(names).toEqual([`/${"07".repeat(16)}/1.ts`]);
  expect(await get(names[0] ?? "")).toEqual({ status: 200, body: "segment for Basic dXNlcjpwYXNz" });
  expect((await get(`/${"08".repeat(16)}/2.ts`)).status).toBe(404);
  expect((await get(`/${"07".repeat(16)}/9.ts`)).status).toBe(404);
  expect((await fetch(local, { method: "POST" })).status).toBe(404);
  expect(link.input.join(" ")).not.toContain("pass");
});

test("what FFmpeg finds elsewhere leads to this proxy too, and no further", async () => {
  const { seen, origin } = await forbidden();
  const source = await serve((_request, response) => response.end([...SEGMENTS, "a.ts"].join("\n")));
  const { link, local } = await play(`${source}/live.m3u8`);
  const proxy = new URL(link.env["http_proxy"] ?? "");
  expect(proxy.host).toBe(new URL(local).host);
  const asked = (path: string) =>
    new Promise((resolve) =>
      get({ host: proxy.hostname, port: proxy.port, path }, ({ statusCode }) => resolve(statusCode)),
    );
  expect(await asked(local)).toBe(200);
  expect(await asked(`${origin}/key`)).toBe(404);
  expect(await asked(`${source}/live.m3u8`)).toBe(404);
  expect(seen.connections).toBe(0);
});

test("redirects are followed where they may lead, and the login stays behind", async () => {
  const logins: unknown[] = [];
  const other = await serve((request, response) => {
    logins.push(request.headers.authorization);
    response.end([...SEGMENTS, "b.ts"].join("\n"));
  });
  const origin = await serve((_request, response) => response.writeHead(302, { location: `${other}/x/y.m3u8` }).end());
  const { link } = await play(`${origin.replace("//", "//user:pass@")}/live.m3u8`);
  expect(link.failure()).toBeUndefined();
  expect(link.address).toBe("127.0.0.1");
  expect(logins).toEqual([undefined, undefined]);
});

test("no redirect, no playlist and no segment leads to a forbidden address", async () => {
  const { seen, origin } = await forbidden();
  const redirecting = await serve((_request, response) => response.writeHead(302, { location: `${origin}/` }).end());
  expect(await failure(`${redirecting}/live.m3u8`)).toMatchObject({ code: "TARGET_FORBIDDEN", severity: "fatal" });
  const naming = await serve((request, response) => {
    if (request.url === "/redirect.ts") return void response.writeHead(307, { location: `${origin}/key` }).end();
    response.end([...SEGMENTS, `${origin}/a.ts`, "#EXTINF:2,", "/redirect.ts"].join("\n"));
  });
  const { names, get, link } = await play(`${naming}/live.m3u8`);
  for (const name of names) expect((await get(name)).status).toBe(502);
  expect(names).toHaveLength(2);
  expect(link.failure()).toMatchObject({ code: "TARGET_FORBIDDEN" });
  expect(await failure(`${origin}/live.m3u8`)).toMatchObject({ code: "TARGET_FORBIDDEN" });
  expect(seen.connections).toBe(0);
});

test("a name that leads elsewhere after its first look-up is refused from then on", async () => {
  const { seen, origin } = await forbidden();
  const source = await serve((_request, response) => response.end([...SEGMENTS, "a.ts"].join("\n")));
  const answers = ["127.0.0.1", "127.0.0.2"];
  const resolver = { resolve: async () => [answers.length > 1 ? (answers.shift() ?? "") : (answers[0] ?? "")] };
  const changing = new PullDialer({ clock: systemClock, resolver, policy, extraCa: "" });
  const place = (url: string) => url.replace(/127\.0\.0\.\d/, "media.example.com");
  const link = await open(place(`${source}/live.m3u8`), changing);
  onTestFinished(() => link.close());
  expect((await fetch(link.input.at(-1) ?? "")).status).toBe(502);
  expect(link.failure()).toMatchObject({ code: "TARGET_FORBIDDEN" });
  await expect(open(place(`${origin}/live.m3u8`), changing)).rejects.toMatchObject({
    error: { code: "TARGET_FORBIDDEN" },
  });
  expect(seen.connections).toBe(0);
});

test("a secure address leads to secure ones only", async () => {
  const pair = certificate("127.0.0.1");
  const asked: unknown[] = [];
  const plain = await serve((request, response) => {
    asked.push(request.url);
    response.end([...SEGMENTS, "a.ts"].join("\n"));
  });
  const server = createHttpsServer(pair, (request, response) => {
    if (request.url === "/live.m3u8") return void response.end([...SEGMENTS, "a.ts"].join("\n"));
    const location = request.url === "/down.m3u8" ? `${plain}/live.m3u8` : "/live.m3u8";
    response.writeHead(302, { location }).end();
  });
  onTestFinished(() => server.closeAllConnections());
  const secure = `https://127.0.0.1:${await listen(server, "127.0.0.1")}`;
  const by = new PullDialer({ clock: systemClock, resolver: createResolver(), policy, extraCa: pair.cert });
  const link = await open(`${secure}/other.m3u8`, by);
  link.close();
  await expect(open(`${secure}/down.m3u8`, by)).rejects.toMatchObject({
    error: { code: "TARGET_FORBIDDEN", message: expect.stringContaining("(http:)") },
  });
  expect(asked).toEqual([]);
});

test("a playlist that comes late takes no newer one's place", async () => {
  const held: ServerResponse[] = [];
  const asked = new Map<string, number>();
  const lists = ["a.ts", "late", "newer.ts"];
  const origin = await serve((request, response) => {
    const { url = "" } = request;
    asked.set(url, (asked.get(url) ?? 0) + 1);
    if (url !== "/live.m3u8") return void response.end("segment");
    const list = lists.shift();
    if (list === undefined) return void response.writeHead(503).end();
    if (list === "late") return void held.push(response);
    response.end([...SEGMENTS, list].join("\n"));
  });
  const { link, local, names } = await play(`${origin}/live.m3u8`);
  const newest = async () => (await (await fetch(local)).text()).trim().split("\n").at(-1) ?? "";
  const newer = await newest();
  expect(newer).not.toBe(names[0]);
  held[0]?.end([...SEGMENTS, "former.ts"].join("\n"));
  // The next name is known once it was read.
  const former = newer.replace(/\d+(?=\.ts$)/, (number) => String(Number(number) + 1));
  await waitFor("the late playlist", 10_000, async () =>
    (await fetch(new URL(former, local))).status === 200 ? true : undefined,
  );
  expect(asked.get("/former.ts")).toBe(1);
  expect([await newest(), link.failure()?.code]).toEqual([newer, "CONNECT_REJECTED"]);
});

test("FFmpeg has eight requests under way at most", async () => {
  const held: ServerResponse[] = [];
  const areAsked = Promise.withResolvers<void>();
  const origin = await serve((request, response) => {
    if (request.url?.endsWith(".m3u8") === true) return void response.end([...SEGMENTS, "a.ts"].join("\n"));
    if (held.push(response) === 8) areAsked.resolve();
  });
  const { names, get } = await play(`${origin}/live.m3u8`);
  const answers = Array.from({ length: 8 }, () => get(names[0] ?? ""));
  await areAsked.promise;
  expect((await get(names[0] ?? "")).status).toBe(503);
  for (const response of held) response.end("segment");
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  const again = get(names[0] ?? "");
  await waitFor("the next request", 10_000, () => held[8]);
  held[8]?.end("segment");
  expect((await again).status).toBe(200);
});

test("a playlist that cannot be fetched for a moment stands as it was, and the reason is known", async () => {
  let laterMs = 0;
  // No deadline of a request passes.
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs, awakeNow: () => 0 };
  const fails: { with: number | "nothing" | "silence" | undefined } = { with: undefined };
  const silent: unknown[] = [];
  const origin = await serve((_request, response) => {
    if (fails.with === "silence") return void silent.push(response);
    if (fails.with === "nothing") return void response.destroy();
    if (fails.with !== undefined) return void response.writeHead(fails.with).end();
    response.end([...SEGMENTS, "a.ts"].join("\n"));
  });
  const by = new PullDialer({ clock, resolver: createResolver(), policy, extraCa: "" });
  const link = await open(`${origin}/live.m3u8`, by);
  onTestFinished(() => link.close());
  const asked = async () => [(await fetch(link.input.at(-1) ?? "")).status, link.failure()?.code];
  expect(await asked()).toEqual([200, undefined]);
  fails.with = 503;
  expect(await asked()).toEqual([200, "CONNECT_REJECTED"]);
  fails.with = "nothing";
  expect(await asked()).toEqual([200, "TCP_RESET"]);
  fails.with = undefined;
  expect(await asked()).toEqual([200, undefined]);
  // FFmpeg cannot wait as long as others: segments are there for a short time only.
  fails.with = "silence";
  expect(await asked()).toEqual([200, "TCP_TIMEOUT"]);
  // It is asked for again beside that, which is not given up.
  fails.with = undefined;
  expect(await asked()).toEqual([200, undefined]);
  expect(silent).toHaveLength(1);
  fails.with = 403;
  expect(await asked()).toEqual([502, "AUTH_FAILED"]);
  fails.with = 503;
  laterMs += 31_000;
  expect(await asked()).toEqual([502, "CONNECT_REJECTED"]);
});

test("four playlists are kept, the latest: a source may name another one each time", async () => {
  let laterMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + laterMs };
  const state = { named: 0, isGone: false };
  const origin = await serve((request, response) => {
    if (state.isGone) return void response.writeHead(503).end();
    const master = ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1", `${state.named}.m3u8`];
    response.end((request.url === "/live.m3u8" ? master : [...SEGMENTS, "a.ts"]).join("\n"));
  });
  const by = new PullDialer({ clock, resolver: createResolver(), policy, extraCa: "" });
  const link = await open(`${origin}/live.m3u8`, by);
  onTestFinished(() => link.close());
  const local = link.input.at(-1) ?? "";
  const get = async (name: string) => {
    // A playlist is asked for twice a second at most.
    laterMs += 500;
    const answer = await fetch(new URL(name, local));
    return { status: answer.status, lines: (await answer.text()).split("\n") };
  };
  const names: string[] = [];
  for (; state.named < 4; state.named += 1) {
    const name = (await get(local)).lines.find((line) => line.startsWith("/")) ?? "";
    names.push(name);
    expect((await get(name)).status).toBe(200);
  }
  state.isGone = true;
  const kept = [];
  for (const name of [...names, local]) kept.push((await get(name)).status);
  expect([new Set(names).size, kept]).toEqual([4, [502, 200, 200, 200, 200]]);
});

test("what is asked for when a pull ends is no failure of the source, whatever was kept of it", async () => {
  const asked = Promise.withResolvers<void>();
  let isSilent = false;
  const origin = await serve((_request, response) => {
    if (isSilent) return void asked.resolve();
    response.end([...SEGMENTS, "a.ts"].join("\n"));
  });
  const { link, local } = await play(`${origin}/live.m3u8`);
  isSilent = true;
  const reading = fetch(local).catch(() => undefined);
  await asked.promise;
  link.close();
  await reading;
  expect(link.failure()).toBeUndefined();
});

test("for a reader that has left nothing is asked for again", async () => {
  /** What waits before it is asked for again: the test lets it go on. */
  const waits: (() => void)[] = [];
  const waiting = Promise.withResolvers<void>();
  const clock = {
    ...systemClock,
    startTimer: (delayMs: number, run: () => void) => {
      if (delayMs !== 500) return systemClock.startTimer(delayMs, run);
      waits.push(run);
      waiting.resolve();
      return { cancel: () => undefined };
    },
  };
  const held: ServerResponse[] = [];
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  let segments = 0;
  const origin = await serve((request, response) => {
    if (request.url === "/other.m3u8" || request.url === "/live.m3u8")
      return void response.end([...SEGMENTS, "a.ts", "#EXTINF:2,", "b.ts"].join("\n"));
    segments += 1;
    if (request.url === "/b.ts") return void response.writeHead(404).end();
    held.push(response);
    response.on("close", () => left.resolve());
    asked.resolve();
  });
  const by = new PullDialer({ clock, resolver: createResolver(), policy, extraCa: "" });
  const link = await open(`${origin}/live.m3u8`, by);
  onTestFinished(() => link.close());
  const local = link.input.at(-1) ?? "";
  const names = (await (await fetch(local)).text()).split("\n").filter((line) => line.startsWith("/"));
  const reader = () => {
    const leaving = new AbortController();
    return { leaving, reading: (name: string) => fetch(new URL(name, local), { signal: leaving.signal }) };
  };
  // It leaves while the source thinks.
  const first = reader();
  const reading = first.reading(names[0] ?? "");
  await asked.promise;
  first.leaving.abort();
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  await fetch(new URL("/", local));
  held[0]?.writeHead(404).end();
  await left.promise;
  await fetch(new URL("/", local));
  expect([segments, waits.length]).toEqual([1, 0]);
  // It leaves while the proxy waits.
  const second = reader();
  const again = second.reading(names[1] ?? "");
  await waiting.promise;
  second.leaving.abort();
  await expect(again).rejects.toMatchObject({ name: "AbortError" });
  await fetch(new URL("/", local));
  waits[0]?.();
  await fetch(new URL("/", local));
  await fetch(`${origin}/other.m3u8`);
  expect([segments, waits.length]).toEqual([2, 1]);
});

test("a segment that is named before it is there is asked for again, and one that may not be fetched is not", async () => {
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    const { url = "" } = request;
    if (url.endsWith(".m3u8")) return void response.end([...SEGMENTS, "a.ts", "#EXTINF:2,", "b.ts"].join("\n"));
    asked.push(url);
    if (url === "/b.ts") return void response.writeHead(403).end();
    if (asked.length < 3) return void response.writeHead(404).end();
    response.end("segment");
  });
  const { names, get } = await play(`${origin}/live.m3u8`);
  expect(await get(names[0] ?? "")).toEqual({ status: 200, body: "segment" });
  expect((await get(names[1] ?? "")).status).toBe(502);
  expect(asked).toEqual(["/a.ts", "/a.ts", "/a.ts", "/b.ts"]);
});

test("fragmented MP4 goes on behind another header of the same form, and ends before one of another form", async () => {
  const header = (config: Buffer) =>
    encodeMp4Header([
      {
        kind: "video",
        codec: "avc",
        trackId: 0,
        config,
        firstFrame: Buffer.alloc(1),
        size: { width: 640, height: 360 },
      },
    ]);
  const [present, other] = [await header(AVC_CONFIG.subarray(5)), await header(AVC_CONFIG_CHANGED.subarray(5))];
  const made = Buffer.from(present);
  // Another time at which it was made: the first number behind the version of mvhd.
  made.writeUInt32BE(0x12_34_56, made.indexOf("mvhd") + 8);
  const maps: Readonly<Record<string, Buffer>> = { "/a.mp4": present, "/b.mp4": made, "/c.mp4": other };
  const lines = Object.keys(maps).flatMap((name) => [`#EXT-X-MAP:URI="${name}"`, "#EXTINF:2,", `${name}.m4s`]);
  const origin = await serve((request, response) => {
    const map = maps[request.url ?? ""];
    response.end(map ?? [...SEGMENTS.slice(0, 2), ...lines].join("\n"));
  });
  const url = `${origin}/live.m3u8`;
  const { link, playlist, local, get } = await play(url);
  const [first = "", second = "", third = ""] = [...playlist.matchAll(/MAP:URI="([^"]+)"/g)].map(
    ([, name]) => name ?? "",
  );
  const got = await fetch(new URL(second, local));
  expect([first, second, third].every((name) => name.endsWith(".mp4"))).toBe(true);
  expect(Buffer.from(await got.arrayBuffer()).equals(made)).toBe(true);
  expect((await get(first)).status).toBe(200);
  expect(link.failure()).toBeUndefined();
  expect((await get(third)).status).toBe(502);
  expect(link.failure()).toMatchObject({ code: "REMOTE_CLOSED", message: expect.stringContaining("another form") });
  // FFmpeg is to end, whatever it reads beside that.
  expect((await fetch(local)).status).toBe(404);
  expect(link.failure()).toMatchObject({ message: expect.stringContaining("another form") });
  // The next FFmpeg begins there.
  expect(link.place?.()).toEqual({ number: 2n });
  const next = await open(url, dialer, link.place?.());
  onTestFinished(() => next.close());
  const rest = await (await fetch(next.input.at(-1) ?? "")).text();
  expect([rest.match(/#EXTINF/g)?.length, rest.includes("#EXT-X-MEDIA-SEQUENCE:2\n")]).toEqual([1, true]);
});

test.each([
  { name: "that counts as before", place: 5n, windows: [2, 5, 8], left: [1, 4, 4] },
  // Another list of the stream, or one that began to count anew.
  { name: "with lower numbers", place: 9n, windows: [2, 6, 8], left: [4, 4, 4] },
  { name: "that has ended", place: 5n, windows: [2, 8], left: [1, 4], isOver: true },
])(
  "a live playlist $name is cut where the stream was left, and never again",
  async ({ place, windows, left, isOver }) => {
    const coming = [...windows];
    const origin = await serve((_request, response) => {
      const [first = 0] = coming.splice(0, 1);
      const segments = [0, 1, 2, 3].flatMap((at) => ["#EXTINF:2,", `${first + at}.ts`]);
      const end = isOver === true && coming.length === 0 ? ["#EXT-X-ENDLIST"] : [];
      const head = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", `#EXT-X-MEDIA-SEQUENCE:${first}`];
      response.end([...head, ...segments, ...end].join("\n"));
    });
    const clock = new VirtualClock();
    const by = new PullDialer({ clock, resolver: createResolver(), policy, extraCa: "" });
    // The first one is read before FFmpeg asks.
    coming.unshift(windows[0] ?? 0);
    const link = await open(`${origin}/live.m3u8`, by, { number: place, seconds: 1 });
    onTestFinished(() => link.close());
    const counts = [];
    for (const _ of windows) {
      clock.advance(1_000);
      const text = await (await fetch(link.input.at(-1) ?? "")).text();
      counts.push(text.match(/#EXTINF/g)?.length);
    }
    expect(counts).toEqual(left);
  },
);

/** Video, or both, or audio alone, in fragmented MP4. */
function headerOf(...kinds: readonly ("audio" | "video")[]): Promise<Buffer> {
  const [trackId, firstFrame] = [0, Buffer.alloc(1)];
  const size = { width: 640, height: 360 };
  const format = { sampleRate: 48_000, channels: 2 };
  return encodeMp4Header(
    kinds.map((kind) =>
      kind === "video"
        ? { kind, codec: "avc", trackId, firstFrame, config: AVC_CONFIG.subarray(5), size }
        : { kind, codec: "aac", trackId, firstFrame, config: Buffer.from([0x11, 0x90]), format },
    ),
  );
}

test("a form without audio is another one; video and audio with a header each are none", async () => {
  const headers = { "/both.mp4": ["video", "audio"], "/video.mp4": ["video"], "/audio.mp4": ["audio"] } as const;
  const part = (name: string) => [`#EXT-X-MAP:URI="${name}.mp4"`, "#EXTINF:2,", `${name}.m4s`];
  const media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="audio.m3u8"';
  const lists: Readonly<Record<string, readonly string[]>> = {
    "/joined.m3u8": [...part("both"), ...part("video")],
    "/apart.m3u8": [media, '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', "video.m3u8"],
    "/video.m3u8": part("video"),
    "/audio.m3u8": part("audio"),
  };
  const origin = await serve(async (request, response) => {
    const kinds = Object.entries(headers).find(([name]) => name === request.url)?.[1];
    if (kinds !== undefined) return void response.end(await headerOf(...kinds));
    response.end(["#EXTM3U", "#EXT-X-TARGETDURATION:2", ...(lists[request.url ?? ""] ?? [])].join("\n"));
  });
  const mapsIn = (playlist: string) => [...playlist.matchAll(/MAP:URI="([^"]+)"/g)].map(([, name = ""]) => name);
  const joined = await play(`${origin}/joined.m3u8`);
  const got = [];
  for (const name of mapsIn(joined.playlist)) got.push((await joined.get(name)).status);
  expect([got, joined.link.place?.()]).toEqual([[200, 502], { number: 1n }]);
  const apart = await play(`${origin}/apart.m3u8`);
  const names = [...apart.names, ...[...apart.playlist.matchAll(/,URI="([^"]+)"/g)].map(([, name = ""]) => name)];
  const each = [];
  for (const list of names)
    for (const name of mapsIn((await apart.get(list)).body)) each.push((await apart.get(name)).status);
  expect([each, apart.link.failure()]).toEqual([[200, 200], undefined]);
});

test("a live playlist whose numbers begin anew ends the link at once; one from a cache that is a little older does not", async () => {
  const state = { first: 100n, end: "" };
  const origin = await serve((_request, response) => {
    const numbered = [0n, 1n, 2n].flatMap((n) => ["#EXTINF:2,", `${state.first + n}.ts`]);
    const lines = [...SEGMENTS.slice(0, 2), `#EXT-X-MEDIA-SEQUENCE:${state.first}`, ...numbered, state.end];
    response.end(lines.join("\n"));
  });
  const { link, local, names, get } = await play(`${origin}/live.m3u8`);
  for (const first of [101n, 99n, 100_000_000_000_000_000n, 99_999_999_999_999_998n]) {
    state.first = first;
    expect((await fetch(local)).status).toBe(200);
    expect([link.isOver?.(), link.failure()]).toEqual([false, undefined]);
  }
  state.first = 0n;
  expect((await fetch(local)).status).toBe(502);
  expect(link.isOver?.()).toBe(true);
  expect(link.failure()).toMatchObject({ code: "REMOTE_CLOSED", message: expect.stringContaining("began anew") });
  expect((await get(names[0] ?? "")).status).toBe(404);
});

test("what a server sends compressed is read all the same, within the same bounds", async () => {
  const codings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    gzip: gzipSync,
    "x-gzip": gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
  };
  const playlist = [SEGMENTS[0], '#EXT-X-KEY:METHOD=AES-128,URI="key"', ...SEGMENTS.slice(1), "a.ts"].join("\n");
  for (const [coding, compress] of Object.entries(codings)) {
    const origin = await serve((request, response) => {
      const bodies: Readonly<Record<string, Buffer>> = {
        "/a.ts": Buffer.from("segment".repeat(1_000)),
        "/key": Buffer.alloc(4_000_000),
        "/bomb.m3u8": Buffer.alloc(64_000_000),
      };
      const { url = "" } = request;
      if (url === "/odd.m3u8") return void response.writeHead(200, { "content-encoding": "zstd" }).end("#EXTM3U");
      const body = url === "/noise.m3u8" ? Buffer.from("#EXTM3U") : compress(bodies[url] ?? Buffer.from(playlist));
      // As storage answers, of its own length.
      const range = { "content-range": `bytes 0-${body.length - 1}/${body.length}` };
      const status = request.headers.range === undefined ? 200 : 206;
      response.writeHead(status, { "content-encoding": coding, ...(status === 206 ? range : {}) }).end(body);
    });
    const { link, names, local, playlist: given, get } = await play(`${origin}/live.m3u8`);
    expect(await get(names[0] ?? "")).toEqual({ status: 200, body: "segment".repeat(1_000) });
    const asked = (range: string) => fetch(new URL(names[0] ?? "", local), { headers: { range } });
    const whole = await asked("bytes=0-");
    expect([whole.status, whole.headers.get("content-range"), (await whole.text()).length]).toEqual([200, null, 7_000]);
    expect(link.failure()).toBeUndefined();
    await get(/URI="([^"]+)"/.exec(given)?.[1] ?? "");
    expect(link.failure()).toMatchObject({ message: expect.stringContaining("1024 bytes") });
    expect(await failure(`${origin}/bomb.m3u8`)).toMatchObject({ code: "REMOTE_CLOSED" });
    expect(await failure(`${origin}/noise.m3u8`)).toMatchObject({ code: "HANDSHAKE_FAILED" });
    expect(await failure(`${origin}/odd.m3u8`)).toMatchObject({ code: "HANDSHAKE_FAILED" });
  }
  const part = await serve((request, response) => {
    if (request.url !== "/a.ts") return void response.end(playlist);
    response.writeHead(206, { "content-encoding": "gzip" }).end(gzipSync("segment"));
  });
  const { link, names, local } = await play(`${part}/live.m3u8`);
  expect((await fetch(new URL(names[0] ?? "", local), { headers: { range: "bytes=5-" } })).status).toBe(502);
  expect(link.failure()).toMatchObject({ message: expect.stringContaining("compressed") });
});

test("a playlist that names a file of this machine is refused", async () => {
  const origin = await serve((_request, response) => response.end([...SEGMENTS, "file:///etc/passwd"].join("\n")));
  expect(await failure(`${origin}/live.m3u8`)).toMatchObject({
    code: "HANDSHAKE_FAILED",
    message: expect.stringContaining("an address of the kind file: in the playlist"),
  });
});

test("a playlist without end is cut off, and redirects without end too", async () => {
  const origin = await serve((request, response) => {
    if (request.url === "/round") return void response.writeHead(302, { location: "/round" }).end();
    const more = () => {
      while (response.write("#".repeat(64 * 1024)));
      response.once("drain", more);
    };
    response.write("#EXTM3U\n");
    more();
  });
  expect(await failure(`${origin}/endless.m3u8`)).toMatchObject({ code: "REMOTE_CLOSED" });
  expect(await failure(`${origin}/round`)).toMatchObject({ code: "TARGET_FORBIDDEN" });
});

test("a part that is too long breaks off", async () => {
  const origin = await serve((request, response) => {
    if (request.url === "/key") return void response.end(Buffer.alloc(4_000));
    response.end([SEGMENTS[0], '#EXT-X-KEY:METHOD=AES-128,URI="key"', ...SEGMENTS.slice(1), "a.ts"].join("\n"));
  });
  const { playlist, get, link } = await play(`${origin}/live.m3u8`);
  const [, key = ""] = /URI="([^"]+)"/.exec(playlist) ?? [];
  await get(key);
  expect(link.failure()).toMatchObject({ code: "REMOTE_CLOSED", message: expect.stringContaining("1024 bytes") });
});

test("FFmpeg that leaves in the middle of a segment is no fault of the source, and a segment that breaks off is one", async () => {
  let isBroken = false;
  const left = Promise.withResolvers<void>();
  const origin = await serve((request, response) => {
    if (request.url !== "/a.ts") return void response.end([...SEGMENTS, "a.ts"].join("\n"));
    response.writeHead(200, { "content-length": 50_000_000 });
    // The proxy leaves the source after it saw that FFmpeg had left.
    response.on("close", () => left.resolve());
    response.write("a part", () => isBroken && response.destroy());
  });
  const { link, names, local, get } = await play(`${origin}/live.m3u8`);
  const leaving = await fetch(new URL(names[0] ?? "", local));
  await leaving.body?.cancel();
  await left.promise;
  isBroken = true;
  expect(link.failure()).toBeUndefined();
  expect(await get(names[0] ?? "")).toEqual({ status: 200, body: "broken off" });
  expect(link.failure()).toMatchObject({ code: "TCP_RESET" });
});

test("a source that sends a byte now and then holds no connection longer than FFmpeg, or the pull, wants it", async () => {
  const map = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const askedForMap = Promise.withResolvers<void>();
  const askedForFirst = Promise.withResolvers<void>();
  let isSlow = false;
  /** Sends white space for ever. `left`: resolved when the connection is closed. */
  const drip = (response: ServerResponse, left: PromiseWithResolvers<void>) => {
    response.writeHead(200).write("#EXTM3U\n");
    const timer = setInterval(() => response.write("\n"), 50);
    response.on("close", () => {
      clearInterval(timer);
      left.resolve();
    });
  };
  const origin = await serve((request, response) => {
    if (request.url === "/map.mp4") {
      askedForMap.resolve();
      return void drip(response, map);
    }
    if (request.url === "/first.m3u8") {
      askedForFirst.resolve();
      return void drip(response, first);
    }
    if (isSlow) return void drip(response, again);
    response.end([...SEGMENTS.slice(0, 2), '#EXT-X-MAP:URI="map.mp4"', "#EXTINF:2,", "a.m4s"].join("\n"));
  });
  const { link, playlist, local } = await play(`${origin}/live.m3u8`);
  const [, name = ""] = /MAP:URI="([^"]+)"/.exec(playlist) ?? [];
  // Its answer waits for the whole map, so that the reader leaves before there is one.
  const reader = new AbortController();
  const reading = fetch(new URL(name, local), { signal: reader.signal });
  void askedForMap.promise.then(() => reader.abort());
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  await map.promise;
  expect(link.failure()).toBeUndefined();
  // The playlist as it was, while the next one comes.
  isSlow = true;
  expect((await fetch(local)).status).toBe(200);
  link.close();
  await again.promise;
  const opening = new AbortController();
  const opened = openPullLink(`${origin}/first.m3u8`, { dialer, randomBytes: Buffer.alloc }, opening.signal);
  await askedForFirst.promise;
  opening.abort(new Error("left"));
  await expect(opened).rejects.toThrow();
  await first.promise;
});

test("a reader of a body may be held up for long, and a source that sends nothing may not", async () => {
  const clock = new VirtualClock();
  const server = createServer((_request, response) => void response.write("part"));
  const port = await listen(server, "127.0.0.1");
  onTestFinished(() => server.closeAllConnections());
  const response = await new Promise<IncomingMessage>((resolve) => get({ port, host: "127.0.0.1" }, resolve));
  const parts = partsOf(response, clock);
  expect((await parts.next()).value?.toString()).toBe("part");
  clock.advance(60_000);
  expect(response.destroyed).toBe(false);
  const next = parts.next();
  clock.advance(10_000);
  await expect(next).rejects.toMatchObject({ error: { code: "TCP_RESET" } });
});

test.each([
  { status: 401, code: "AUTH_FAILED" },
  { status: 404, code: "CONNECT_REJECTED" },
  { status: 500, code: "CONNECT_REJECTED" },
])("HTTP $status is $code", async ({ status, code }) => {
  const origin = await serve((_request, response) => response.writeHead(status).end());
  expect(await failure(`${origin}/live.m3u8`)).toMatchObject({
    code,
    message: expect.stringContaining(`HTTP ${status}`),
  });
});

test("what is no HTTP, and what is closed at once, is said so", async () => {
  const noise = createTcp((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  const silent = createTcp((socket) => socket.end());
  const [first, second] = [await listen(noise, "127.0.0.1"), await listen(silent, "127.0.0.1")];
  expect(await failure(`http://127.0.0.1:${first}/`)).toMatchObject({ code: "HANDSHAKE_FAILED" });
  expect(await failure(`http://127.0.0.1:${second}/`)).toMatchObject({ code: "TCP_RESET" });
  expect(await failure("http://127.0.0.1:1/")).toMatchObject({ code: "TARGET_FORBIDDEN" });
});
