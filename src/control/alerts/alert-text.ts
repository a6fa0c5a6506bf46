import type { Alert, AlertVerdict } from "../../api-contract/alerts/alert-tracker.ts";
import { isExplained, type LostBy } from "../../api-contract/alerts/lost-broadcast.ts";
import type { Channel, Target } from "../channels/channel.ts";
import type { ChannelHealth } from "../health/channel-health.ts";
import { NEXT_STEPS } from "../health/next-steps.ts";
import type { Bilingual } from "../presets/target-preset.ts";
import { displayNameOf } from "../presets/target-presets.ts";
import type { PushLanguage } from "./push.ts";

/** A channel's verdict for the server's alerts. `lostBy`: the broadcast ended, and no person ended it. */
export type ServerVerdict = AlertVerdict & { readonly health?: ChannelHealth; readonly lostBy?: LostBy };
export type ServerAlert = Alert<ServerVerdict>;

/** The text of a notification. Holds no secret and no address. */
export type AlertText = { readonly title: string; readonly body: string };

const WORDS = {
  broken: { en: "Broken", ko: "문제 발생" },
  attention: { en: "Needs attention", ko: "확인 필요" },
  healthy: { en: "Healthy", ko: "정상" },
  waiting: { en: "Waiting for encoder", ko: "인코더 대기" },
  off: { en: "Disabled", ko: "송출 차단됨" },
} as const satisfies Record<AlertVerdict["state"], Bilingual>;

const LOST_TITLE: Bilingual = { en: "Broadcast ended", ko: "방송 종료됨" };
const LOST: Readonly<Record<LostBy, Bilingual>> = {
  encoder: {
    en: "The encoder was lost and the broadcast has ended. Start the encoder again.",
    ko: "인코더 연결이 끊어져 방송이 종료되었습니다. 인코더를 다시 시작해 주세요.",
  },
  source: {
    en: "The source was lost and the broadcast has ended. The server keeps trying to reconnect to it.",
    ko: "소스와의 연결이 끊어져 방송이 종료되었습니다. 서버가 소스에 계속 다시 연결합니다.",
  },
  "stopped-source": { en: "The broadcast has ended.", ko: "방송이 종료되었습니다." },
  server: {
    en: "The server stopped unexpectedly and the broadcast has ended. Start the encoder again if it has stopped.",
    ko: "서버가 비정상 종료되어 방송이 종료되었습니다. 인코더가 멈췄다면 다시 시작해 주세요.",
  },
};

const UNSTABLE = { en: "Unstable", ko: "불안정" } as const;

const unstableBody = (count: number, state: AlertVerdict["state"]): Bilingual => ({
  en: `In trouble ${count} times within a minute. Now: ${WORDS[state].en}.`,
  ko: `1분 동안 문제가 ${count}번 발생했습니다. 현재 상태: ${WORDS[state].ko}.`,
});

const TEST = {
  title: { en: "Test alert", ko: "테스트 알림" },
  body: { en: "This is what an alert from Fanfare looks like.", ko: "Fanfare의 알림은 이렇게 표시됩니다." },
} as const;

/** The text of a test alert. */
export const testText = (language: PushLanguage): AlertText => ({
  title: TEST.title[language],
  body: TEST.body[language],
});

/** Returns the text of an alert about this channel, in this language. */
export function alertText(
  { verdict, troubleCount }: ServerAlert,
  { name, targets }: Pick<Channel, "name" | "targets">,
  language: PushLanguage,
): AlertText {
  const reason = reasonText(verdict, targets, language);
  if (verdict.lostBy !== undefined) {
    const detail = isExplained(verdict.lostBy) ? reason : "";
    return { title: `${name}: ${LOST_TITLE[language]}`, body: `${LOST[verdict.lostBy][language]} ${detail}`.trim() };
  }
  if (troubleCount === 0) return { title: `${name}: ${WORDS[verdict.state][language]}`, body: reason };
  const body = `${unstableBody(troubleCount, verdict.state)[language]} ${reason}`.trim();
  return { title: `${name}: ${UNSTABLE[language]}`, body };
}

/** The text of one notification that replaces many. */
export function manyText(count: number, language: PushLanguage): AlertText {
  return language === "ko"
    ? { title: `채널 ${count}개에 변동이 있습니다`, body: "대시보드에서 확인해 주세요." }
    : { title: `${count} channels have changed`, body: "Look at the dashboard." };
}

function reasonText({ health }: ServerVerdict, targets: readonly Target[], language: PushLanguage): string {
  const reason = health?.reason;
  if (reason === undefined) return "";
  const target = targets.find(({ targetId }) => targetId === reason.targetId);
  const name = target === undefined ? "" : `${target.label ?? displayNameOf(target.targetName)[language]}: `;
  return `${name}${reason.message[language]} ${NEXT_STEPS[reason.nextStep][language]}`;
}
