import type { ContactAddress } from "../../api-contract/contacts/contact-words.ts";
import type { Message } from "../http-post.ts";
import { cut, type Digest } from "./digest.ts";

/** The longest text that each service takes, in characters. KakaoWork's is that of a text block. */
const CHARACTERS_MAX = { slack: 3_000, discord: 2_000, telegram: 4_096, kakaowork: 500 } as const;

type ChatAddress = Exclude<ContactAddress, { readonly kind: "email" }>;

/** Discord's flag of a message whose links get no preview. */
const SUPPRESS_EMBEDS = 4;

/**
 * The request that posts a digest to a chat room, as each service's public documentation has it: incoming webhooks of
 * Slack, Discord and KakaoWork, and `sendMessage` of Telegram's bots. All get plain text, with nothing that could call
 * people, format or hide a link, and no previews of links.
 */
export function chatMessage(address: ChatAddress, digest: Digest): Message {
  const text = cut(plainText(digest), CHARACTERS_MAX[address.kind]);
  switch (address.kind) {
    case "slack":
      return json(address.url, {
        text: cut(escapeSlack(text), CHARACTERS_MAX.slack),
        ...{ mrkdwn: false, unfurl_links: false, unfurl_media: false },
      });
    case "discord":
      return json(address.url, {
        content: cut(escapeDiscord(text), CHARACTERS_MAX.discord),
        ...{ allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS },
      });
    case "kakaowork":
      return json(address.url, { text });
    case "telegram": {
      const url = `${address.apiUrl}/bot${address.botToken}/sendMessage`;
      return json(url, {
        ...{ chat_id: address.chatId, text: cut(withoutMentions(text), CHARACTERS_MAX.telegram) },
        link_preview_options: { is_disabled: true },
      });
    }
  }
}

/** The digest as text of several lines, the title first. */
function plainText({ title, lines }: Digest): string {
  return [title, ...lines].join("\n");
}

function json(url: string, body: object): Message {
  return {
    url,
    headers: { "content-type": "application/json; charset=utf-8", "user-agent": "Fanfare" },
    body: JSON.stringify(body),
  };
}

/** Slack's three control characters; without them no text can link or mention. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Discord formats what stands between these characters, and lines that begin with some. */
function escapeDiscord(text: string): string {
  return text.replace(/[\\*_~`|[\]<>]/g, "\\$&").replace(/^[#-]/gm, "\\$&");
}

/** Telegram notifies the user that is named behind an @. A word joiner, which is not seen, keeps the two apart. */
function withoutMentions(text: string): string {
  return text.replaceAll("@", "@\u2060");
}
