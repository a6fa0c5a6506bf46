import type { TargetError, TargetErrorCode } from "./target-status.ts";

/** The sentence for one thing that can be wrong with a target. */
export type TargetSentence = {
  readonly code: TargetErrorCode;
  readonly severity: TargetError["severity"];
  /**
   * One plain sentence that says what is wrong and what to do. `{detail}` is a word of a closed list or a protocol's
   * code.
   */
  readonly en: string;
  readonly ko: string;
};
