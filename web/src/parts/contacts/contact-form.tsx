import { type Signal, useSignal } from "@preact/signals";
import {
  CONTACT_EVENTS,
  CONTACT_KINDS,
  CONTACT_LANGUAGES,
  type ContactKind,
} from "../../../../src/api-contract/contacts/contact-words.ts";
import { api, type BodyOf } from "../../base/api.ts";
import type { Contact } from "../../base/model.ts";
import { allChannels } from "../../live/store.ts";
import { language, panelTexts, t } from "../../text/text.ts";
import { Dialog } from "../basic/dialog.tsx";
import { Field, type Fields, Form, SelectField, TextField } from "../basic/form.tsx";
import { say } from "../basic/notice.tsx";

type ContactFormOptions = {
  /** Absent: a new one. */
  readonly contact: Contact | undefined;
  readonly onSaved: () => Promise<void>;
  readonly onClose: () => void;
};

/** Adds or changes a contact. Secrets that are saved are not shown again; an empty field keeps them. */
export function ContactForm({ contact, onSaved, onClose }: ContactFormOptions) {
  const kind = useSignal<ContactKind>(contact?.contactKind ?? "slack");
  const chosen = useSignal<readonly string[]>(contact?.channelIds ?? []);
  const texts = panelTexts().contacts;
  const submit = async (field: Fields): Promise<void> => {
    const contactName = field("contactName").trim();
    const body: Omit<BodyOf<"updateContact">, "contactName"> = {
      ...addressOf(kind.value, field),
      eventScope: field("eventScope"),
      language: field("language"),
      channelIds: [...chosen.value],
      enabled: field("enabled") === "on",
    };
    if (contact === undefined) {
      await api.POST("/events/contacts", { body: { contactKind: kind.value, contactName, ...body } });
    } else {
      const params = { path: { contactId: contact.contactId } };
      await api.PUT("/events/contacts/{contactId}", { params, body: { contactName, ...body } });
    }
    await onSaved();
    say(t().common.saved);
  };
  return (
    <Dialog title={contact === undefined ? texts.add : texts.edit} onClose={onClose}>
      <Form submit={submit} button={t().common.save} onClose={onClose}>
        <TextField label={texts.name} name="contactName" value={contact?.contactName} isRequired />
        {contact === undefined && (
          <Field label={texts.kind} name="contactKind">
            {(ids) => (
              <select
                {...ids}
                name="contactKind"
                onChange={({ currentTarget }) => {
                  kind.value = CONTACT_KINDS.find((each) => each === currentTarget.value) ?? "slack";
                }}
              >
                {CONTACT_KINDS.map((each) => (
                  <option key={each} value={each} selected={each === kind.value}>
                    {texts.kinds[each]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <AddressFields kind={kind.value} contact={contact} />
        <SelectField
          label={texts.events}
          name="eventScope"
          value={contact?.eventScope ?? "problems"}
          options={CONTACT_EVENTS.map((scope) => [scope, texts.scopes[scope]])}
        />
        <SelectField
          label={texts.language}
          name="language"
          value={contact?.language ?? language.value}
          options={CONTACT_LANGUAGES.map((each) => [each, texts.languages[each]])}
        />
        <ChannelChoice chosen={chosen} />
        <label class="check">
          <input type="checkbox" name="enabled" defaultChecked={contact?.enabled !== false} />
          <span>{texts.enabled}</span>
        </label>
      </Form>
    </Dialog>
  );
}

/** The channels whose events are sent; none means all. A deleted channel stays in the list while it is chosen. */
function ChannelChoice({ chosen }: { readonly chosen: Signal<readonly string[]> }) {
  const texts = panelTexts().contacts;
  const there = allChannels.value.map(({ channel: { value } }) => [value.channelId, value.channelName] as const);
  const gone = chosen.value.filter((id) => !there.some(([channelId]) => channelId === id));
  return (
    <fieldset class="field-group">
      <legend>{texts.channels}</legend>
      <p class="help">{texts.channelsHelp}</p>
      <div class="alert-choices">
        {[...there, ...gone.map((id) => [id, texts.goneChannel] as const)].map(([channelId, name]) => (
          <label key={channelId} class="check">
            <input
              type="checkbox"
              checked={chosen.value.includes(channelId)}
              onChange={({ currentTarget: { checked } }) => {
                const others = chosen.value.filter((id) => id !== channelId);
                chosen.value = checked ? [...others, channelId] : others;
              }}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function AddressFields({ kind, contact }: { readonly kind: ContactKind; readonly contact: Contact | undefined }) {
  const texts = panelTexts().contacts;
  const isNew = contact === undefined;
  const kept = isNew ? {} : { help: texts.secretStays };
  if (kind === "email") {
    const value = contact?.mailTo?.join("\n");
    return <TextField label={texts.mailTo} name="mailTo" value={value} help={texts.mailHelp} rows={2} isRequired />;
  }
  if (kind === "telegram") {
    return (
      <>
        <TextField label={texts.botToken} name="botToken" {...kept} isRequired={isNew} />
        <TextField label={texts.chatId} name="chatId" value={contact?.chatId} isRequired />
      </>
    );
  }
  const input = { inputMode: "url", placeholder: contact?.webhookUrl ?? "https://" } as const;
  return <TextField label={texts.webhookUrl} name="webhookUrl" {...kept} isRequired={isNew} input={input} />;
}

function addressOf(kind: ContactKind, field: Fields): BodyOf<"updateContact"> {
  if (kind === "email") return { mailTo: listOf(field("mailTo")) };
  const secret = (name: "botToken" | "webhookUrl") => {
    const text = field(name).trim();
    return text === "" ? {} : { [name]: text };
  };
  return kind === "telegram" ? { ...secret("botToken"), chatId: field("chatId").trim() } : secret("webhookUrl");
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((each) => each !== "");
}
