import { z } from "zod";
import { createContactRequest } from "../../../api-contract/contacts/contact-schemas.ts";
import { maskAddress, maskPassword } from "../../../api-contract/masks.ts";
import { ConfigError } from "../../../app/config/config-error.ts";
import type { components } from "../../../client/api-types.ts";
import type { FanfareClient } from "../../../client/client.ts";
import { allChannels, type Channel } from "../channels.ts";
import { ApiFailure, contentOf, EXIT } from "../exit-codes.ts";
import { changesOf, changesText, type FieldChange, picked } from "./apply-changes.ts";

export type PresentContact = components["schemas"]["Contact"];

/** How the server shows what may be a secret. */
const SHOWN = { webhookUrl: maskAddress, botToken: maskPassword, apiUrl: maskAddress } as const;
type SecretName = keyof typeof SHOWN;
const SECRET_NAMES = Object.keys(SHOWN) as readonly SecretName[];
/** What `SHOWN` writes in place of a secret. No address that is whole has it. */
const MASKED = /[*…]/;

const CHANNELS_RULE = "a list of names or ids of channels";
const contactFields = createContactRequest.omit({ channelIds: true }).extend({
  channels: z.array(z.string({ error: CHANNELS_RULE }), { error: CHANNELS_RULE }).nullish(),
});

/**
 * A contact as a file wants it: the body of the call that creates one, with its channels by their names. A secret may be
 * as the server shows it (`shown`): then it stays what it is.
 */
export const wantedContact = z.record(z.string(), z.unknown()).transform((given, context) => {
  const isShown = ([name, value]: readonly [string, unknown]) =>
    SECRET_NAMES.some((secret) => secret === name) && typeof value === "string" && MASKED.test(value);
  const entries = Object.entries(given);
  const result = contactFields.safeParse(Object.fromEntries(entries.filter((entry) => !isShown(entry))));
  const shown: Partial<Record<SecretName, string>> = Object.fromEntries(entries.filter(isShown));
  if (result.success) return { ...result.data, shown };
  for (const { path, message } of result.error.issues)
    context.issues.push({ code: "custom", path, message, input: given });
  return z.NEVER;
});
export type WantedContact = z.output<typeof wantedContact>;

export type ContactStep =
  | { readonly kind: "create-contact"; readonly wanted: WantedContact }
  | {
      readonly kind: "change-contact";
      readonly contact: PresentContact;
      readonly wanted: WantedContact;
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: "remove-contact"; readonly contact: PresentContact };

/** The fields beside name and kind, by which a contact is known. */
const FIELDS = [...SECRET_NAMES, "chatId", "mailTo", "eventScope", "channels", "language", "enabled"] as const;

/**
 * The steps from the server's contacts to those that a file wants; none where the file has no list of them. A secret
 * that the server shows the same is the same. Throws ConfigError where a secret is masked and not known.
 */
export function contactSteps(
  wanted: readonly WantedContact[] | null | undefined,
  present: readonly PresentContact[],
  channels: readonly Channel[],
  isPruning: boolean,
): readonly ContactStep[] {
  if (wanted == null) return [];
  const left = [...present];
  const steps = wanted.flatMap((one): readonly ContactStep[] => {
    const index = left.findIndex(
      ({ contactName, contactKind }) => contactName === one.contactName && contactKind === one.contactKind,
    );
    const [contact] = index < 0 ? [] : left.splice(index, 1);
    for (const name of SECRET_NAMES) {
      const shown = one.shown[name];
      if (shown === undefined || shown === contact?.[name]) continue;
      throw new ConfigError(`contact ${one.contactName}: ${name} must be written in full, not as ${shown}.`);
    }
    if (contact === undefined) return [{ kind: "create-contact", wanted: one }];
    const changes = changesOf(FIELDS, comparable(one, channels), { ...contact, channels: namesOf(contact, channels) });
    return changes.length === 0 ? [] : [{ kind: "change-contact", contact, wanted: one, changes }];
  });
  const unwanted = isPruning ? left : [];
  return [...steps, ...unwanted.map((contact) => ({ kind: "remove-contact", contact }) as const)];
}

/** What is wanted as the server would show it. */
function comparable(wanted: WantedContact, channels: readonly Channel[]): object {
  const secrets = SECRET_NAMES.flatMap((name) => {
    const value = wanted[name];
    return value == null ? [] : [[name, SHOWN[name](name === "apiUrl" ? value.replace(/\/$/, "") : value)] as const];
  });
  const named = wanted.channels?.map((word) => nameOf(word, channels)).toSorted();
  return { ...wanted, ...Object.fromEntries(secrets), ...(named === undefined ? {} : { channels: named }) };
}

/** The names of a contact's channels, in order; the id of one whose name another channel has too. */
function namesOf({ channelIds }: PresentContact, channels: readonly Channel[]): readonly string[] {
  return channelIds.map((channelId) => nameOf(channelId, channels)).toSorted();
}

function nameOf(word: string, channels: readonly Channel[]): string {
  const name = channels.find(({ channelId }) => channelId === word)?.channelName ?? word;
  return channels.filter(({ channelName }) => channelName === name).length === 1 ? name : word;
}

export async function takeContactStep(client: FanfareClient, step: ContactStep): Promise<void> {
  if (step.kind === "remove-contact") {
    const path = { contactId: step.contact.contactId };
    await contentOf(client.DELETE("/events/contacts/{contactId}", { params: { path } }));
    return;
  }
  const { shown: _shown, channels: words, ...fields } = step.wanted;
  const changed = step.kind === "create-contact" ? undefined : new Set(step.changes.map(({ field }) => field));
  const isMeant = (field: string) => changed?.has(field) ?? true;
  // Asked now: the file may have made the channel. A channel that is gone has no id to send.
  const ids = words == null || !isMeant("channels") ? {} : { channelIds: idsOf(words, await allChannels(client)) };
  const body = { ...Object.fromEntries(Object.entries(fields).filter(([field]) => isMeant(field))), ...ids };
  if (step.kind === "create-contact") {
    await contentOf(client.POST("/events/contacts", { body: body as never }));
    return;
  }
  const path = { contactId: step.contact.contactId };
  await contentOf(client.PUT("/events/contacts/{contactId}", { params: { path }, body: body as never }));
}

function idsOf(words: readonly string[], channels: readonly Channel[]): readonly string[] {
  return words.map((word) => {
    if (channels.some(({ channelId }) => channelId === word)) return word;
    const [channel, other] = channels.filter(({ channelName }) => channelName === word);
    if (channel !== undefined && other === undefined) return channel.channelId;
    const problem = channel === undefined ? "there is no channel" : "several channels are";
    throw new ApiFailure(EXIT.notFound, `${problem} named ${JSON.stringify(word)}.`);
  });
}

/** A contact as `fanfare export` writes it. */
export function exportedContact(contact: PresentContact, channels: readonly Channel[]): object {
  return picked({ ...contact, channels: namesOf(contact, channels) }, ["contactName", "contactKind", ...FIELDS]);
}

/** One step as a line for people. */
export function contactStepText(step: ContactStep): string {
  switch (step.kind) {
    case "create-contact":
      return `+ contact ${step.wanted.contactName} (${step.wanted.contactKind})`;
    case "change-contact":
      return `~ contact ${step.contact.contactName}: ${changesText(step.changes)}`;
    case "remove-contact":
      return `- contact ${step.contact.contactName}`;
  }
}
