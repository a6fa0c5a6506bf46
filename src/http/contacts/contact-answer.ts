import type { ContactAnswer } from "../../api-contract/contacts/contact-answer-schemas.ts";
import type { ContactAddress } from "../../api-contract/contacts/contact-words.ts";
import { maskAddress, maskPassword } from "../../api-contract/masks.ts";
import type { ContactResult, ContactState } from "../../control/contacts/contact.ts";

/** A contact as answers show it: nobody needs to read the secrets of its address again. */
export function contactAnswer(contact: ContactState): ContactAnswer {
  const { lastSentTime, lastStatus, lastProblem, nextTime } = contact;
  return {
    contactId: contact.contactId,
    contactName: contact.name,
    contactKind: contact.address.kind,
    ...addressAnswer(contact.address),
    eventScope: contact.events,
    channelIds: [...contact.channelIds],
    language: contact.language,
    enabled: contact.isEnabled,
    createdTime: contact.createdTime,
    updateTime: contact.updateTime,
    ...(lastSentTime === undefined ? {} : { lastSentTime }),
    ...(lastStatus === undefined ? {} : { lastStatus }),
    ...(lastProblem === undefined ? {} : { lastProblem }),
    waitingCount: contact.waitingCount,
    ...(nextTime === undefined ? {} : { nextTime }),
  };
}

export function contactTestAnswer({ status, problem, durationMs }: ContactResult & { readonly durationMs: number }) {
  return {
    ok: problem === undefined && status >= 200 && status <= 299,
    ...(status === undefined ? {} : { lastStatus: status }),
    ...(problem === undefined ? {} : { lastProblem: problem }),
    milliseconds: Math.round(durationMs),
  };
}

function addressAnswer(address: ContactAddress) {
  switch (address.kind) {
    case "email":
      return { mailTo: [...address.to] };
    case "telegram":
      return { botToken: maskPassword(address.botToken), chatId: address.chatId, apiUrl: maskAddress(address.apiUrl) };
    default:
      return { webhookUrl: maskAddress(address.url) };
  }
}
