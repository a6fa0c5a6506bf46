import type { Socket } from "node:net";
import { type PullAddress, parsePullUrl } from "../../base/pull/pull-url.ts";
import { srtOptions } from "../../base/srt-url.ts";
import { ADDRESSES_TRIED_MAX, inTurn } from "../../egress/open-socket.ts";
import type { CheckedAddress } from "../../net/target-address.ts";
import { TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import { HlsProxy } from "./hls-proxy.ts";
import type { PullDialer } from "./pull-dialer.ts";
import { PullFailure, pullError } from "./pull-errors.ts";
import { hlsInput, RTMP_INPUT, RTSP_INPUT, SRT_INPUT } from "./pull-inputs.ts";
import type { PullLink, PullPlace } from "./pull-link.ts";
import { RtspGuard } from "./rtsp-guard.ts";
import { SrtFeed } from "./srt-feed.ts";
import { TcpRelay } from "./tcp-relay.ts";

export type OpenPullLinkDeps = { readonly dialer: PullDialer; readonly randomBytes: (length: number) => Buffer };

const TOKEN_BYTES = 16;
/** Live sources are in step with their time. A playlist of HLS is three segments ahead, of up to 10 s each. */
const LIVE_AHEAD_MS = 1_000;
const HLS_AHEAD_MS = 30_000;
const SRT_LATENCY_MS = 300;
const SRT_KEY_LENGTHS = { 16: 16, 24: 24, 32: 32 } as const;

/**
 * Connects to a source and opens the local way to it for FFmpeg. `from`: where it was left before; only HLS goes on there.
 *
 * @throws PullFailure, or the signal's reason once it is aborted.
 */
export async function openPullLink(
  url: string,
  deps: OpenPullLinkDeps,
  signal: AbortSignal,
  from?: PullPlace,
): Promise<PullLink> {
  const address = parsePullUrl(url);
  if (typeof address === "string") throw new PullFailure(pullError("address-forbidden", address));
  switch (address.kind) {
    case "rtmp":
      return openTcp(address, deps, signal, RTMP_INPUT, rtmpList);
    case "rtsp":
      return openTcp(address, deps, signal, RTSP_INPUT, rtspList);
    case "srt":
      return openSrt(address, deps, signal);
    case "hls":
      return openHls({ url, userInfo: address.userInfo, from }, deps, signal);
  }
}

async function openTcp(
  place: PullAddress,
  { dialer }: OpenPullLinkDeps,
  signal: AbortSignal,
  input: readonly string[],
  listFor: (place: PullAddress, port: number) => string,
): Promise<PullLink> {
  const { socket, address } = await dialer.open(place, signal);
  const later = new AbortController();
  const dial = async (): Promise<Socket> => (await dialer.open(place, later.signal)).socket;
  const guard = place.kind === "rtsp" ? { newGuard: () => new RtspGuard() } : {};
  const relay = await TcpRelay.listen({ first: socket, dial, ...guard });
  return {
    ...{ address, input, env: {}, aheadMs: LIVE_AHEAD_MS },
    feed: (stdin) => void stdin.end(listFor(place, relay.port)),
    isUnread: () => relay.isUnread,
    failure: () => relay.failure,
    close: () => {
      later.abort();
      relay.close();
    },
  };
}

/** The application is everything before the last part of the path, which is the stream's name, as targets have it. */
function rtmpList({ isTls, host, port, userInfo, path }: PullAddress, localPort: number): string {
  const query = path.indexOf("?");
  const bare = query < 0 ? path : path.slice(0, query);
  const slash = bare.lastIndexOf("/");
  const app = bare.slice(1, Math.max(slash, 1));
  const name = path.slice(slash + 1);
  const usual = isTls ? 443 : 1_935;
  const shown = port === usual ? host : `${host}:${port}`;
  return list(`rtmp://${userInfo === "" ? "" : `${userInfo}@`}127.0.0.1:${localPort}/${app}`, {
    rtmp_app: app,
    rtmp_playpath: name,
    rtmp_tcurl: `${isTls ? "rtmps" : "rtmp"}://${shown}/${app}`,
    rtmp_live: "live",
  });
}

/** Everything over one connection: UDP would need ports of this machine, and addresses that the server names. */
function rtspList({ userInfo, path }: PullAddress, localPort: number): string {
  const login = userInfo === "" ? "" : `${userInfo}@`;
  return list(`rtsp://${login}127.0.0.1:${localPort}${path}`, {
    rtsp_transport: "tcp",
    allowed_media_types: "video+audio",
  });
}

function list(url: string, options: Readonly<Record<string, string>>): string {
  const lines = Object.entries(options).map(([name, value]) => `option ${name} ${quoted(value)}`);
  return ["ffconcat version 1.0", `file ${quoted(url)}`, ...lines, ""].join("\n");
}

/** As FFmpeg reads a quoted text: a quote cannot be in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

async function openSrt(place: PullAddress, deps: OpenPullLinkDeps, signal: AbortSignal): Promise<PullLink> {
  const { dialer, randomBytes } = deps;
  const query = srtOptions(place.path.slice(place.path.indexOf("?") + 1));
  const passphrase = query.get("passphrase") ?? undefined;
  const keyLength = Number(query.get("pbkeylen") ?? 16);
  const latencyMs = Number(query.get("latency") ?? SRT_LATENCY_MS);
  if (passphrase !== undefined && (passphrase.length < 10 || passphrase.length > 79))
    throw new PullFailure(pullError("address-forbidden", "a passphrase has 10 to 79 characters"));
  const addresses = await dialer.addresses(place, signal);
  const call = {
    streamId: query.get("streamid") ?? "",
    passphrase,
    keyLength: keyLength === 24 || keyLength === 32 ? SRT_KEY_LENGTHS[keyLength] : SRT_KEY_LENGTHS[16],
    latencyMs: latencyMs >= 20 && latencyMs <= 8_000 ? latencyMs : SRT_LATENCY_MS,
  };
  const open = async (checked: CheckedAddress) => ({
    feed: await SrtFeed.open(checked, call, { clock: dialer.clock, randomBytes }, signal),
    address: checked.address,
  });
  const { feed, address } = await firstToReply(addresses, open, signal);
  return {
    address,
    input: SRT_INPUT,
    env: {},
    aheadMs: LIVE_AHEAD_MS,
    feed: (stdin) => feed.to(stdin),
    isUnread: () => feed.isUnread,
    failure: () => feed.failure,
    close: () => feed.close(),
  };
}

/** Calls the addresses of a name in turn, until one replies. */
async function firstToReply<Opened>(
  addresses: readonly CheckedAddress[],
  open: (checked: CheckedAddress) => Promise<Opened>,
  signal: AbortSignal,
): Promise<Opened> {
  let failure: unknown;
  for (const checked of inTurn(addresses).slice(0, ADDRESSES_TRIED_MAX)) {
    try {
      return await open(checked);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PullFailure) || error.error.code !== TargetErrorCode.TcpTimeout) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function openHls(
  { url, userInfo, from }: { readonly url: string; readonly userInfo: string; readonly from: PullPlace | undefined },
  { dialer, randomBytes }: OpenPullLinkDeps,
  signal: AbortSignal,
): Promise<PullLink> {
  const parsed = URL.parse(url) ?? undefined;
  if (parsed === undefined) throw new PullFailure(pullError("address-forbidden", "URL"));
  parsed.username = "";
  parsed.password = "";
  const header = `Basic ${Buffer.from(decoded(userInfo)).toString("base64")}`;
  const login = userInfo === "" ? undefined : { origin: parsed.origin, header };
  const token = randomBytes(TOKEN_BYTES).toString("hex");
  const proxy = await HlsProxy.open({ dialer, token, url: parsed, login, from }, signal);
  return {
    address: proxy.address,
    input: hlsInput(proxy.url),
    // A segment may be a playlist itself. Whatever HTTP address FFmpeg finds there, it asks this port for it.
    env: { http_proxy: proxy.origin },
    aheadMs: HLS_AHEAD_MS,
    feed: (stdin) => void stdin.end(),
    variant: () => proxy.variant,
    isUnread: () => !proxy.isAsked,
    isOver: () => proxy.isOver,
    place: () => proxy.place,
    failure: () => proxy.failure,
    close: () => proxy.close(),
  };
}

/** What percent signs stand for; the text itself where they stand for nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
