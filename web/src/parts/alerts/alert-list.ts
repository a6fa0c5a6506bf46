import { signal } from "@preact/signals";
import type { Alert } from "../../../../src/api-contract/alerts/alert-tracker.ts";
import { isExplained } from "../../../../src/api-contract/alerts/lost-broadcast.ts";
import { liveChannel } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { noteText } from "../basic/notice.tsx";
import { platformName } from "../platform/presets.ts";
import type { Verdict } from "./loss.ts";

/** One alert of this tab. */
export type ShownAlert = Alert<Verdict> & {
  readonly id: number;
  readonly channelName: string;
  /** By the server's clock, in milliseconds since 1970. */
  readonly time: number;
};

const ALERTS_MAX = 50;

/** The alerts since this tab was opened, newest first. */
export const recentAlerts = signal<readonly ShownAlert[]>([]);

let lastId = 0;

/** Adds an alert to the list and returns it as it is shown. */
export function addAlert(alert: Alert<Verdict>, time: number): ShownAlert {
  lastId += 1;
  const channelName = liveChannel(alert.channelId)?.channel.peek().channelName ?? alert.channelId;
  const shown = { ...alert, id: lastId, channelName, time };
  recentAlerts.value = [shown, ...recentAlerts.peek()].slice(0, ALERTS_MAX);
  return shown;
}

/** Returns what an alert says: what happened to which channel, and the first reason with the next step. */
export function alertText({ channelId, channelName, verdict, troubleCount }: ShownAlert): {
  readonly title: string;
  readonly body: string;
} {
  const texts = panelTexts().alerts;
  const word = t().health.states[verdict.state];
  const reason = reasonText(channelId, verdict);
  if (verdict.lostBy !== undefined) {
    const detail = isExplained(verdict.lostBy) ? reason : "";
    return { title: texts.lostTitle(channelName), body: `${texts.lost[verdict.lostBy]} ${detail}`.trim() };
  }
  if (troubleCount === 0) return { title: `${channelName}: ${word}`, body: reason };
  return { title: texts.unstable(channelName), body: `${texts.unstableText(troubleCount, word)} ${reason}`.trim() };
}

function reasonText(channelId: string, { reason, nextStep }: Verdict): string {
  if (reason === undefined) return "";
  const platforms = liveChannel(channelId)?.channel.peek().platforms ?? [];
  const platform = platforms.find(({ platId }) => platId === reason.platId);
  const name = platform === undefined ? "" : `${platformName(platform)}: `;
  return `${name}${noteText(reason)}${nextStep === undefined ? "" : ` ${noteText(nextStep)}`}`;
}
