import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { type RandomBytes, randomText } from "./ids.ts";
import type { Lasting } from "./revocations.ts";

/** A token opens previews of its channel for five minutes. */
const TOKEN_MS = 5 * 60 * 1000;
const TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 32;
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

/** Decides who may open a preview of a channel, over any protocol, and limits their number. */
export class PreviewAccess implements Lasting {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #tokens = new Map<string, Token>();
  /** The owner of the token with which each was opened. */
  readonly #places = new Map<PreviewPlace, string>();

  constructor(parts: { readonly clock: Clock; readonly randomBytes: RandomBytes }) {
    this.#clock = parts.clock;
    this.#randomBytes = parts.randomBytes;
  }

  /** `owner`: the access key or the session that asks. */
  newToken(channelId: ChannelId, owner: string): { readonly token: string; readonly expiresTime: number } {
    const expiresTime = this.#clock.wallNow() + TOKEN_MS;
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
    const known = this.#tokens.get(token);
    if (known?.channelId !== channelId || this.#clock.now() >= known.untilMs) return "refused";
    const ofChannel = [...this.#places.keys()].filter((each) => each.channelId === channelId).length;
    if (ofChannel >= WATCHERS_OF_CHANNEL_MAX || this.#places.size >= WATCHERS_MAX) return "full";
    const place: PreviewPlace = {
      channelId: known.channelId,
      onRevoked: () => undefined,
      leave: () => {
        this.#places.delete(place);
      },
    };
    this.#places.set(place, known.owner);
    return place;
  }

  owners(): Iterable<string> {
    return new Set([...this.#places.values(), ...[...this.#tokens.values()].map(({ owner }) => owner)]);
  }

  endOf(owner: string): void {
    for (const [token, { owner: its }] of this.#tokens) if (its === owner) this.#tokens.delete(token);
    for (const [place, its] of this.#places) if (its === owner) place.onRevoked();
  }
}
