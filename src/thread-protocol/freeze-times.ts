/**
 * When a connected encoder counts as frozen, in seconds: after `mediaSeconds` without any media. After `videoSeconds`
 * without video, while audio goes on, its last frame is repeated. An encoder whose frames come more slowly gets twice
 * its own frame interval.
 */
export type FreezeTimes = {
  readonly mediaSeconds: number;
  /** 0: never. */
  readonly videoSeconds: number;
};

export const FREEZE_TIMES: FreezeTimes = { mediaSeconds: 5, videoSeconds: 10 };
