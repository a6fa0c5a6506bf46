import type { ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { type RandomBytes, randomText } from "../control/ids.ts";
import type { Runtime, Watch } from "../control/runtime.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";

/** A token opens previews of its channel for five minutes. */
const TOKEN_MS = 5 * 60 * 1000;
const TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 32;
/** Tokens at a time; the oldest gives way. */
const TOKENS_MAX = 1_000;

/** Open previews at a time: of one channel, and of all. */
export const WATCHERS_OF_CHANNEL_MAX = 4;
export const WATCHERS_MAX = 20;

export type PreviewParts = {
  readonly runtime: Pick<Runtime, "watch">;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
};

type Token = { readonly channelId: ChannelId; readonly expiresTime: number };

/** Previews of channels as HTTP-FLV: who may open one, and how many there are. */
export class Previews {
  readonly #parts: PreviewParts;
  readonly #tokens = new Map<string, Token>();
  readonly #open = new Map<ServerResponse, ChannelId>();

  constructor(parts: PreviewParts) {
    this.#parts = parts;
  }

  newToken(channelId: ChannelId): { readonly token: string; readonly expiresTime: number } {
    const { clock, randomBytes } = this.#parts;
    const expiresTime = clock.wallNow() + TOKEN_MS;
    const token = randomText(TOKEN_LENGTH, TOKEN_CHARACTERS, randomBytes);
    this.#tokens.set(token, { channelId, expiresTime });
    for (const oldest of this.#tokens.keys()) {
      if (this.#tokens.size <= TOKENS_MAX) break;
      this.#tokens.delete(oldest);
    }
    return { token, expiresTime };
  }

  /** Whether the token opens this channel now. */
  opens(token: string, channelId: string): boolean {
    const known = this.#tokens.get(token);
    return known?.channelId === channelId && this.#parts.clock.wallNow() < known.expiresTime;
  }

  /** Whether one more may be opened. */
  hasPlace(channelId: string): boolean {
    const ofChannel = [...this.#open.values()].filter((each) => each === channelId).length;
    return ofChannel < WATCHERS_OF_CHANNEL_MAX && this.#open.size < WATCHERS_MAX;
  }

  /** Serves the channel on this response; resolves false where it is not on air and nothing was written. */
  serve(channelId: ChannelId, response: ServerResponse, head: Readonly<Record<string, string>>): Promise<boolean> {
    return new Promise((resolve) => {
      this.#open.set(response, channelId);
      const watch: Watch = this.#parts.runtime.watch(channelId, {
        take: (bytes) => {
          if (!response.headersSent) response.writeHead(200, head);
          resolve(true);
          // Credit for more only when it has left: how much may wait is the media thread's to bound.
          response.write(bytes, (error) => {
            if (error === null || error === undefined) watch.taken(bytes.length);
          });
        },
        end: () => {
          this.#open.delete(response);
          resolve(response.headersSent);
          // What a slow watcher does not take would keep a clean end from ever coming.
          if (response.headersSent && response.writableLength === 0) response.end();
          else if (response.headersSent) response.destroy();
        },
      });
      response.once("close", () => {
        this.#open.delete(response);
        watch.leave();
        resolve(true);
      });
    });
  }

  /** Ends all of them. */
  close(): void {
    for (const response of this.#open.keys()) response.destroy();
  }
}
