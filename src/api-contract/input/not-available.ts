/**
 * What is not possible now (250005): the subject of the error, its `details`, and the hint in English and in Korean.
 */
export const NOT_AVAILABLE = {
  "channel-publishing": ["Channel", "The channel is on air.", "The channel is on air.", "채널이 방송 중입니다."],
  "not-held": [
    "Hold",
    "The channel is not held: its encoder is connected, or it is off air.",
    "The hold is already over: the encoder is back, or the broadcast has ended.",
    "송출 유지가 이미 끝났습니다. 인코더가 다시 연결되었거나 방송이 종료되었습니다.",
  ],
  "hold-limit": [
    "Hold",
    "A hold lasts at most an hour: bring the encoder back, or end the hold.",
    "A hold lasts at most an hour.",
    "송출 유지는 최대 1시간까지 할 수 있습니다.",
  ],
  "encoder-on-air": [
    "Test pattern",
    "An encoder is on air, or the platforms are held for it: the test pattern would interrupt the broadcast.",
    "Your encoder is on air, or the platforms are held for it.",
    "인코더가 방송 중이거나 인코더를 기다리며 송출을 유지하고 있습니다.",
  ],
  "test-pattern-running": [
    "Test pattern",
    "The channel's test pattern is on air already.",
    "The test pattern is already on air.",
    "테스트 영상을 이미 송출하고 있습니다.",
  ],
  "no-test-pattern": [
    "Test pattern",
    "No test pattern of this channel is on air.",
    "The test pattern isn't on air anymore.",
    "테스트 영상 송출이 이미 끝났습니다.",
  ],
  "too-many-test-patterns": [
    "Test pattern",
    "Four test patterns are on air on this server: wait for one to end, or stop one.",
    "Four test patterns are on air on this server. Wait for one to end, or stop one.",
    "이 서버에서 테스트 영상 4개를 송출하고 있습니다. 하나가 끝나기를 기다리거나 종료해 주세요.",
  ],
  "channel-off": [
    "Channel",
    "The channel is turned off: turn it on first.",
    "The channel is disabled. Enable it first.",
    "송출이 차단된 채널입니다. 먼저 차단을 해제해 주세요.",
  ],
  "server-overloaded": [
    "Server",
    "The server cannot keep up and starts no broadcast now.",
    "The server is overloaded and can't start another broadcast.",
    "서버가 과부하 상태라 새 방송을 시작할 수 없습니다.",
  ],
  "target-off": [
    "Platform",
    "The platform is turned off: turn it on, and it is dialled at once.",
    "The platform is switched off. Switch it on, and it connects right away.",
    "꺼져 있는 플랫폼입니다. 켜면 바로 연결합니다.",
  ],
  "target-linked": [
    "Platform",
    "The platform is connected or connecting; a test could end its broadcast.",
    "The platform is already connected or connecting. A test could end its broadcast.",
    "플랫폼이 이미 연결되었거나 연결 중입니다. 테스트하면 방송이 끊길 수 있습니다.",
  ],
  "twin-linked": [
    "Platform",
    "Another platform of the channel with the same address and key is connected or connecting; a test could end its broadcast.",
    "Another platform with the same address and key is connected. A test could end its broadcast.",
    "주소와 키가 같은 다른 플랫폼이 연결되어 있습니다. 테스트하면 방송이 끊길 수 있습니다.",
  ],
  "target-under-test": [
    "Platform",
    "A test of this platform is under way.",
    "This platform is being tested already.",
    "이미 테스트 중인 플랫폼입니다.",
  ],
  "backup-off": [
    "Backup",
    "The channel has no backup ingest: switch it on with `backup`.",
    "The channel has no backup encoder. Turn it on in the settings.",
    "백업 인코더를 사용하지 않는 채널입니다. 설정에서 켜 주세요.",
  ],
  "ingest-login-taken": [
    "ingestAuth.id",
    "Another channel's encoders log in with this name.",
    "Another channel already uses this username.",
    "다른 채널에서 이미 사용 중인 사용자 이름입니다.",
  ],
  "endpoint-tests-running": [
    "Callback endpoint",
    "Four tests are under way: wait for one to end.",
    "Four tests are running. Wait for one to end.",
    "테스트 4개가 진행 중입니다. 하나가 끝난 뒤 다시 시도해 주세요.",
  ],
  "last-manager-key": [
    "Access key",
    "This is the last manager's key: without it no other key can be made.",
    "This is the last manager key. Without it, no other key could be created.",
    "마지막 관리 키입니다. 삭제하면 새 키를 만들 수 없게 됩니다.",
  ],
} as const satisfies Readonly<
  Record<string, readonly [subject: string, details: string, hint: string, hintKo: string]>
>;
export type NotAvailable = keyof typeof NOT_AVAILABLE;
