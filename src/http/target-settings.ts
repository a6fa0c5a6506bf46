import type { PlatformRequest } from "../contract/schemas.ts";
import type { TargetSettings } from "../control/channel.ts";

/** One element of `restream`, as the use cases take it. */
export function targetSettings(platform: PlatformRequest): TargetSettings {
  const loginId = platform.id ?? platform.streamId ?? "";
  const loginPassword = platform.password ?? platform.streamPassword ?? "";
  const label = platform.label ?? "";
  return {
    targetName: platform.targetName,
    url: platform.rtmpUrl,
    streamKey: platform.streamKey,
    ...(loginId === "" ? {} : { loginId }),
    ...(loginPassword === "" ? {} : { loginPassword }),
    ...(label === "" ? {} : { label }),
    isEnabled: platform.enabled ?? true,
    bufferPolicy: platform.bufferPolicy ?? "drop",
  };
}
