import type { TargetWarning } from "./target-status.ts";

/** The target takes less than the stream has, in bytes a second. */
export function slowTarget(takesPerSecond: number, ofPerSecond: number): TargetWarning {
  const [takes, of] = [kilobits(takesPerSecond), kilobits(ofPerSecond)];
  return {
    code: "SLOW",
    message: `The target takes ${takes} of ${of} kbit/s, so whole groups of pictures are left out for it: lower the bitrate, or check the connection to it.`,
    messageKo: `송출 대상이 ${of}kbit/s 가운데 ${takes}kbit/s만 받고 있어 일부 화면을 건너뛰고 보냅니다. 비트레이트를 낮추거나 대상까지의 연결을 확인해 주세요.`,
  };
}

function kilobits(bytes: number): number {
  return Math.round((bytes * 8) / 1_000);
}
