import { auditActor, auditSentence } from "../../api-contract/audit/audit-words.ts";
import { enAuditWords } from "../../api-contract/audit/en-audit-words.ts";
import type { AuditAnswer } from "../../api-contract/schemas/event-answer-schemas.ts";
import { tableMoments } from "../../api-contract/words/file-name.ts";
import type { AuditRecord, AuditValue, FieldChange } from "../../control/audit/audit.ts";
import { csvTable } from "../answers/report-files.ts";

/** One record of the audit. */
export function auditAnswer(record: AuditRecord): AuditAnswer {
  const { auditId, time, targetId, changes, ...rest } = record;
  return {
    ...{ id: auditId, timestamp: time, description: auditSentence(record) },
    ...rest,
    ...(targetId === undefined ? {} : { platId: targetId }),
    changes: changes.map(({ field, before, after }) => ({
      field,
      ...(before === undefined ? {} : { before: valueText(before) }),
      ...(after === undefined ? {} : { after: valueText(after) }),
    })),
  };
}

function valueText(value: AuditValue): string | number | boolean | string[] {
  return typeof value === "object" ? [...value] : value;
}

const COLUMNS = ["action", "what", "channelId", "channelName", "platId", "subject", "who", "actor", "actorId"] as const;
const MORE_COLUMNS = ["client", "remoteAddress", "userAgent", "changes", "traceId"] as const;

/** Records as a table with times in this zone. */
export function auditCsv(records: readonly AuditRecord[], timeZone: string): string {
  const moment = tableMoments(timeZone);
  const rows = records.map((record) => [
    moment(record.time),
    record.action,
    enAuditWords.actions[record.action] ?? record.action,
    record.channelId ?? "",
    record.channelName ?? "",
    String(record.targetId ?? ""),
    record.subject ?? "",
    auditActor(record, enAuditWords),
    record.actor,
    record.actorId ?? "",
    record.client,
    record.remoteAddress ?? "",
    record.userAgent ?? "",
    record.changes.map(changeText).join("; "),
    record.traceId,
  ]);
  return csvTable([[`time (${timeZone})`, ...COLUMNS, ...MORE_COLUMNS], ...rows]);
}

function changeText({ field, before, after }: FieldChange): string {
  const value = (of: AuditValue | undefined) => (of === undefined ? "–" : JSON.stringify(of));
  return `${field}: ${value(before)} → ${value(after)}`;
}
