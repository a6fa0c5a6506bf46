import type { Clock } from "../base/clock.ts";
import type { ProvenLogin } from "../exchange/admission.ts";
import type { ChannelId, IngestSlot } from "../exchange/channel-spec.ts";
import type { Fact } from "../exchange/facts.ts";
import type { PayloadSlab } from "../protocol/rtmp/payload-slab.ts";
import type { Entrance } from "../relay/entrance.ts";
import type { FailedKeys } from "./failed-keys.ts";
import type { IngestLogins } from "./ingest-logins.ts";
import type { ReadClock } from "./read-clock.ts";
import type { Refusals } from "./refusals.ts";
import type { Seat } from "./rtmp-playback.ts";

/** Where a key leads. `loginOf`: to this channel, but not without its login. */
export type Admission =
  | { readonly entrance: Entrance; readonly slot: IngestSlot }
  | { readonly loginOf: ChannelId }
  | "refused"
  | "unavailable";

export type IngestDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  readonly readClock: Pick<ReadClock, "add" | "delete">;
  /** What encoders send is lent from it: it is sent on, or copied, before the next is read. */
  readonly slab: PayloadSlab;
  /** May this key publish, by whom this login belongs to? `unavailable`: nobody answered in time. Never rejects. */
  readonly admit: (key: string, login: ProvenLogin | undefined) => Promise<Admission>;
  /** May a player with this token watch this channel? Never rejects. */
  readonly seatPlayer: (channelId: string, token: string) => Promise<Seat>;
  readonly logins: Pick<IngestLogins, "decide">;
  readonly tell: (fact: Fact) => void;
  readonly refusals: Pick<Refusals, "add">;
  /** Says how long a refusal is held back. */
  readonly failedKeys: Pick<FailedKeys, "add">;
};

export type Arrival = {
  readonly remoteAddress: string;
  /** When the connection was accepted, on the clock's `awakeNow()`: before TLS. */
  readonly acceptedMs: number;
  /** Its key was good. */
  readonly onRecognised: () => void;
};
