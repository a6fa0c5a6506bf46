import type { PlatformRequest } from "../../api-contract/schemas/schemas.ts";
import type { TargetSettings } from "../../control/channels/channel.ts";
import type { TargetTrust, TrackChoice } from "../../thread-protocol/channel-spec.ts";
import { windowsOf } from "./windows/target-windows.ts";

/** One element of `restream`, in the form of the use cases. */
export function targetSettings(platform: PlatformRequest): TargetSettings {
  const loginId = platform.id ?? platform.streamId ?? "";
  const loginPassword = platform.password ?? platform.streamPassword ?? "";
  const tracks = trackChoice(platform.tracks);
  const label = platform.label ?? "";
  const windows = platform.windows == null ? undefined : windowsOf(platform.windows);
  return {
    targetName: platform.targetName,
    url: platform.rtmpUrl,
    streamKey: platform.streamKey,
    ...(loginId === "" ? {} : { loginId }),
    ...(loginPassword === "" ? {} : { loginPassword }),
    ...(label === "" ? {} : { label }),
    isEnabled: platform.enabled ?? true,
    bufferPolicy: platform.bufferPolicy ?? "drop",
    ...(platform.tls == null ? {} : { tls: targetTrust(platform.tls) }),
    ...(tracks === undefined ? {} : { tracks }),
    ...(platform.timedData === false ? { hasTimedData: false } : {}),
    ...(platform.silentAudio == null ? {} : { silentAudio: platform.silentAudio }),
    ...(platform.delaySeconds == null || platform.delaySeconds === 0 ? {} : { delaySeconds: platform.delaySeconds }),
    ...(windows === undefined ? {} : { windows }),
  };
}

/**
 * The choice in a platform's `tracks`, with the default track for a kind that is left out; undefined for all tracks.
 */
export function trackChoice(tracks: PlatformRequest["tracks"]): TrackChoice | undefined {
  if (tracks == null || (tracks.video == null && tracks.audio == null)) return undefined;
  return { video: tracks.video ?? 0, audio: tracks.audio ?? 0 };
}

/** The settings in a platform's `tls`; null counts as absent. */
export function targetTrust({ ca, fingerprint }: NonNullable<PlatformRequest["tls"]>): TargetTrust {
  return { ...(ca == null ? {} : { ca }), ...(fingerprint == null ? {} : { fingerprint }) };
}
