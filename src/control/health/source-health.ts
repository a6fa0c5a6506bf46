import { SOURCE_SENTENCES } from "../../api-contract/sources/source-sentences.ts";
import type { TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import type { SourceReason, SourceStatus } from "../channels/source.ts";
import type { Bilingual } from "../presets/target-preset.ts";
import type { NextStep } from "./next-steps.ts";

/** Why a channel's source brings no stream. `code`: that of the connection's `lastError`; of files SOURCE_FAILED. */
export type SourceFailure = {
  readonly code: TargetErrorCode | "SOURCE_FAILED";
  readonly message: Bilingual;
  readonly nextStep: NextStep;
};

/** A source that stopped for one of these did not do what it was started for. The other reasons have a cause elsewhere. */
const FAILED_STOPS: Partial<Record<SourceReason, NextStep>> = {
  "not-playable": "CHECK_SOURCE_FILES",
  "server-overloaded": "ASK_OPERATOR",
  internal: "ASK_OPERATOR",
};

/**
 * Returns why the channel's source fails, also while it is connected to again; undefined where it does not. `startTime`:
 * when the channel's last broadcast began, in milliseconds since the Unix epoch. A stop before that is history.
 */
export function sourceFailure(
  source: SourceStatus | undefined,
  startTime: number | undefined,
): SourceFailure | undefined {
  if (source === undefined || source.state === "playing") return undefined;
  if (source.state === "stopped") return stopFailure(source, startTime);
  if (source.state === "failed" && source.link === undefined) return filesAway(source.reason);
  const error = source.link?.lastError;
  if (error === undefined) return undefined;
  const { code, message, messageKo } = error;
  const isOurs = code === "SERVER_TROUBLE" || code === "NODE_LOST";
  return { code, message: { en: message, ko: messageKo }, nextStep: isOurs ? "ASK_OPERATOR" : "CHECK_SOURCE" };
}

/** Whether it is on its first attempt, or FFmpeg opens its first file. */
export const isSourceStarting = (source: SourceStatus | undefined): boolean => source?.state === "starting";

/** Files that are tried again. */
function filesAway(reason: SourceReason = "files-away"): SourceFailure | undefined {
  const [en, ko] = SOURCE_SENTENCES[reason] ?? [];
  if (en === undefined || ko === undefined) return undefined;
  return { code: "SOURCE_FAILED", message: { en, ko }, nextStep: "CHECK_WATCHED_FOLDER" };
}

function stopFailure(
  { reason, sinceTime }: SourceStatus & { readonly state: "stopped" },
  startTime: number | undefined,
): SourceFailure | undefined {
  if (reason === undefined || (startTime !== undefined && startTime > sinceTime)) return undefined;
  const nextStep = FAILED_STOPS[reason];
  const [en, ko] = SOURCE_SENTENCES[reason] ?? [];
  if (nextStep === undefined || en === undefined || ko === undefined) return undefined;
  return {
    code: "SOURCE_FAILED",
    message: { en: `The source has stopped: ${en}`, ko: `소스가 중지되었습니다: ${ko}` },
    nextStep,
  };
}
