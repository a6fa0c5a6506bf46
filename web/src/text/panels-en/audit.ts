import { enAuditWords } from "../../../../src/api-contract/audit/en-audit-words.ts";

export const enAudit = {
  help: "Who changed what, from where, with the values before and after. Keys and passwords are never kept.",
  none: "No changes recorded.",
  channel: "Channel",
  allChannels: "All channels",
  action: "Change",
  allActions: "All changes",
  actor: "Who",
  allActors: "Everyone",
  from: "From",
  to: "To",
  secret: "secret",
  notSet: "not set",
  older: "Show older changes",
  export: (format: string) => `Export ${format}`,
  ...enAuditWords,
};
