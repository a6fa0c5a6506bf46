import type { Clock } from "../../base/clock.ts";
import type { PayloadSlab } from "../../protocol/rtmp/chunk/payload-slab.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { RefusalDeps } from "../publish/connection-refusal.ts";
import type { Admit } from "../publish/publish-session.ts";
import type { IngestLogins } from "./ingest-logins.ts";
import type { PacedSocketDeps } from "./paced-socket.ts";
import type { PermitPlayer } from "./rtmp-player.ts";

/** What RTMP connections of one listener share. */
export type IngestDeps = RefusalDeps &
  PacedSocketDeps & {
    readonly clock: Clock;
    readonly randomBytes: (length: number) => Buffer;
    /** The memory of encoders' payloads: the relay sends or copies them before the next read. */
    readonly slab: PayloadSlab;
    readonly admit: Admit;
    readonly permitPlayer: PermitPlayer;
    readonly logins: Pick<IngestLogins, "decide">;
    readonly onFact: (fact: Fact) => void;
  };

export type Arrival = {
  readonly remoteAddress: string;
  /** When the connection was accepted, before TLS, in milliseconds on the clock's `awakeNow()`. */
  readonly acceptedMs: number;
  /** Its key, or its token, was good. */
  readonly onRecognised: () => void;
};
