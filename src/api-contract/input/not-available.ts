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
  "move-to-draining": [
    "Node",
    "to: the server drains, so it takes no channels.",
    "The chosen server is being drained. Choose another one.",
    "선택한 서버는 비우는 중입니다. 다른 서버를 선택해 주세요.",
  ],
  "move-to-silent": [
    "Node",
    "to: the server has not been heard for 6 s.",
    "The chosen server doesn't respond. Choose another one.",
    "선택한 서버가 응답하지 않습니다. 다른 서버를 선택해 주세요.",
  ],
  "move-to-lost": [
    "Node",
    "to: the server is gone.",
    "The chosen server is gone. Choose another one.",
    "선택한 서버의 연결이 끊어졌습니다. 다른 서버를 선택해 주세요.",
  ],
  "no-other-node": [
    "Node",
    "No other server takes channels now.",
    "No other server takes channels now.",
    "지금 채널을 받을 수 있는 다른 서버가 없습니다.",
  ],
  "ffmpeg-missing": [
    "FFmpeg",
    "FFmpeg is not installed on this server: sources and slates need it.",
    "FFmpeg is not installed on this server. Sources and slates need it.",
    "이 서버에 FFmpeg이 설치되어 있지 않습니다. 소스와 대기 화면에 필요합니다.",
  ],
  "media-file-not-ready": [
    "Media file",
    "The file is not uploaded or checked yet, or it cannot be played.",
    "The file is not ready yet, or it can't be played.",
    "아직 준비되지 않았거나 재생할 수 없는 파일입니다.",
  ],
  "media-file-in-use": [
    "Media file",
    "A channel has the file: take it out of the channel's source and slate first.",
    "A channel uses this file. Remove it from the channel first.",
    "채널에서 사용 중인 파일입니다. 먼저 채널에서 빼 주세요.",
  ],
  "media-file-watched": [
    "Media file",
    "The file lies in the watched folder (FANFARE_WATCH_FOLDER): remove it there.",
    "This file lies in the watched folder. Remove it there.",
    "감시 폴더에 있는 파일입니다. 폴더에서 삭제해 주세요.",
  ],
  "media-quota": [
    "Media file",
    "The library is full: delete files, or raise FANFARE_MEDIA_QUOTA_MB.",
    "The library is full. Delete files, or raise FANFARE_MEDIA_QUOTA_MB.",
    "파일 보관함이 가득 찼습니다. 파일을 삭제하거나 FANFARE_MEDIA_QUOTA_MB를 늘려 주세요.",
  ],
  "media-disk-full": [
    "Media file",
    "The disk of the data folder has too little room for this file.",
    "The disk has too little room for this file.",
    "디스크 공간이 부족해 이 파일을 저장할 수 없습니다.",
  ],
  "no-slate": [
    "Slate",
    "The channel has no slate: set one first.",
    "The channel has no slate. Choose a file first.",
    "채널에 대기 화면이 없습니다. 먼저 파일을 선택해 주세요.",
  ],
  "not-on-air": ["Channel", "The channel is off air.", "The channel is off air.", "방송 중인 채널이 아닙니다."],
  "no-source": [
    "Source",
    "The channel has no source: set one first.",
    "The channel has no source. Choose files or an address first.",
    "채널에 소스가 없습니다. 먼저 파일이나 주소를 선택해 주세요.",
  ],
  "source-running": [
    "Source",
    "The channel's source plays already.",
    "The source is already playing.",
    "소스를 이미 재생하고 있습니다.",
  ],
  "source-not-running": [
    "Source",
    "The channel's source does not play.",
    "The source isn't playing.",
    "재생 중인 소스가 없습니다.",
  ],
  "source-encoder-on-air": [
    "Source",
    "An encoder is on air: a source never interrupts an encoder.",
    "Your encoder is on air. A source never interrupts an encoder.",
    "인코더가 방송 중입니다. 소스는 인코더의 방송을 중단하지 않습니다.",
  ],
  "schedule-conflict": [
    "Schedule",
    "Another schedule of the channel starts at the same moment.",
    "Another schedule of this channel starts at the same moment.",
    "같은 시각에 시작하는 다른 예약이 이 채널에 있습니다.",
  ],
  "too-many-schedules": [
    "Schedule",
    "A channel has at most 50 schedules: delete one first.",
    "A channel has at most 50 schedules. Delete one first.",
    "예약은 채널마다 최대 50개까지 만들 수 있습니다. 먼저 하나를 삭제해 주세요.",
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
  "recording-in-use": [
    "Recording",
    "The recording is being written: turn the channel's recording off first, or end its broadcast.",
    "This recording is still being written. Turn recording off, or end the broadcast.",
    "아직 녹화 중인 파일입니다. 녹화를 끄거나 방송을 종료해 주세요.",
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
