import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { AuditRecord } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { merged, readAll } from "../lists/pages.ts";
import { saveAs, saveJson } from "../lists/save-file.ts";
import { AuditFilters } from "./audit-filters.tsx";
import { type Filter, NO_FILTER, queryOf } from "./audit-query.ts";
import { AuditTable } from "./audit-table.tsx";

const PAGE_SIZE = 50;
/** How many pages an export reads at most. */
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
    read(1).catch(sayProblem);
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
          <Action run={async () => saveAs(at(csv), "audit.csv")}>{texts.export("CSV")}</Action>
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

/** Downloads all records that pass, as the API returns them. */
const exportJson = async (filter: Filter): Promise<void> =>
  saveJson(await readAll((...of) => readPage(filter, ...of), EXPORT_PAGES_MAX), "audit.json");
