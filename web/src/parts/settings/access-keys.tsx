import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { AccessKey, NewAccessKey } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { formatDateTime } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { CopyField } from "../basic/copy.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { checkShortText } from "../basic/field-checks.ts";
import { type Fields, Form, optionalLabel, SelectField, TextField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { useReading } from "../lists/reading.ts";

const ROLES = ["manager", "viewer"] as const;

/** The access keys of API clients. */
export function AccessKeys() {
  const keys = useSignal<readonly AccessKey[]>([]);
  const isCreating = useSignal(false);
  const removing = useSignal<string | undefined>(undefined);
  const [readKeys] = useReading(
    () => page(api.GET("/access-keys")),
    ({ items }) => (keys.value = items),
  );
  // What was done is done, also where the list cannot be read again.
  const read = (): Promise<void> => readKeys().catch(sayProblem);
  useEffect(() => void read(), [returns.value]);
  const remove = async (): Promise<void> => {
    await api.DELETE("/access-keys/{accessKey}", { params: { path: { accessKey: removing.value ?? "" } } });
    await read();
  };
  return (
    <section class="panel" aria-labelledby="keys-title">
      <div class="panel-head">
        <h2 id="keys-title">{t().settings.keys}</h2>
        <button type="button" onClick={() => (isCreating.value = true)}>
          <Icon name="plus" /> {t().settings.newKey}
        </button>
      </div>
      <p class="quiet">
        {t().settings.keysHelp} <a href={at("/docs")}>{t().settings.apiDocs}</a>
      </p>
      <div class="table-place">
        <table>
          <thead>
            <tr>
              <th scope="col">{t().settings.accessKey}</th>
              <th scope="col">{t().settings.keyName}</th>
              <th scope="col">{t().settings.role}</th>
              <th scope="col">{t().settings.created}</th>
              <th scope="col">{t().settings.lastUsed}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {keys.value.map(({ accessKey, name, role, createdTime, lastUsedTime }) => (
              <tr key={accessKey}>
                <th scope="row">
                  <code>{accessKey}</code>
                </th>
                <td data-label={t().settings.keyName}>{name ?? "–"}</td>
                <td data-label={t().settings.role}>{t().settings.roles[role]}</td>
                <td data-label={t().settings.created}>{formatDateTime(createdTime)}</td>
                <td data-label={t().settings.lastUsed}>
                  {lastUsedTime === undefined ? t().settings.never : formatDateTime(lastUsedTime)}
                </td>
                <td>
                  <button
                    type="button"
                    aria-label={`${t().common.delete}: ${accessKey}`}
                    onClick={() => (removing.value = accessKey)}
                  >
                    {t().common.delete}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isCreating.value && <NewKey onCreated={read} onClose={() => (isCreating.value = false)} />}
      {removing.value !== undefined && (
        <Confirm
          title={t().common.delete}
          text={t().settings.deleteKeySure(removing.value)}
          run={remove}
          onClose={() => (removing.value = undefined)}
        />
      )}
    </section>
  );
}

type NewKeyOptions = { readonly onCreated: () => Promise<void>; readonly onClose: () => void };

function NewKey({ onCreated, onClose }: NewKeyOptions) {
  const created = useSignal<NewAccessKey | undefined>(undefined);
  const submit = async (field: Fields): Promise<void> => {
    const name = field("name").trim();
    const body = { role: field<(typeof ROLES)[number]>("role"), ...(name === "" ? {} : { name }) };
    created.value = await content(api.POST("/access-keys", { body }));
    await onCreated();
  };
  return (
    <Dialog title={t().settings.newKey} onClose={onClose}>
      {created.value === undefined ? (
        <Form submit={submit} button={t().common.create} onClose={onClose}>
          <TextField label={optionalLabel(t().settings.keyName)} name="name" check={checkShortText} />
          <SelectField
            label={t().settings.role}
            name="role"
            value="manager"
            options={ROLES.map((role) => [role, t().settings.roles[role]])}
          />
        </Form>
      ) : (
        <>
          <p>{t().settings.keyShown}</p>
          <CopyField label={t().settings.accessKey} value={created.value.accessKey} />
          <CopyField label={t().settings.secretKey} value={created.value.secretKey} isSecret />
        </>
      )}
    </Dialog>
  );
}
