/**
 * After how long without media an encoder that stays connected counts as frozen, and after how long without video, while its audio goes on,
 * its last frame is shown instead; in seconds. An encoder whose frames come more slowly is given twice its own pace.
 */
export type FreezeTimes = {
  readonly mediaSeconds: number;
  /** 0: never. */
  readonly videoSeconds: number;
};

export const FREEZE_TIMES: FreezeTimes = { mediaSeconds: 5, videoSeconds: 10 };
