import type { AuditAction, AuditActorKind, AuditClient } from "./audit-actions.ts";

/** The words of the audit in one language. */
export type AuditWords = {
  readonly actions: Readonly<Record<AuditAction, string>>;
  readonly actors: Readonly<Record<AuditActorKind, string>>;
  readonly clients: Readonly<Record<AuditClient, string>>;
  /** The headings of the table. */
  readonly heads: {
    readonly time: string;
    readonly action: string;
    readonly subject: string;
    readonly changes: string;
    readonly actor: string;
    readonly from: string;
  };
};

const en: AuditWords = {
  actions: {
    createChannel: "Channel created",
    updateChannel: "Channel settings changed",
    deleteChannel: "Channel deleted",
    switchChannelOn: "Channel enabled",
    switchChannelOff: "Channel disabled",
    endChannel: "Broadcast ended",
    extendHold: "Hold extended",
    endHold: "Hold ended",
    renewStreamKey: "Stream key replaced",
    startTestPattern: "Test pattern started",
    stopTestPattern: "Test pattern stopped",
    setChannelCallback: "Channel webhook changed",
    testChannelCallback: "Channel webhook tested",
    addPlatform: "Platform added",
    editPlatform: "Platform changed",
    removePlatform: "Platform removed",
    onPlatform: "Platform turned on",
    offPlatform: "Platform turned off",
    retryPlatform: "Platform retried",
    cutPlatformDelay: "Waiting stream of a delayed platform discarded",
    testPlatform: "Platform tested",
    setSource: "Source changed",
    clearSource: "Source removed",
    startSource: "Source started",
    stopSource: "Source stopped",
    setSlate: "Slate changed",
    clearSlate: "Slate removed",
    createSchedule: "Schedule created",
    updateSchedule: "Schedule changed",
    deleteSchedule: "Schedule deleted",
    closeCurtain: "Curtain closed",
    openCurtain: "Curtain opened",
    deleteRecording: "Recording deleted",
    createMediaFile: "File uploaded",
    deleteMediaFile: "File deleted",
    setDefaultCallback: "Default webhook changed",
    testDefaultCallback: "Default webhook tested",
    resendDelivery: "Webhook sent again",
    createContact: "Contact added",
    updateContact: "Contact changed",
    deleteContact: "Contact removed",
    testContact: "Contact tested",
    createAccessKey: "Access key created",
    deleteAccessKey: "Access key deleted",
    drainNode: "Server drained",
    moveNodeChannels: "Broadcasts moved to other servers",
    setUpDashboard: "Dashboard password set with the set-up link",
    signIn: "Signed in to the dashboard",
    signOut: "Signed out of the dashboard",
    changePassword: "Dashboard password changed",
    resetPassword: "Dashboard password reset",
    storeManagerKey: "Manager's access key stored at the start",
  },
  actors: {
    "access-key": "access key",
    session: "dashboard",
    "set-up": "set-up link",
    server: "server start",
    command: "command on the server",
  },
  clients: { api: "API", cli: "command line", dashboard: "dashboard", server: "server" },
  heads: { time: "Time", action: "Change", subject: "What", changes: "Before and after", actor: "Who", from: "From" },
};

const ko: AuditWords = {
  actions: {
    createChannel: "채널 생성",
    updateChannel: "채널 설정 변경",
    deleteChannel: "채널 삭제",
    switchChannelOn: "채널 송출 허용",
    switchChannelOff: "채널 송출 차단",
    endChannel: "방송 종료",
    extendHold: "송출 유지 연장",
    endHold: "송출 유지 종료",
    renewStreamKey: "스트림 키 재발급",
    startTestPattern: "테스트 영상 시작",
    stopTestPattern: "테스트 영상 종료",
    setChannelCallback: "채널 웹훅 변경",
    testChannelCallback: "채널 웹훅 테스트",
    addPlatform: "플랫폼 추가",
    editPlatform: "플랫폼 변경",
    removePlatform: "플랫폼 제거",
    onPlatform: "플랫폼 켜기",
    offPlatform: "플랫폼 끄기",
    retryPlatform: "플랫폼 재시도",
    cutPlatformDelay: "지연 송출 대기분 버리기",
    testPlatform: "플랫폼 테스트",
    setSource: "소스 변경",
    clearSource: "소스 제거",
    startSource: "소스 시작",
    stopSource: "소스 종료",
    setSlate: "대기 화면 변경",
    clearSlate: "대기 화면 제거",
    createSchedule: "예약 생성",
    updateSchedule: "예약 변경",
    deleteSchedule: "예약 삭제",
    closeCurtain: "커튼 닫기",
    openCurtain: "커튼 열기",
    deleteRecording: "녹화 삭제",
    createMediaFile: "파일 업로드",
    deleteMediaFile: "파일 삭제",
    setDefaultCallback: "기본 웹훅 변경",
    testDefaultCallback: "기본 웹훅 테스트",
    resendDelivery: "웹훅 다시 전송",
    createContact: "연락처 추가",
    updateContact: "연락처 변경",
    deleteContact: "연락처 삭제",
    testContact: "연락처 테스트",
    createAccessKey: "액세스 키 생성",
    deleteAccessKey: "액세스 키 삭제",
    drainNode: "서버 비우기",
    moveNodeChannels: "방송을 다른 서버로 이동",
    setUpDashboard: "설정 링크로 대시보드 비밀번호 설정",
    signIn: "대시보드 로그인",
    signOut: "대시보드 로그아웃",
    changePassword: "대시보드 비밀번호 변경",
    resetPassword: "대시보드 비밀번호 초기화",
    storeManagerKey: "시작 시 관리자 액세스 키 저장",
  },
  actors: {
    "access-key": "액세스 키",
    session: "대시보드",
    "set-up": "설정 링크",
    server: "서버 시작",
    command: "서버에서 실행한 명령",
  },
  clients: { api: "API", cli: "명령줄", dashboard: "대시보드", server: "서버" },
  heads: {
    time: "시각",
    action: "변경",
    subject: "대상",
    changes: "이전 값과 새 값",
    actor: "변경한 사람",
    from: "접속 위치",
  },
};

export const AUDIT_WORDS = { en, ko } as const;

type Told = {
  readonly action: AuditAction;
  readonly actor: AuditActorKind;
  readonly actorId?: string | undefined;
  readonly actorName?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly subject?: string | undefined;
};

/** Who made the change: an access key's name, where it has one, and its id. */
export function auditActor({ actor, actorId, actorName }: Told, words: AuditWords = en): string {
  if (actor !== "access-key") return words.actors[actor];
  const name = actorName === undefined || actorName === "" ? "" : `"${actorName}" `;
  return `${words.actors[actor]} ${name}${actorId ?? ""}`.trim();
}

/** The change as one English sentence, as webhooks have it. */
export function auditSentence(told: Told): string {
  const what = told.subject === undefined ? "" : ` (${told.subject})`;
  const from = told.remoteAddress === undefined ? "" : `, from ${told.remoteAddress}`;
  return `${en.actions[told.action]}${what}: ${auditActor(told)}${from}.`;
}
