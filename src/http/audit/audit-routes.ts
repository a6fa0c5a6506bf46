import type { FastifyInstance } from "fastify";
import { auditQuery } from "../../api-contract/schemas/event-schemas.ts";
import { parseQuery } from "../../api-contract/schemas/field-errors.ts";
import type { AuditFilter, AuditRecord, AuditStore } from "../../control/audit/audit.ts";
import { answerHeaders, sendContent } from "../answers/reply.ts";
import { orRefuse } from "../answers/request.ts";
import { auditAnswer, auditCsv } from "./audit-answer.ts";

/** Records of one file, and of one read from the database. */
const FILE_RECORDS_MAX = 10_000;
const READ_RECORDS = 500;

/** The audit, for managers: who changed what. */
export function addAuditRoutes(api: FastifyInstance, store: Pick<AuditStore, "listAudit">): void {
  api.get("/audit", { config: { isManagersOnly: true } }, async (request, reply) => {
    const query = orRefuse(parseQuery(auditQuery, request.query));
    const { pageNo, pageSizeNo, format, timeZone = "UTC", fromTime, toTime, channelId, actor, action } = query;
    const filter: AuditFilter = {
      ...(channelId === undefined ? {} : { channelId }),
      ...(actor === undefined ? {} : { actor: actor === "dashboard" ? "session" : actor }),
      ...(action === undefined ? {} : { action }),
      ...(fromTime === undefined ? {} : { from: fromTime }),
      ...(toTime === undefined ? {} : { to: toTime }),
    };
    if (format === "csv") {
      return reply
        .headers({ ...answerHeaders(request.id), "content-type": "text/csv;charset=utf-8" })
        .header("content-disposition", 'attachment; filename="audit.csv"')
        .send(auditCsv(await readAll(store, filter), timeZone));
    }
    const found = await store.listAudit(filter, { number: pageNo, size: pageSizeNo });
    return sendContent(reply, found.records.map(auditAnswer), found.total);
  });
}

/** The newest records that pass. */
async function readAll(store: Pick<AuditStore, "listAudit">, filter: AuditFilter): Promise<readonly AuditRecord[]> {
  // By their ids: what is recorded meanwhile moves others to the next page.
  const records = new Map<number, AuditRecord>();
  for (let number = 1; records.size < FILE_RECORDS_MAX; number += 1) {
    const page = await store.listAudit(filter, { number, size: READ_RECORDS });
    for (const record of page.records) records.set(record.auditId, record);
    if (page.records.length < READ_RECORDS) break;
  }
  return [...records.values()].slice(0, FILE_RECORDS_MAX);
}
