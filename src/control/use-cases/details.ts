import type { RecordingStatus } from "../../thread-protocol/recordings/recordings.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import type { ChannelRecord, Target } from "../channels/channel.ts";
import type { ChannelHealth } from "../health/channel-health.ts";
import type { CheckState, IngestWarning } from "../ingest-check/ingest-checks.ts";
import type { Hold, OwnerLive, TargetLive } from "../ports/runtime.ts";

/** The stored and the live state of a channel. `publishMs` and `recentPublishStartTime` are up to now. */
export type ChannelSummary = ChannelRecord & {
  readonly isPublishing: boolean;
  /** The encoder on air, or last on air; absent where none was since the process started. */
  readonly ingest?: IngestSample;
  /** While the encoder is lost. */
  readonly hold?: Hold;
  /** How its recording stands; absent where that was never reported. */
  readonly recording?: RecordingStatus;
  /** What the ingest check finds. */
  readonly warnings: readonly IngestWarning[];
  /** Whether the ingest check is done; absent while there is no encoder. */
  readonly checkState?: CheckState;
  /** The verdict on it. */
  readonly health: ChannelHealth;
  /** Where several nodes share the database: the node that owns it. */
  readonly owner?: OwnerLive;
};

/**
 * The stored and the live state of a target. `totals` are up to now; `live` is absent while the media thread knows
 * nothing of it.
 */
export type TargetDetail = Target & {
  readonly isChannelPublishing: boolean;
  readonly live?: TargetLive;
  readonly owner?: OwnerLive;
};

/** A channel with its targets, in the order of their ids. */
export type ChannelDetail = ChannelSummary & { readonly targets: readonly TargetDetail[] };
