import { AUDIT_WORDS, type AuditWords } from "../../../../src/api-contract/audit/audit-words.ts";
import { language } from "../../text/text.ts";

const en = {
  help: "Who changed what, from where, with the values before and after. Keys and passwords are never kept.",
  none: "No changes recorded.",
  channel: "Channel",
  allChannels: "All channels",
  action: "Change",
  allActions: "All changes",
  actor: "Who",
  allActors: "Everyone",
  from: "From day",
  to: "To day",
  secret: "secret",
  notSet: "not set",
  older: "Show older changes",
  export: (format: string) => `Export ${format}`,
};

const ko: typeof en = {
  help: "누가 어디서 무엇을 바꿨는지, 이전 값과 새 값을 함께 보여줍니다. 키와 비밀번호는 저장하지 않습니다.",
  none: "기록된 변경이 없습니다.",
  channel: "채널",
  allChannels: "모든 채널",
  action: "변경",
  allActions: "모든 변경",
  actor: "변경한 사람",
  allActors: "모두",
  from: "시작일",
  to: "종료일",
  secret: "비밀 값",
  notSet: "설정 안 함",
  older: "이전 변경 더 보기",
  export: (format) => `${format} 내보내기`,
};

/** The texts of the page in the current language. They are loaded with it. */
export const words = (): typeof en & AuditWords =>
  language.value === "ko" ? { ...ko, ...AUDIT_WORDS.ko } : { ...en, ...AUDIT_WORDS.en };
