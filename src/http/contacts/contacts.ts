import type { FastifyInstance } from "fastify";
import {
  type ContactFields,
  createContactRequest,
  TOKEN_RULE,
  updateContactRequest,
} from "../../api-contract/contacts/contact-schemas.ts";
import { type ContactAddress, type ContactKind, TELEGRAM_API } from "../../api-contract/contacts/contact-words.ts";
import { serviceError } from "../../api-contract/errors.ts";
import { MISSING_HINT } from "../../api-contract/input/hints.ts";
import { changedAddress, changedPassword } from "../../api-contract/input/masked-values.ts";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import type { ContactChange, Contacts } from "../../control/contacts/contacts.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { sendContent } from "../answers/reply.ts";
import { orRefuse, orRefuseAfter, readJson } from "../answers/request.ts";
import { contactAnswer, contactTestAnswer } from "./contact-answer.ts";

type ContactParams = { readonly Params: { readonly contactId: string } };

const EVERY_CHANNEL: readonly string[] = [];

/** The chat rooms and mailboxes that are told what happens. */
export function addContactRoutes(api: FastifyInstance, contacts: Contacts): void {
  const one = "/events/contacts/:contactId";

  api.get("/events/contacts", async (_request, reply) =>
    sendContent(reply, (await contacts.list()).map(contactAnswer)),
  );

  api.post("/events/contacts", async (request, reply) => {
    const { contactName, contactKind, ...fields } = orRefuse(parseBody(createContactRequest, readJson(request)));
    const created = await contacts.create({
      name: contactName,
      address: newAddress(contactKind, fields),
      isEnabled: fields.enabled ?? true,
      events: fields.eventScope ?? "problems",
      channelIds: fields.channelIds ?? EVERY_CHANNEL,
      language: fields.language ?? "en",
    });
    return sendContent(reply, contactAnswer(created));
  });

  api.put<ContactParams>(one, async (request, reply) => {
    const { contactId } = request.params;
    const find = () => contacts.get(contactId);
    const fields = await orRefuseAfter(find, parseBody(updateContactRequest, readJson(request)));
    const { address } = await find();
    const change = changeOf({ ...fields, ...newSecrets(fields, address) });
    return sendContent(reply, contactAnswer(await contacts.update(contactId, change)));
  });

  api.delete<ContactParams>(one, async (request, reply) =>
    sendContent(reply, contactAnswer(await contacts.delete(request.params.contactId))),
  );

  api.post<ContactParams>(`${one}/test`, async (request, reply) =>
    sendContent(reply, contactTestAnswer(await contacts.test(request.params.contactId))),
  );
}

/** Throws RequestRefusedError where a field is missing that this kind needs. */
function newAddress(kind: ContactKind, fields: ContactFields): ContactAddress {
  switch (kind) {
    case "telegram":
      return {
        kind,
        botToken: needed("botToken", fields.botToken),
        chatId: needed("chatId", fields.chatId),
        apiUrl: withoutSlash(fields.apiUrl ?? TELEGRAM_API),
      };
    case "email":
      return { kind, to: needed("mailTo", fields.mailTo) };
    default:
      return { kind, url: needed("webhookUrl", fields.webhookUrl) };
  }
}

function needed<Value>(field: string, value: Value | null | undefined): Value {
  if (value != null) return value;
  const details = `${field}: expected for this kind of contact, got nothing.`;
  throw new RequestRefusedError(serviceError("NEED_VALUE", field, details, MISSING_HINT));
}

type Secrets = Pick<ContactFields, "webhookUrl" | "botToken" | "apiUrl">;

/**
 * The secrets that a change sets. One that equals what answers show was copied from an answer: the present one stays.
 * Throws RequestRefusedError for what shows another one, or none of this kind of contact.
 */
function newSecrets({ webhookUrl, botToken, apiUrl }: Secrets, present: ContactAddress): Secrets {
  const { url, botToken: presentToken, apiUrl: presentApi } = { url: "", botToken: "", apiUrl: "", ...present };
  return {
    webhookUrl: orRefuse(changedAddress("webhookUrl", webhookUrl, url)),
    botToken: orRefuse(changedPassword("botToken", botToken, presentToken, TOKEN_RULE)),
    apiUrl: orRefuse(changedAddress("apiUrl", apiUrl, presentApi)),
  };
}

function changeOf(fields: ContactFields): ContactChange {
  const { contactName, enabled, eventScope, channelIds, language, webhookUrl, botToken, chatId, apiUrl, mailTo } =
    fields;
  return {
    ...(contactName == null ? {} : { name: contactName }),
    ...(enabled == null ? {} : { isEnabled: enabled }),
    ...(eventScope == null ? {} : { events: eventScope }),
    ...(channelIds == null ? {} : { channelIds }),
    ...(language == null ? {} : { language }),
    address: {
      ...(webhookUrl == null ? {} : { url: webhookUrl }),
      ...(botToken == null ? {} : { botToken }),
      ...(chatId == null ? {} : { chatId }),
      ...(apiUrl == null ? {} : { apiUrl: withoutSlash(apiUrl) }),
      ...(mailTo == null ? {} : { to: mailTo }),
    },
  };
}

const withoutSlash = (url: string): string => (url.endsWith("/") ? url.slice(0, -1) : url);
