import { NO_ALERTS, type TargetSettings } from "../../../src/control/channels/channel.ts";
import type { NewChannel } from "../../../src/control/ports/store.ts";

export const TARGET: TargetSettings = {
  targetName: "YOUTUBE",
  url: "rtmp://a.rtmp.youtube.com/live2",
  streamKey: "?a=b&c=d:é",
  isEnabled: true,
  bufferPolicy: "drop",
};

export const FULL_TARGET: TargetSettings = {
  targetName: "CUSTOM",
  url: "rtmps://example.com/app",
  streamKey: "key",
  loginId: "user",
  loginPassword: "pass",
  label: "이름",
  isEnabled: false,
  bufferPolicy: "disconnect",
};

/** The `n`th channel of a test; names and keys differ. */
export function newChannel(n: number, change: Partial<NewChannel> = {}): NewChannel {
  return {
    channelId: `ls-20260101000000-${String(n).padStart(5, "0")}`,
    name: `channel_${n}`,
    planType: "STANDARD",
    envType: "REAL",
    alerts: NO_ALERTS,
    holdSeconds: 120,
    latency: "efficient",
    freeze: { mediaSeconds: 5, videoSeconds: 10 },
    streamKey: `stream-key-${n}`,
    createdTime: 1_700_000_000_000 + n,
    targets: [TARGET, FULL_TARGET],
    ...change,
  };
}
