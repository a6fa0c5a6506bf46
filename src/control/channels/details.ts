import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import { DomainError } from "../errors.ts";
import type { ChannelHealth } from "../health/channel-health.ts";
import type { CheckState, IngestWarning } from "../ingest-check/ingest-checks.ts";
import type { Hold } from "../live/hold-live.ts";
import type { TargetLive } from "../runtime.ts";
import type { ChannelRecord, Target } from "./channel.ts";

/** A channel, stored and live together. `publishMs` and `recentPublishStartTime` are up to now. */
export type ChannelSummary = ChannelRecord & {
  readonly isPublishing: boolean;
  /** The encoder on air, or last on air; absent where none was since the process started. */
  readonly ingest?: IngestSample;
  /** While the encoder is lost. */
  readonly hold?: Hold;
  /** What the ingest check says of it. */
  readonly warnings: readonly IngestWarning[];
  /** How far the ingest check is; absent while no encoder is there. */
  readonly checkState?: CheckState;
  /** The one verdict about it. */
  readonly health: ChannelHealth;
};

/** A channel with its targets. */
export type ChannelDetail = ChannelSummary & { readonly targets: readonly Target[] };

/** A target, stored and live together. `totals` are up to now; `live` is absent while the media thread knows nothing. */
export type TargetDetail = Target & { readonly isChannelPublishing: boolean; readonly live?: TargetLive };

/** The channel's target with this id. Throws DomainError `target-not-found`. */
export function targetOf<Each extends Target>(
  { targets }: { readonly targets: readonly Each[] },
  targetId: TargetId,
): Each {
  const target = targets.find((each) => each.targetId === targetId);
  if (target === undefined) throw new DomainError({ kind: "target-not-found" });
  return target;
}
