import { koAuditWords } from "../../../../src/api-contract/audit/ko-audit-words.ts";
import type { enAudit } from "../panels-en/audit.ts";

export const koAudit: typeof enAudit = {
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
  ...koAuditWords,
};
