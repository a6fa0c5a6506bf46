import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, page } from "../../base/api.ts";
import type { Contact } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { formatDateTime } from "../../text/format.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { Icon } from "../basic/icon.tsx";
import { say } from "../basic/notice.tsx";
import { useReading } from "../lists/reading.ts";
import { ContactForm } from "./contact-form.tsx";

/** The chat rooms and mailboxes that are told what happens. */
export function Contacts() {
  const contacts = useSignal<readonly Contact[]>([]);
  const editing = useSignal<Contact | "new" | undefined>(undefined);
  const removing = useSignal<Contact | undefined>(undefined);
  const [readContacts] = useReading(
    () => page(api.GET("/events/contacts")),
    ({ items }) => (contacts.value = items),
  );
  // What was done is done, also where the list cannot be read again.
  const read = (): Promise<void> => readContacts().catch(sayProblem);
  useEffect(() => void read(), [returns.value]);
  const remove = async (): Promise<void> => {
    await api.DELETE("/events/contacts/{contactId}", {
      params: { path: { contactId: removing.value?.contactId ?? "" } },
    });
    await read();
  };
  const texts = panelTexts().contacts;
  return (
    <section class="panel" aria-labelledby="contacts-title">
      <div class="panel-head">
        <h2 id="contacts-title">{texts.title}</h2>
        <button type="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" /> {texts.add}
        </button>
      </div>
      <p class="quiet">{texts.help}</p>
      {contacts.value.length === 0 ? (
        <p class="quiet">{texts.none}</p>
      ) : (
        <div class="table-place">
          <table>
            <thead>
              <tr>
                <th scope="col">{texts.name}</th>
                <th scope="col">{texts.kind}</th>
                <th scope="col">{texts.state}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {contacts.value.map((contact) => (
                <tr key={contact.contactId}>
                  <th scope="row">{contact.contactName}</th>
                  <td data-label={texts.kind}>{texts.kinds[contact.contactKind]}</td>
                  <td data-label={texts.state}>{stateText(contact)}</td>
                  <td>
                    <div class="buttons row-end">
                      <Action run={() => test(contact)}>{texts.test}</Action>
                      <button type="button" onClick={() => (editing.value = contact)}>
                        {t().common.edit}
                      </button>
                      <button
                        type="button"
                        aria-label={`${t().common.delete}: ${contact.contactName}`}
                        onClick={() => (removing.value = contact)}
                      >
                        {t().common.delete}
                      </button>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editing.value !== undefined && (
        <ContactForm
          contact={editing.value === "new" ? undefined : editing.value}
          onSaved={read}
          onClose={() => (editing.value = undefined)}
        />
      )}
      {removing.value !== undefined && (
        <Confirm
          title={t().common.delete}
          text={texts.removeSure(removing.value.contactName)}
          run={remove}
          onClose={() => (removing.value = undefined)}
        />
      )}
    </section>
  );
}

async function test({ contactId }: Contact): Promise<void> {
  const { ok, lastStatus, lastProblem } = await content(
    api.POST("/events/contacts/{contactId}/test", { params: { path: { contactId } } }),
  );
  const { tested, testFailed } = panelTexts().contacts;
  if (ok) say(tested);
  else say(testFailed(whyText(lastProblem, lastStatus)), "bad");
}

function stateText({ enabled, lastSentTime, lastProblem, lastStatus }: Contact): string {
  const texts = panelTexts().contacts;
  if (!enabled) return texts.off;
  if (lastProblem !== undefined || lastStatus !== undefined) {
    return texts.failed(whyText(lastProblem, lastStatus));
  }
  return lastSentTime === undefined ? texts.never : formatDateTime(lastSentTime);
}

/** The reason with the code of the other side, where there is one. */
function whyText(problem: Contact["lastProblem"], status: number | undefined): string {
  if (problem === undefined) return `HTTP ${status}`;
  const text = { ...t().settings.deliveryProblems, ...panelTexts().contacts.problems }[problem] ?? problem;
  return status === undefined ? text : `${text} (${status})`;
}
