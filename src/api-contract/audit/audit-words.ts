import type { AuditAction, AuditActorKind } from "./audit-actions.ts";
import { type AuditWords, enAuditWords } from "./en-audit-words.ts";

type Told = {
  readonly action: AuditAction;
  readonly actor: AuditActorKind;
  readonly actorId?: string | undefined;
  readonly actorName?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly subject?: string | undefined;
};

// A newer version beside this one may have stored words that are not in these lists.

/** Who made the change: an access key's name, where it has one, and its id. */
export function auditActor({ actor, actorId, actorName }: Told, words: AuditWords): string {
  if (actor !== "access-key") return words.actors[actor] ?? actor;
  const name = actorName === undefined || actorName === "" ? "" : `"${actorName}" `;
  return `${words.actors[actor]} ${name}${actorId ?? ""}`.trim();
}

/** The change as one English sentence, as webhooks have it. */
export function auditSentence(told: Told): string {
  const what = told.subject === undefined ? "" : ` (${told.subject})`;
  const from = told.remoteAddress === undefined ? "" : `, from ${told.remoteAddress}`;
  return `${enAuditWords.actions[told.action] ?? told.action}${what}: ${auditActor(told, enAuditWords)}${from}.`;
}
