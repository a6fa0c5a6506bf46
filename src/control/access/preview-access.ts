import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { type RandomBytes, randomText } from "./ids.ts";
import type { Lasting } from "./revocations.ts";

/** A token opens previews of its channel for five minutes. */
const TOKEN_MS = 5 * 60 * 1000;
const TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 32;
/** By so much the clocks of several nodes may differ, in milliseconds: a sealed token counts that much longer. */
const CLOCKS_MS = 60_000;
/** More than any sealed token has, in characters. */
const SEALED_LENGTH_MAX = 512;
/** Ended owners that are remembered. */
const ENDED_MAX = 10_000;
/** Tokens at a time; one more removes the oldest. */
const TOKENS_MAX = 1_000;

/** Open previews at a time, over HTTP and RTMP together: of one channel, and of all channels. */
export const WATCHERS_OF_CHANNEL_MAX = 4;
export const WATCHERS_MAX = 20;

/** `untilMs`: monotonic milliseconds. */
type Token = { readonly channelId: ChannelId; readonly untilMs: number; readonly owner: string };

/** One viewer's place, until the viewer leaves. */
export type PreviewPlace = {
  readonly channelId: ChannelId;
  /** Called when the owner of the token may watch no longer: the preview must end. */
  onRevoked: () => void;
  /** Idempotent. */
  leave(): void;
};

/**
 * Tokens that every node of a cluster can open, since all have the same encryption keys. A token holds who asked for it and
 * until when it counts. `open`: undefined where it was not sealed for this channel.
 */
export type PreviewSeals = {
  readonly seal: (text: string, channelId: ChannelId) => string;
  readonly open: (token: string, channelId: ChannelId) => string | undefined;
};

export type PreviewAccessParts = {
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Where several nodes share the database; absent: this process remembers its tokens. */
  readonly seals?: PreviewSeals;
};

/** Decides who may open a preview of a channel, over any protocol, and limits their number. */
export class PreviewAccess implements Lasting {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #seals: PreviewSeals | undefined;
  /** Owners that have ended: their sealed tokens count no longer. */
  readonly #ended = new Set<string>();
  readonly #tokens = new Map<string, Token>();
  /** The owner of the token with which each was opened. */
  readonly #places = new Map<PreviewPlace, string>();

  constructor({ clock, randomBytes, seals }: PreviewAccessParts) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#seals = seals;
  }

  /** `owner`: the access key or the session that asks. */
  newToken(channelId: ChannelId, owner: string): { readonly token: string; readonly expiresTime: number } {
    const expiresTime = this.#clock.wallNow() + TOKEN_MS;
    if (this.#seals !== undefined)
      return { token: this.#seals.seal(`${expiresTime} ${owner}`, channelId), expiresTime };
    const token = randomText(TOKEN_LENGTH, TOKEN_CHARACTERS, this.#randomBytes);
    this.#tokens.set(token, { channelId, untilMs: this.#clock.now() + TOKEN_MS, owner });
    for (const oldest of this.#tokens.keys()) {
      if (this.#tokens.size <= TOKENS_MAX) break;
      this.#tokens.delete(oldest);
    }
    return { token, expiresTime };
  }

  /** `refused`: the token does not open this channel now. `full`: no more previews may be open. */
  enter(token: string, channelId: string): PreviewPlace | "refused" | "full" {
    const owner = this.#seals === undefined ? this.#remembered(token, channelId) : this.#sealed(token, channelId);
    if (owner === undefined) return "refused";
    const ofChannel = [...this.#places.keys()].filter((each) => each.channelId === channelId).length;
    if (ofChannel >= WATCHERS_OF_CHANNEL_MAX || this.#places.size >= WATCHERS_MAX) return "full";
    const place: PreviewPlace = {
      channelId,
      onRevoked: () => undefined,
      leave: () => {
        this.#places.delete(place);
      },
    };
    this.#places.set(place, owner);
    return place;
  }

  #remembered(token: string, channelId: string): string | undefined {
    const known = this.#tokens.get(token);
    return known?.channelId === channelId && this.#clock.now() < known.untilMs ? known.owner : undefined;
  }

  #sealed(token: string, channelId: string): string | undefined {
    if (token.length > SEALED_LENGTH_MAX) return undefined;
    const [, time, owner = ""] = /^(\d{1,15}) (.+)$/.exec(this.#seals?.open(token, channelId) ?? "") ?? [];
    const isOver = time === undefined || this.#clock.wallNow() >= Number(time) + CLOCKS_MS;
    return isOver || this.#ended.has(owner) ? undefined : owner;
  }

  owners(): Iterable<string> {
    return new Set([...this.#places.values(), ...[...this.#tokens.values()].map(({ owner }) => owner)]);
  }

  endOf(owner: string): void {
    if (this.#seals !== undefined) this.#ended.add(owner);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
    for (const [token, { owner: its }] of this.#tokens) if (its === owner) this.#tokens.delete(token);
    for (const [place, its] of this.#places) if (its === owner) place.onRevoked();
  }
}
