import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { startDeadline } from "../../base/deadline.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import { formOf } from "./hls-form.ts";
import { type HlsNamed, HlsNames } from "./hls-names.ts";
import { type HlsPart, type HlsWindow, PLAYLIST_BYTES_MAX, PlaylistError, rewritePlaylist } from "./hls-playlist.ts";
import type { HlsJoint, HlsPlace } from "./hls-segments.ts";
import type { HlsVariant } from "./hls-variant.ts";
import {
  type Fetched,
  type FetchRequest,
  fetchHttp,
  headersOf,
  isCompressed,
  partsOf,
  readBytes,
  roomIn,
  statusOf,
} from "./http-fetch.ts";
import type { PullDialer } from "./pull-dialer.ts";
import { failureOf, PullFailure, pullError } from "./pull-errors.ts";

/** One playlist is read in this time, in milliseconds. */
const PLAYLIST_MS_MAX = 15_000;
/** A playlist is fetched again after this long at the earliest, in milliseconds, however often FFmpeg asks. */
const PLAYLIST_EVERY_MS = 500;
/** A playlist that cannot be fetched now stands as it was for so long, in milliseconds: FFmpeg gives the stream up at the first failure. */
const PLAYLIST_KEPT_MS = 30_000;
/** One that does not come for so long, in milliseconds, stands as it was too, while it is waited for. */
const PLAYLIST_SOON_MS = 3_000;
/** Playlists that are kept so: FFmpeg reads those of video and of audio. */
const PLAYLISTS_KEPT_MAX = 4;
/** A segment that cannot be fetched is tried again after these times, in milliseconds: some are named before they are there. */
const SEGMENT_AGAIN_MS = [500, 1_000, 1_500];
/** One segment at most, in bytes: a minute at 70 Mbit/s. */
const SEGMENT_BYTES_MAX = 512 * 1_024 * 1_024;
const KEY_BYTES_MAX = 1_024;
/** What comes before the fragments of MP4, in bytes. */
const MAP_BYTES_MAX = 1_024 * 1_024;
const REQUESTS_AT_ONCE_MAX = 8;
const WHOLE = "bytes=0-";
const RANGE = /^bytes=\d{1,15}-\d{0,15}$/;
/** Endings that newer FFmpegs expect of segments; what has another one is named like a transport stream. */
const ENDINGS = /\.(?:ts|m4s|mp4|m4v|m4a|aac|mp3|cmfv|cmfa)$/i;

export type HlsProxyDeps = {
  readonly dialer: PullDialer;
  /** A long random word, part of every local address: other users of the machine cannot guess it. */
  readonly token: string;
  readonly url: URL;
  readonly login: FetchRequest["login"];
  /** Where the stream was left before; absent: at its beginning, or live. */
  readonly from?: HlsPlace | undefined;
};

/** What FFmpeg got of a playlist last, and when it was asked for. */
type Kept = {
  readonly text: string;
  readonly atMs: number;
  readonly order: number;
  readonly window: HlsWindow | undefined;
  /** The first segment that it had when it was fetched first. */
  readonly first: HlsPlace | undefined;
  readonly joints: readonly HlsJoint[];
};

/**
 * Fetches the files of an HLS stream for FFmpeg, which reaches nothing but this local port: addresses are checked here,
 * playlists are written anew, and everything is bounded.
 */
export class HlsProxy {
  readonly #deps: HlsProxyDeps;
  readonly #closing = new AbortController();
  readonly #server = createServer((request, response) => this.#take(request, response));
  /** Addresses that FFmpeg may still ask for. */
  readonly #names = new HlsNames();
  readonly #fetchedMs = new Map<string, number>();
  /** By the playlist's address, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #asked = 0;
  #underWay = 0;
  #failure: TargetError | undefined;
  #first: Fetched | undefined;
  #variant: HlsVariant | undefined;
  #isAsked = false;
  /** What decoders know of fragmented MP4, by the playlist that has it: audio may have one of its own. */
  readonly #forms = new Map<string, string>();
  /** Why another FFmpeg has to begin, and where. */
  #over: TargetError | undefined;
  #place: HlsPlace | undefined;

  private constructor(deps: HlsProxyDeps) {
    this.#deps = deps;
  }

  /**
   * Fetches the playlist once, so that what is wrong with the address is known, and opens the local port.
   *
   * @throws PullFailure, or the signal's reason once it is aborted.
   */
  static async open(deps: HlsProxyDeps, signal: AbortSignal): Promise<HlsProxy> {
    const proxy = new HlsProxy(deps);
    const abort = () => proxy.close();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await proxy.#playlist({ url: deps.url, part: "playlist" });
      await new Promise<void>((resolve, reject) => {
        proxy.#server.once("error", reject);
        proxy.#server.listen(0, "127.0.0.1", resolve);
      });
      return proxy;
    } catch (error) {
      proxy.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** The local port, as an address. */
  get origin(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  /** The local address of the stream. */
  get url(): string {
    return `${this.origin}${this.#nameOf(this.#deps.url, "playlist")}`;
  }

  /** The checked address that answered first. */
  get address(): string {
    return this.#first?.address ?? "";
  }

  /** Whether FFmpeg has asked for anything. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** The stream that was chosen; undefined where the address is that of a stream itself. */
  get variant(): HlsVariant | undefined {
    return this.#variant;
  }

  /** Whether the stream goes on in a way for which another FFmpeg has to begin. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Where another FFmpeg has to begin; undefined where it does as this one did. */
  get place(): HlsPlace | undefined {
    return this.#place;
  }

  get failure(): TargetError | undefined {
    return this.#over ?? this.#failure;
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    response.on("error", () => undefined);
    // FFmpeg asks as it asks a proxy: with the whole address.
    const { url = "" } = request;
    const path = url.startsWith(`${this.origin}/`) ? url.slice(this.origin.length) : url;
    const [, token, number] = /^\/([0-9a-f]+)\/(\d{1,12})\.[a-z0-9]+$/.exec(path) ?? [];
    const named = this.#names.find(Number(number));
    const isKnown = token === this.#deps.token && named !== undefined && request.method === "GET";
    if (!isKnown || this.isOver) return answer(response, 404);
    if (this.#underWay >= REQUESTS_AT_ONCE_MAX) return answer(response, 503);
    this.#underWay += 1;
    this.#isAsked = true;
    const given = request.headers.range;
    const range = given !== undefined && RANGE.test(given) ? given : undefined;
    this.#answer(named, range, response)
      .catch((error: unknown) => {
        // Where FFmpeg has left, nothing is wrong with the source.
        if (!this.#closing.signal.aborted && !response.destroyed) this.#failure = failureOf(error).error;
        if (response.headersSent) response.destroy();
        else answer(response, 502);
      })
      .finally(() => {
        this.#underWay -= 1;
      });
  }

  #answer(named: HlsNamed, range: string | undefined, response: ServerResponse): Promise<void> {
    if (named.part === "playlist") return this.#sendPlaylist(named, response);
    return named.part === "map" ? this.#sendMap(named, range, response) : this.#send(named, range, response);
  }

  async #sendPlaylist(named: HlsNamed, response: ServerResponse): Promise<void> {
    await this.#waitFor(named.url.href);
    const text = await this.#soon(named).catch((error: unknown) => this.#keptFor(named, error));
    response.writeHead(200, {
      "content-type": "application/vnd.apple.mpegurl",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
  }

  /** Fetches a playlist and writes it anew. */
  async #playlist(named: HlsNamed): Promise<string> {
    this.#asked += 1;
    const order = this.#asked;
    const fetched = await this.#fetch(named, undefined);
    this.#first ??= fetched;
    const { response, url } = fetched;
    const late = startDeadline(this.#deps.dialer.clock, PLAYLIST_MS_MAX, () => response.destroy());
    try {
      const bytes = await readBytes(response, PLAYLIST_BYTES_MAX, "a playlist", this.#deps.dialer.clock);
      const nameOf = (address: URL, part: HlsPart) => this.#nameOf(address, part);
      // A playlist is cut once: its numbers may be others than those where the stream was left, and come there later.
      const from = this.#kept.get(named.url.href)?.first ?? this.#deps.from;
      const rewritten = rewritePlaylist(bytes.toString("utf8"), url, nameOf, from);
      this.#variant = rewritten.variant ?? this.#variant;
      this.#keep(named, { ...rewritten, order });
      // What failed before is over.
      this.#failure = undefined;
      return rewritten.text;
    } catch (error) {
      if (error instanceof PlaylistError) throw new PullFailure(pullError("foreign", error.message));
      throw error;
    } finally {
      late.cancel();
    }
  }

  /** The playlist, but not later than FFmpeg can wait without missing segments where there is one from before. */
  async #soon(named: HlsNamed): Promise<string> {
    const coming = this.#playlist(named);
    if (!this.#kept.has(named.url.href)) return coming;
    // It goes on for a while after it was given up, and may still bring a newer one.
    coming.catch(() => undefined);
    const late = Promise.withResolvers<string>();
    const failure = new PullFailure(pullError("connection-unanswered"));
    const timer = this.#deps.dialer.clock.startTimer(PLAYLIST_SOON_MS, () => late.reject(failure));
    return await Promise.race([coming, late.promise]).finally(() => timer.cancel());
  }

  /** An answer that came late is not kept in place of a newer one. */
  #keep(
    { url }: HlsNamed,
    made: Pick<Kept, "text" | "order"> & Partial<Pick<Kept, "window" | "first" | "joints">>,
  ): void {
    const { text, window, joints = [], order } = made;
    const before = this.#kept.get(url.href);
    const first = before?.first ?? made.first;
    if (before !== undefined && order < before.order) return;
    // FFmpeg would wait until the numbers have come as far again. A window that goes back a little is an older copy.
    if (window !== undefined && before?.window !== undefined && window.end <= before.window.first)
      throw this.#end(pullError("times-back"));
    this.#kept.delete(url.href);
    this.#kept.set(url.href, { text, window, first, joints, atMs: this.#deps.dialer.clock.now(), order });
    const [oldest = ""] = this.#kept.keys();
    if (this.#kept.size > PLAYLISTS_KEPT_MAX) this.#kept.delete(oldest);
  }

  /** The playlist as it was, where what failed may be over in a moment. Throws the error else. */
  #keptFor({ url }: HlsNamed, error: unknown): string {
    const failure = failureOf(error).error;
    const { text, atMs = Number.NEGATIVE_INFINITY } = this.#kept.get(url.href) ?? {};
    const isOld = this.#deps.dialer.clock.now() - atMs > PLAYLIST_KEPT_MS;
    if (text === undefined || isOld || this.isOver || failure.severity === "fatal" || this.#closing.signal.aborted)
      throw error;
    this.#failure = failure;
    return text;
  }

  async #send(named: HlsNamed, range: string | undefined, response: ServerResponse): Promise<void> {
    const { response: source } = await this.#fetchFor(response, named, range);
    await this.#pass(named, source, response);
  }

  async #pass(named: HlsNamed, source: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytesMax = named.part === "key" ? KEY_BYTES_MAX : SEGMENT_BYTES_MAX;
    response.writeHead(statusOf(source), headersOf(source));
    let bytes = 0;
    for await (const part of partsOf(source, this.#deps.dialer.clock)) {
      bytes += part.length;
      if (bytes > bytesMax)
        throw new PullFailure(pullError("too-much", `a ${named.part} of more than ${bytesMax} bytes`));
      if (!response.write(part)) await roomIn(response);
      if (response.destroyed) return;
    }
    response.end();
  }

  /**
   * FFmpeg reads only the first of them, and would give all that follows to decoders of the first: where another form begins, it gets
   * nothing more, and the next FFmpeg begins with that form.
   */
  async #sendMap(named: HlsNamed, range: string | undefined, response: ServerResponse): Promise<void> {
    const { response: source } = await this.#fetchFor(response, named, range);
    // A whole file in place of a part of it. FFmpeg asks for whole ones by a range too.
    if (range !== undefined && range !== WHOLE && source.statusCode === 200) return this.#pass(named, source, response);
    const bytes = await readBytes(source, MAP_BYTES_MAX, "an #EXT-X-MAP", this.#deps.dialer.clock);
    const form = formOf(bytes);
    const { list, place } = this.#jointOf(named, range) ?? {};
    const key = list ?? form?.kinds ?? "";
    const known = this.#forms.get(key);
    if (form !== undefined && known !== undefined && known !== form.text) {
      this.#place = place;
      throw this.#end(pullError("other-form"));
    }
    if (form !== undefined) this.#forms.set(key, form.text);
    response.writeHead(statusOf(source), headersOf(source)).end(bytes);
  }

  /**
   * The playlist of the section that FFmpeg asks for, and where it begins there. With the first one of another form FFmpeg ends, so
   * it is the first such place.
   */
  #jointOf({ url }: HlsNamed, range = WHOLE): { readonly list: string; readonly place: HlsPlace } | undefined {
    const name = this.#nameOf(url, "map");
    const from = Number.parseInt(range.slice(WHOLE.indexOf("0")), 10);
    for (const [list, { joints }] of this.#kept) {
      const joint = joints.find((each) => each.name === name && each.from === from);
      if (joint !== undefined) return { list, place: joint.place };
    }
    return undefined;
  }

  /** FFmpeg gets nothing more. Returns what is to be thrown. */
  #end(error: TargetError): PullFailure {
    this.#over = error;
    return new PullFailure(error);
  }

  /** Fetches a part for a reader. Its body ends with the reader: a source may send a byte now and then, for ever. */
  async #fetchFor(reader: ServerResponse, named: HlsNamed, range: string | undefined): Promise<Fetched> {
    const fetched = await this.#fetchAgain(named, range, reader);
    reader.once("close", () => fetched.response.destroy());
    if (reader.destroyed) fetched.response.destroy();
    return fetched;
  }

  /** Fetches a part, and again where that may help. */
  async #fetchAgain(named: HlsNamed, range: string | undefined, reader: ServerResponse): Promise<Fetched> {
    const { clock } = this.#deps.dialer;
    const isWanted = () => !reader.destroyed && !this.#closing.signal.aborted;
    for (const waitMs of SEGMENT_AGAIN_MS) {
      try {
        return await this.#fetch(named, range);
      } catch (error) {
        if (failureOf(error).error.severity === "fatal" || !isWanted()) throw error;
        await new Promise<void>((resolve) => void clock.startTimer(waitMs, resolve));
        if (!isWanted()) throw error;
      }
    }
    return this.#fetch(named, range);
  }

  async #fetch({ url }: HlsNamed, range: string | undefined): Promise<Fetched> {
    const { dialer, login } = this.#deps;
    const fetched = await fetchHttp({ url, range, login }, dialer, this.#closing.signal);
    const { statusCode = 0 } = fetched.response;
    if (statusCode === 206 && range !== WHOLE && isCompressed(fetched.response)) {
      fetched.response.destroy();
      throw new PullFailure(pullError("foreign", "a part of compressed content"));
    }
    if (statusCode === 200 || (statusCode === 206 && range !== undefined)) return fetched;
    fetched.response.destroy();
    throw new PullFailure(
      pullError([401, 403].includes(statusCode) ? "login-refused" : "not-there", `HTTP ${statusCode}`),
    );
  }

  async #waitFor(url: string): Promise<void> {
    const { clock } = this.#deps.dialer;
    const waitMs = (this.#fetchedMs.get(url) ?? Number.NEGATIVE_INFINITY) + PLAYLIST_EVERY_MS - clock.now();
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.startTimer(waitMs, resolve));
    if (this.#fetchedMs.size > 100) this.#fetchedMs.clear();
    this.#fetchedMs.set(url, clock.now());
  }

  /** The local path of an address. */
  #nameOf(url: URL, part: HlsPart): string {
    const number = this.#names.numberOf(url, part);
    const ending = ENDINGS.exec(url.pathname)?.[0].toLowerCase() ?? ".ts";
    return `/${this.#deps.token}/${number}${part === "playlist" ? ".m3u8" : part === "key" ? ".key" : ending}`;
  }
}

/** An answer without content, and the end of the connection. */
function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: "close" }).end();
}
