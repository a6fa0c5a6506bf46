import type { Clock } from "../../base/clock.ts";
import type { PayloadSlab } from "../../protocol/rtmp/chunk/payload-slab.ts";
import type { PublishGateway } from "../../relay/publish-gateway.ts";
import type { ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { BatchedReader } from "../batched-reader.ts";
import type { FailedKeys } from "../publish/failed-keys.ts";
import type { Refusals } from "../publish/refusals.ts";
import type { IngestLogins } from "./ingest-logins.ts";
import type { PlayPermit } from "./rtmp-playback.ts";

/** Where a key leads. `loginOf`: to this channel, but not without its login. */
export type Admission =
  | { readonly gateway: PublishGateway; readonly slot: IngestSlot }
  | { readonly loginOf: ChannelId }
  | "refused"
  | "unavailable";

export type IngestDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  readonly readClock: Pick<BatchedReader, "add" | "delete">;
  /** What encoders send is lent from it: it is sent on, or copied, before the next is read. */
  readonly slab: PayloadSlab;
  /** May this key publish, by whom this login belongs to? `unavailable`: nobody answered in time. Never rejects. */
  readonly admit: (key: string, login: ProvenLogin | undefined) => Promise<Admission>;
  /** May a player with this token watch this channel? Never rejects. */
  readonly seatPlayer: (channelId: string, token: string) => Promise<PlayPermit>;
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

/** What an encoder is answered, by what its channel says of it. */
export const DECISIONS = {
  welcome: "accept",
  fight: "refuse",
  overloaded: "overloaded",
  unavailable: "unavailable",
} as const;
