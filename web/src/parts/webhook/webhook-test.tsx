import { type Call, content } from "../../base/api.ts";
import type { WebhookTest } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { say } from "../basic/notice.tsx";

/** A button that sends a test message to a saved webhook, and shows what the receiver returned. */
export function TestWebhook({ run }: { readonly run: () => Call<{ readonly content: WebhookTest }> }) {
  const test = async (): Promise<void> => {
    const { ok, lastStatus, lastProblem } = await content(run());
    const { webhookPassed, webhookFailed, deliveryProblems } = t().settings;
    if (ok && lastStatus !== undefined) say(webhookPassed(lastStatus));
    else say(webhookFailed(lastProblem === undefined ? (lastStatus ?? "") : deliveryProblems[lastProblem]), "bad");
  };
  return <Action run={test}>{t().settings.webhookTest}</Action>;
}
