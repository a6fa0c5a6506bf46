import type { TargetWarning } from "./target-status.ts";

/** The target accepts less than the stream carries, in bytes a second. */
export function slowTarget(takesPerSecond: number, ofPerSecond: number): TargetWarning {
  const [takes, of] = [kilobits(takesPerSecond), kilobits(ofPerSecond)];
  return {
    code: "SLOW",
    message: `The platform accepts only ${takes} of ${of} kbit/s, so frames are dropped for it: lower the bitrate, or check the connection to it.`,
    messageKo: `플랫폼이 ${of} kbit/s 가운데 ${takes} kbit/s만 받고 있어 일부 프레임을 건너뛰고 보냅니다. 비트레이트를 낮추거나 플랫폼과의 연결을 확인해 주세요.`,
  };
}

function kilobits(bytes: number): number {
  return Math.round((bytes * 8) / 1_000);
}

/** What a target waits for that accepts everything it gets. */
const WAITS = {
  "no-keyframe": {
    code: "WAITS_FOR_KEYFRAME",
    message:
      "Nothing is sent to the platform yet: it is waiting for a keyframe, but none arrives. Set the encoder's keyframe interval to 2 s, not to automatic.",
    messageKo:
      "아직 아무것도 송출하지 않고 있습니다. 키프레임을 기다리고 있지만 들어오지 않습니다. 인코더의 키프레임 간격을 자동이 아닌 2초로 설정해 주세요.",
  },
  "no-more-keyframe": {
    code: "WAITS_FOR_KEYFRAME",
    message:
      "The platform lost video and gets none: it is waiting for a keyframe, but none arrives. Set the encoder's keyframe interval to 2 s, not to automatic.",
    messageKo:
      "플랫폼이 영상 일부를 놓쳐 지금은 영상이 나가지 않습니다. 키프레임을 기다리고 있지만 들어오지 않습니다. 인코더의 키프레임 간격을 자동이 아닌 2초로 설정해 주세요.",
  },
  "no-media": {
    code: "WAITS_FOR_MEDIA",
    message:
      "Nothing is sent to the platform: the encoder sends no video or audio for it, and there is nothing to repeat meanwhile. Check the encoder.",
    messageKo:
      "아무것도 송출하지 않고 있습니다. 이 플랫폼에 보낼 영상과 오디오가 인코더에서 들어오지 않고, 그동안 대신 보낼 화면도 없습니다. 인코더를 확인해 주세요.",
  },
} as const satisfies Readonly<Record<string, TargetWarning>>;

/** Returns the warning of this name. */
export function targetWarning(name: keyof typeof WAITS): TargetWarning {
  return WAITS[name];
}
