import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { list } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { AuditRecord } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { say } from "../basic/notice.tsx";
import { AuditFilters, type Filter, NO_FILTER, queryOf } from "./audit-filters.tsx";
import { AuditTable } from "./audit-table.tsx";

const PAGE_SIZE = 50;
/** The longest pages of the API, and how many are exported at most. */
const EXPORT_PAGE_SIZE = 100;
const EXPORT_PAGES_MAX = 100;

/** Who changed what on this server: newest first, filtered, exported. */
export function AuditPage() {
  const records = useSignal<readonly AuditRecord[]>([]);
  const total = useSignal(0);
  const filter = useSignal<Filter>(NO_FILTER);
  const read = async (pageNo: number): Promise<void> => {
    const query = queryOf(filter.peek());
    const page = await list(`/audit?pageNo=${pageNo}&pageSizeNo=${PAGE_SIZE}${query}`);
    // Another filter was chosen meanwhile.
    if (query !== queryOf(filter.peek())) return;
    records.value = pageNo === 1 ? page.items : merged(records.value, page.items);
    total.value = page.total;
  };
  useEffect(() => {
    read(1).catch((error: unknown) => say(problemText(error), "bad"));
  }, [filter.value, returns.value]);
  const texts = panelTexts().audit;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const csv = `/api/v2/audit?format=csv&timeZone=${encodeURIComponent(timeZone)}${queryOf(filter.value)}`;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>{t().app.audit}</h1>
        <div class="page-actions">
          <Action run={() => exportJson(filter.peek())}>{texts.export("JSON")}</Action>
          <Action run={async () => save(at(csv), "audit.csv")}>{texts.export("CSV")}</Action>
        </div>
      </div>
      <section class="panel" aria-label={t().app.audit}>
        <p class="quiet">{texts.help}</p>
        <AuditFilters filter={filter} />
        {records.value.length === 0 ? <p class="quiet">{texts.none}</p> : <AuditTable records={records.value} />}
        {records.value.length < total.value && (
          <Action run={() => read(Math.floor(records.value.length / PAGE_SIZE) + 1)}>{texts.older}</Action>
        )}
      </section>
    </>
  );
}

/** Merges two lists, newest first, each record once. */
function merged(one: readonly AuditRecord[], other: readonly AuditRecord[]): readonly AuditRecord[] {
  return [...new Map([...one, ...other].map((record) => [record.id, record])).values()].sort((a, b) => b.id - a.id);
}

/** Downloads all records that pass, as the API returns them. */
async function exportJson(filter: Filter): Promise<void> {
  let all: readonly AuditRecord[] = [];
  for (let pageNo = 1; pageNo <= EXPORT_PAGES_MAX; pageNo += 1) {
    const path = `/audit?pageNo=${pageNo}&pageSizeNo=${EXPORT_PAGE_SIZE}${queryOf(filter)}` as const;
    const { items, total } = await list(path);
    all = merged(all, items);
    if (items.length < EXPORT_PAGE_SIZE || all.length >= total) break;
  }
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(all, null, 2)}\n`], { type: "application/json" }));
  save(url, "audit.json");
  URL.revokeObjectURL(url);
}

function save(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
