import { type InputNote, sameKeyNote } from "../../api-contract/input/input-notes.ts";
import type { Target } from "../../control/channels/channel.ts";
import { spokenName, twinsOf } from "../../control/channels/target-twins.ts";

/**
 * The answer to a call that set a platform's address and key, with notes about them. `targets`: the channel's targets.
 */
export function withNotes<Answer extends object>(
  answer: Answer,
  target: Target,
  given: readonly InputNote[],
  targets: readonly Target[],
): Answer & { readonly notes?: readonly InputNote[] } {
  const [twin] = twinsOf(target, targets);
  const notes = twin === undefined ? given : [...given, sameKeyNote(twin.targetId, spokenName(twin))];
  return notes.length === 0 ? answer : { ...answer, notes };
}
