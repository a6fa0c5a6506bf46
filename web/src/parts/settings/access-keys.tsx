import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, list } from "../../base/api.ts";
import type { AccessKey, NewAccessKey } from "../../base/model.ts";
import { formatDateTime } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { CopyField } from "../basic/copy.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { type Fields, Form, optionalLabel, SelectField, TextField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { say } from "../basic/notice.tsx";

const ROLES = ["manager", "viewer"] as const;

/** Who may use the API. */
export function AccessKeys() {
  const keys = useSignal<readonly AccessKey[]>([]);
  const isCreating = useSignal(false);
  const leaving = useSignal<string | undefined>(undefined);
  const read = async (): Promise<void> => {
    keys.value = (await list<AccessKey>("/access-keys")).items;
  };
  useEffect(() => {
    read().catch((error: unknown) => say(problemText(error), "bad"));
  }, []);
  const remove = async (): Promise<void> => {
    await call("DELETE", `/access-keys/${encodeURIComponent(leaving.value ?? "")}`);
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
      <p class="quiet">{t().settings.keysHelp}</p>
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
                    aria-label={`${t().common.remove}: ${accessKey}`}
                    onClick={() => (leaving.value = accessKey)}
                  >
                    {t().common.remove}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isCreating.value && <NewKey onMade={read} onClose={() => (isCreating.value = false)} />}
      {leaving.value !== undefined && (
        <Confirm
          title={t().common.remove}
          text={t().settings.deleteKeySure(leaving.value)}
          run={remove}
          onClose={() => (leaving.value = undefined)}
        />
      )}
    </section>
  );
}

type NewKeyOptions = { readonly onMade: () => Promise<void>; readonly onClose: () => void };

function NewKey({ onMade, onClose }: NewKeyOptions) {
  const made = useSignal<NewAccessKey | undefined>(undefined);
  const submit = async (field: Fields): Promise<void> => {
    const name = field("name").trim();
    const body = { role: field("role"), ...(name === "" ? {} : { name }) };
    made.value = await call<NewAccessKey>("POST", "/access-keys", body);
    await onMade();
  };
  return (
    <Dialog title={t().settings.newKey} onClose={onClose}>
      {made.value === undefined ? (
        <Form submit={submit} button={t().common.create} onCancel={onClose}>
          <TextField label={optionalLabel(t().settings.keyName)} name="name" input={{ maxLength: 40 }} />
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
          <CopyField label={t().settings.accessKey} value={made.value.accessKey} />
          <CopyField label={t().settings.secretKey} value={made.value.secretKey} />
        </>
      )}
    </Dialog>
  );
}
