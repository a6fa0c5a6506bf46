import type { ContactLanguage } from "../../api-contract/contacts/contact-words.ts";
import { enEvents } from "../../api-contract/words/en-events.ts";
import { type EventTexts, eventText } from "../../api-contract/words/event-sentences.ts";
import { koEvents } from "../../api-contract/words/ko-events.ts";
import { type NoticeEvent, subjectOf } from "../../control/contacts/contact.ts";

/** Lines of one message; the rest is a count. */
const LINES_MAX = 15;
/** Names are cut after so many characters: they are others' text. */
const NAME_CHARACTERS_MAX = 80;

/** One message for people, in plain text. */
export type Digest = { readonly title: string; readonly lines: readonly string[] };

const WORDS = {
  en: {
    title: (names: string) => `Fanfare: ${names}`,
    server: "server",
    channels: (count: number) => `${count} channels`,
    times: (count: number) => `${count} events, the last`,
    more: (count: number) => `and ${count} more`,
    dropped: (count: number) => `${count} older events are not listed`,
    testTitle: "Fanfare: test message",
    test: "This is a test: nothing happened.",
  },
  ko: {
    title: (names: string) => `Fanfare: ${names}`,
    server: "서버",
    channels: (count: number) => `채널 ${count}개`,
    times: (count: number) => `이벤트 ${count}건, 마지막`,
    more: (count: number) => `외 ${count}건`,
    dropped: (count: number) => `이전 이벤트 ${count}건은 생략되었습니다`,
    testTitle: "Fanfare: 테스트 메시지",
    test: "테스트 메시지입니다. 실제로 발생한 문제는 없습니다.",
  },
} as const;

const TEXTS: Readonly<Record<ContactLanguage, EventTexts>> = { en: enEvents, ko: koEvents };

/**
 * Writes what happened as one message: a line for each platform or channel, with its last event, in the order of their
 * first events. A platform that failed and came back ten times is one line.
 */
export function digestOf(events: readonly NoticeEvent[], droppedCount: number, language: ContactLanguage): Digest {
  const words = WORDS[language];
  const subjects = new Map<string, NoticeEvent[]>();
  for (const event of events) {
    const subject = subjectOf(event);
    subjects.set(subject, [...(subjects.get(subject) ?? []), event]);
  }
  const names = [...new Set(events.map((event) => nameOf(event, language)))];
  const groups = [...subjects.values()];
  const lines = groups.slice(0, LINES_MAX).map((group) => lineOf(group, names.length > 1, language));
  const title = words.title(names.length === 1 ? (names[0] ?? "") : words.channels(names.length));
  const rest = groups.length - lines.length;
  return {
    title,
    lines: [
      ...lines,
      ...(rest > 0 ? [words.more(rest)] : []),
      ...(droppedCount > 0 ? [words.dropped(droppedCount)] : []),
    ],
  };
}

/** The message that tries a contact. */
export function testDigest(language: ContactLanguage): Digest {
  return { title: WORDS[language].testTitle, lines: [WORDS[language].test] };
}

function lineOf(group: readonly NoticeEvent[], withChannel: boolean, language: ContactLanguage): string {
  const last = group.at(-1);
  if (last === undefined) return "";
  const what = eventText(TEXTS[language], { ...last, eventCode: last.code }, platformOf(last));
  const counted = group.length > 1 ? `${WORDS[language].times(group.length)}: ${what}` : what;
  return withChannel ? `${nameOf(last, language)}: ${counted}` : counted;
}

/** A channel's name; the server's for an event about no channel. */
function nameOf({ channelName, channelId }: NoticeEvent, language: ContactLanguage): string {
  return channelId === "" ? WORDS[language].server : oneLine(channelName ?? channelId);
}

function platformOf({ targetLabel, targetName }: NoticeEvent): string {
  return oneLine(targetLabel ?? targetName ?? "");
}

/** Names may hold any text: control characters would break a message's lines and a mail's headers. */
function oneLine(name: string): string {
  const plain = name.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return cut(plain, NAME_CHARACTERS_MAX);
}

/** Cuts whole characters, not halves of one: chats refuse a message with half a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
