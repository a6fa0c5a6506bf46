import { AUDIT_SECRET } from "../../../../src/api-contract/audit/audit-actions.ts";
import { auditActor } from "../../../../src/api-contract/audit/audit-words.ts";
import { at } from "../../base/base-path.ts";
import type { AuditRecord } from "../../base/model.ts";
import { liveChannel } from "../../live/store.ts";
import { formatDateTime } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";

type FieldChange = AuditRecord["changes"][number];
type Value = NonNullable<FieldChange["before"]>;

/** Changed settings of one record that are shown at first. */
const CHANGES_SHOWN = 4;

/** The records as a table. */
export function AuditTable({ records }: { readonly records: readonly AuditRecord[] }) {
  const { heads } = panelTexts().audit;
  return (
    <div class="table-place">
      <table>
        <thead>
          <tr>
            {[heads.time, heads.action, heads.subject, heads.changes, heads.actor, heads.from].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <Row key={record.id} record={record} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ record }: { readonly record: AuditRecord }) {
  const texts = panelTexts().audit;
  const { timestamp, action, changes, client, remoteAddress, userAgent } = record;
  return (
    <tr>
      <td data-label={texts.heads.time}>
        <time dateTime={new Date(timestamp).toISOString()}>{formatDateTime(timestamp)}</time>
      </td>
      <th scope="row">{texts.actions[action] ?? action}</th>
      <td data-label={texts.heads.subject}>
        <Subject record={record} />
      </td>
      <td data-label={texts.heads.changes}>
        <Changes changes={changes} />
      </td>
      <td data-label={texts.heads.actor}>{auditActor(record, texts)}</td>
      <td data-label={texts.heads.from} title={userAgent}>
        {texts.clients[client] ?? client} <span class="quiet">{remoteAddress}</span>
      </td>
    </tr>
  );
}

function Subject({ record: { channelId, channelName, platId, subject } }: { readonly record: AuditRecord }) {
  const name = channelName ?? channelId;
  const isThere = channelId !== undefined && liveChannel(channelId) !== undefined;
  return (
    <>
      {isThere ? <a href={at(`/channels/${channelId}`)}>{name}</a> : name}
      {platId !== undefined && <span class="quiet"> #{platId}</span>}
      {subject !== undefined && <code> {subject}</code>}
      {name === undefined && subject === undefined && "–"}
    </>
  );
}

function Changes({ changes }: { readonly changes: readonly FieldChange[] }) {
  if (changes.length === 0) return <>–</>;
  const [first, rest] = [changes.slice(0, CHANGES_SHOWN), changes.slice(CHANGES_SHOWN)];
  return (
    <div>
      <ChangeList changes={first} />
      {rest.length > 0 && (
        <details>
          <summary>+{rest.length}</summary>
          <ChangeList changes={rest} />
        </details>
      )}
    </div>
  );
}

function ChangeList({ changes }: { readonly changes: readonly FieldChange[] }) {
  return (
    <ul>
      {changes.map(({ field, before, after }) => (
        <li key={field}>
          <code>{field.replace(/^platforms\[(\d+)\]\./, "#$1 ")}</code>:{" "}
          {before === undefined ? "" : `${valueText(before)} → `}
          {valueText(after)}
        </li>
      ))}
    </ul>
  );
}

function valueText(value: Value | undefined): string {
  const { secret, notSet } = panelTexts().audit;
  if (value === undefined) return notSet;
  if (value === AUDIT_SECRET) return secret;
  const text = typeof value === "object" ? value.join(", ") : String(value);
  return text === "" ? notSet : text;
}
