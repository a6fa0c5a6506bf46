import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { AuditRecord } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { say } from "../basic/notice.tsx";
import { AuditFilters } from "./audit-filters.tsx";
import { type Filter, NO_FILTER, queryOf } from "./audit-query.ts";
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
    const asked = filter.peek();
    const found = await readPage(asked, pageNo, PAGE_SIZE);
    // Another filter was chosen meanwhile.
    if (asked !== filter.peek()) return;
    records.value = pageNo === 1 ? found.items : merged(records.value, found.items);
    total.value = found.total;
  };
  useEffect(() => {
    read(1).catch((error: unknown) => say(problemText(error), "bad"));
  }, [filter.value, returns.value]);
  const texts = panelTexts().audit;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const query = Object.entries({ format: "csv", timeZone, ...queryOf(filter.value) });
  const csv = `/api/v2/audit?${new URLSearchParams(query.map(([name, value]) => [name, String(value)]))}`;
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

const readPage = (filter: Filter, pageNo: number, pageSizeNo: number) =>
  page(api.GET("/audit", { params: { query: { pageNo, pageSizeNo, ...queryOf(filter) } } }));

/** Merges two lists, newest first, each record once. */
function merged(one: readonly AuditRecord[], other: readonly AuditRecord[]): readonly AuditRecord[] {
  return [...new Map([...one, ...other].map((record) => [record.id, record])).values()].sort((a, b) => b.id - a.id);
}

/** Downloads all records that pass, as the API returns them. */
async function exportJson(filter: Filter): Promise<void> {
  let all: readonly AuditRecord[] = [];
  for (let pageNo = 1; pageNo <= EXPORT_PAGES_MAX; pageNo += 1) {
    const { items, total } = await readPage(filter, pageNo, EXPORT_PAGE_SIZE);
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
