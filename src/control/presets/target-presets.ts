import type { Bilingual, TargetLimits, TargetPreset } from "./target-preset.ts";

/** Kilobits a second, as encoders show rates, in bytes. */
const kilobits = (count: number): number => (count * 1_000) / 8;

const OBS_LIST = "services list of OBS Studio";
const SEEN = "reports of users";

/** What most platforms accept: H.264 and AAC. */
const H264_AAC = { videoCodecs: ["avc"], audioCodecs: ["aac"] } as const;

function rates(video: number, audio?: number): TargetLimits {
  return {
    videoBytesPerSecondMax: kilobits(video),
    ...(audio === undefined ? {} : { audioBytesPerSecondMax: kilobits(audio) }),
  };
}

const EVERY_TWO_SECONDS = { keyframeSecondsAdvised: 2 } as const;

const ISSUED_WITH_ADDRESS: Bilingual = {
  en: "Issued together with the address, for each account or broadcast: copy both from the platform's live settings.",
  ko: "계정이나 방송마다 주소와 함께 발급됩니다. 플랫폼의 라이브 설정에서 둘 다 복사해 주세요.",
};

function ownAddress(where: string, whereKo: string): Bilingual {
  return { en: `Copy the address from ${where}.`, ko: `${whereKo}에서 주소를 복사해 주세요.` };
}

const MAJOR: readonly TargetPreset[] = [
  {
    targetName: "YOUTUBE",
    displayName: { en: "YouTube", ko: "유튜브" },
    urls: ["rtmps://a.rtmps.youtube.com:443/live2", "rtmp://a.rtmp.youtube.com/live2"],
    backupUrls: ["rtmps://b.rtmps.youtube.com:443/live2?backup=1", "rtmp://b.rtmp.youtube.com/live2?backup=1"],
    keyHelp: {
      en: "The stream key shown in YouTube's live settings (xxxx-xxxx-xxxx-xxxx-xxxx); the backup address takes the same key.",
      ko: "유튜브 라이브 설정에 표시되는 스트림 키(xxxx-xxxx-xxxx-xxxx-xxxx)입니다. 백업 주소에도 같은 키를 씁니다.",
    },
    failureHelp: {
      en: "Main and backup must have the same codec, size, frame rate, keyframe interval, bitrates and sample rate. If no media arrives for some tens of seconds, YouTube may end the broadcast.",
      ko: "기본과 백업 송출은 코덱, 해상도, 프레임 레이트, 키프레임 간격, 비트레이트, 샘플 레이트가 같아야 합니다. 수십 초 동안 영상이 없으면 방송이 종료될 수 있습니다.",
    },
    keyPage: "https://www.youtube.com/live_dashboard",
    livePage: "https://studio.youtube.com/",
    limits: {
      videoCodecs: ["avc", "hevc", "av1"],
      audioCodecs: ["aac", "mp3"],
      videoBytesPerSecondMax: kilobits(51_000),
      ...EVERY_TWO_SECONDS,
      keyframeSecondsMax: 4,
      sampleRates: [44_100, 48_000],
      audioChannelsMax: 2,
      tracksNeeded: ["audio"],
    },
    confidence: "documented",
    sources: [OBS_LIST, "YouTube Live Streaming API documentation"],
  },
  {
    targetName: "TWITCH",
    displayName: { en: "Twitch", ko: "트위치" },
    urls: ["rtmps://ingest.global-contribute.live-video.net:443/app", "rtmp://live.twitch.tv/app"],
    backupUrls: [],
    keyHelp: {
      en: "The channel's stream key (live_…). With ?bandwidthtest=true at its end the stream is tested without going live.",
      ko: "채널의 스트림 키(live_…)입니다. 키 끝에 ?bandwidthtest=true를 붙이면 방송을 시작하지 않고 테스트할 수 있습니다.",
    },
    failureHelp: {
      en: "A wrong key closes the connection without a message. A lost stream keeps its channel live for about 90 seconds.",
      ko: "키가 틀리면 오류 메시지 없이 연결이 끊어집니다. 송출이 끊겨도 약 90초 동안은 방송이 유지됩니다.",
    },
    keyPage: "https://dashboard.twitch.tv/settings/stream",
    livePage: "https://dashboard.twitch.tv/stream-manager",
    limits: { ...H264_AAC, ...rates(6_000, 320), ...EVERY_TWO_SECONDS },
    confidence: "documented",
    sources: [OBS_LIST, "ingest.twitch.tv/ingests", "issues of SRS 4037 and oryx 175"],
  },
  {
    targetName: "FACEBOOK",
    displayName: { en: "Facebook Live", ko: "페이스북 라이브" },
    urls: ["rtmps://live-api-s.facebook.com:443/rtmp/", "rtmps://rtmp-api.facebook.com:443/rtmp/"],
    backupUrls: [],
    keyHelp: {
      en: "The stream key with everything after its question mark (<id>?s_bl=1&s_…&a=…). It works for one broadcast unless it is a persistent key.",
      ko: "물음표 뒤까지 포함한 스트림 키 전체(<id>?s_bl=1&s_…&a=…)입니다. 영구 키가 아니면 한 번의 방송에만 쓸 수 있습니다.",
    },
    failureHelp: {
      en: "RTMPS only. A broadcast ends after 8 hours; an address is valid for 24 hours; changing the encoder's settings on air can break it.",
      ko: "RTMPS만 지원합니다. 방송은 8시간까지이고 주소는 24시간 동안 유효합니다. 방송 중에 인코더 설정을 바꾸면 문제가 생길 수 있습니다.",
    },
    keyPage: "https://www.facebook.com/live/producer",
    limits: {
      ...H264_AAC,
      ...rates(9_000, 128),
      ...EVERY_TWO_SECONDS,
      keyframeSecondsMax: 4,
      frameRateMax: 60,
      heightMax: 1_080,
      sampleRates: [48_000],
      tracksNeeded: ["audio", "video"],
    },
    confidence: "documented",
    sources: [OBS_LIST, "Facebook Live Video API documentation"],
  },
  {
    targetName: "INSTAGRAM",
    displayName: { en: "Instagram Live", ko: "인스타그램 라이브" },
    urls: ["rtmps://live-upload.instagram.com:443/rtmp/"],
    backupUrls: [],
    keyHelp: {
      en: "Instagram's Live Producer creates a new one for each session.",
      ko: "인스타그램 라이브 프로듀서에서 방송할 때마다 새로 만들어집니다.",
    },
    limits: { ...rates(4_000, 256), ...EVERY_TWO_SECONDS, heightMax: 1_080 },
    confidence: "reported",
    sources: [SEEN],
  },
  {
    targetName: "KICK",
    displayName: { en: "Kick", ko: "킥" },
    urls: [],
    backupUrls: [],
    urlHelp: {
      en: "Copy the address from Kick's dashboard (rtmps://<id>.global-contribute.live-video.net); it must end in /app.",
      ko: "킥 대시보드에서 주소(rtmps://<id>.global-contribute.live-video.net)를 복사해 주세요. 주소는 /app으로 끝나야 합니다.",
    },
    keyHelp: {
      en: "The stream key shown next to the address (sk_…).",
      ko: "주소 옆에 표시되는 스트림 키(sk_…)입니다.",
    },
    keyPage: "https://dashboard.kick.com/channel/stream",
    livePage: "https://dashboard.kick.com/stream",
    limits: { ...H264_AAC, ...rates(8_000, 320), ...EVERY_TWO_SECONDS, tracksNeeded: ["video"] },
    confidence: "documented",
    sources: ["Amazon IVS documentation", SEEN],
  },
  {
    targetName: "TIKTOK",
    displayName: { en: "TikTok Live", ko: "틱톡 라이브" },
    urls: [],
    backupUrls: [],
    urlHelp: {
      en: "TikTok creates host and key for each session. They work once and expire: copy the address when you go live.",
      ko: "호스트와 키는 방송마다 새로 만들어지고 한 번만 쓸 수 있으며 만료됩니다. 방송을 시작할 때 주소를 복사해 주세요.",
    },
    keyHelp: {
      en: "The whole key with everything after its question mark (stream-<id>?…), about 150 to 300 characters.",
      ko: "물음표 뒤까지 포함한 키 전체(stream-<id>?…)이며 150~300자쯤 됩니다.",
    },
    keyPage: "https://livecenter.tiktok.com/producer",
    limits: { ...rates(6_000), ...EVERY_TWO_SECONDS },
    confidence: "reported",
    sources: [SEEN],
  },
  {
    targetName: "X",
    displayName: { en: "X", ko: "X" },
    urls: [],
    backupUrls: [],
    urlHelp: ownAddress("the source in X's Media Studio Producer", "X 미디어 스튜디오 프로듀서의 소스"),
    keyHelp: ISSUED_WITH_ADDRESS,
    keyPage: "https://studio.x.com/producer/sources",
    livePage: "https://studio.x.com/producer",
    limits: { ...H264_AAC, ...rates(12_000, 128), keyframeSecondsAdvised: 3 },
    confidence: "reported",
    sources: [OBS_LIST, SEEN],
  },
  {
    targetName: "LINKEDIN",
    displayName: { en: "LinkedIn Live", ko: "링크드인 라이브" },
    urls: [],
    backupUrls: [],
    urlHelp: {
      en: "LinkedIn creates an address for each event, often with a port other than 1935 or 443.",
      ko: "링크드인은 이벤트마다 주소를 만듭니다. 포트가 1935나 443이 아닌 경우가 많습니다.",
    },
    keyHelp: {
      en: "The key shown with the address. If there is none, enter anything.",
      ko: "주소와 함께 표시되는 키입니다. 키가 없으면 아무 값이나 입력하세요.",
    },
    keyPage: "https://www.linkedin.com/video/golive/now/",
    limits: { ...rates(6_000, 128), ...EVERY_TWO_SECONDS, frameRateMax: 30, heightMax: 1_080 },
    confidence: "reported",
    sources: [SEEN],
  },
  {
    targetName: "TROVO",
    displayName: { en: "Trovo", ko: "트로보" },
    urls: ["rtmp://livepush.trovo.live/live/"],
    backupUrls: [],
    keyHelp: {
      en: "The whole stream key, with everything after its question mark if it has one.",
      ko: "스트림 키 전체입니다. 물음표가 있으면 그 뒤까지 모두 복사해 주세요.",
    },
    keyPage: "https://studio.trovo.live/mychannel/stream",
    limits: { ...H264_AAC, ...rates(9_000, 160), ...EVERY_TWO_SECONDS },
    confidence: "documented",
    sources: [OBS_LIST],
  },
  {
    targetName: "VIMEO",
    displayName: { en: "Vimeo", ko: "비메오" },
    urls: ["rtmps://rtmp-global.cloud.vimeo.com:443/live", "rtmp://rtmp.cloud.vimeo.com/live"],
    backupUrls: [],
    keyHelp: { en: "The event's stream key, a UUID.", ko: "이벤트의 스트림 키(UUID)입니다." },
    limits: EVERY_TWO_SECONDS,
    confidence: "documented",
    sources: [OBS_LIST, SEEN],
  },
  {
    targetName: "STEAM",
    displayName: { en: "Steam", ko: "스팀" },
    urls: ["rtmp://ingest-rtmp.broadcast.steamcontent.com/app"],
    backupUrls: [],
    keyHelp: { en: "The upload token of your Steam account (steam_…).", ko: "스팀 계정의 업로드 토큰(steam_…)입니다." },
    limits: { ...H264_AAC, ...rates(7_000, 128), ...EVERY_TWO_SECONDS },
    confidence: "documented",
    sources: [OBS_LIST],
  },
];

const SOOP: Omit<TargetPreset, "targetName" | "displayName"> = {
  urls: ["rtmp://stream.sooplive.co.kr/app/", "rtmp://rtmp-esu.sooplive.co.kr/app/"],
  backupUrls: [],
  urlHelp: {
    en: "SOOP Global has an address of its own: rtmp://global-stream.sooplive.com/app, with a keyframe each second and no B-frames.",
    ko: "SOOP 글로벌은 주소가 다릅니다: rtmp://global-stream.sooplive.com/app (키프레임 1초, B프레임 없음).",
  },
  keyHelp: {
    en: "Your own stream key in SOOP's broadcast settings.",
    ko: "SOOP 방송 설정에 있는 개인 스트림 키입니다.",
  },
  keyPage: "https://dashboard.sooplive.co.kr/",
  livePage: "https://www.sooplive.co.kr/",
  limits: { ...H264_AAC, ...rates(8_000, 192), ...EVERY_TWO_SECONDS },
  confidence: "documented",
  sources: [OBS_LIST],
};

const KOREAN: readonly TargetPreset[] = [
  {
    targetName: "CHZZK",
    displayName: { en: "CHZZK", ko: "치지직" },
    urls: ["rtmp://global-rtmp.lip2.navercorp.com:8080/relay"],
    backupUrls: [],
    keyHelp: {
      en: "The channel's stream key in CHZZK Studio. The address uses port 8080.",
      ko: "치지직 스튜디오에 있는 채널의 스트림 키입니다. 주소의 포트는 8080입니다.",
    },
    keyPage: "https://studio.chzzk.naver.com/",
    livePage: "https://chzzk.naver.com/",
    limits: { ...H264_AAC, ...rates(8_000, 192), keyframeSecondsAdvised: 1, bFramesMax: 0 },
    confidence: "documented",
    sources: [OBS_LIST],
  },
  { targetName: "SOOP", displayName: { en: "SOOP", ko: "SOOP" }, ...SOOP },
  { targetName: "AFREECATV", displayName: { en: "AfreecaTV (SOOP)", ko: "아프리카TV(SOOP)" }, ...SOOP },
  {
    targetName: "NAVERTV",
    displayName: { en: "NAVER TV", ko: "네이버 TV" },
    urls: [],
    backupUrls: [],
    urlHelp: ownAddress("the broadcast's page at NAVER", "네이버의 방송 설정 화면"),
    keyHelp: ISSUED_WITH_ADDRESS,
    limits: EVERY_TWO_SECONDS,
    confidence: "reported",
    sources: [SEEN],
  },
  {
    targetName: "PRISM",
    displayName: { en: "PRISM", ko: "프리즘" },
    urls: [],
    backupUrls: [],
    urlHelp: ownAddress("PRISM's broadcast settings", "프리즘 방송 설정"),
    keyHelp: ISSUED_WITH_ADDRESS,
    limits: EVERY_TWO_SECONDS,
    confidence: "reported",
    sources: [SEEN],
  },
  {
    targetName: "KAKAO",
    displayName: { en: "KakaoTV", ko: "카카오TV" },
    urls: ["rtmp://rtmp.play.kakao.com/kakaotv"],
    backupUrls: [],
    keyHelp: { en: "The channel's stream key at KakaoTV.", ko: "카카오TV 채널의 스트림 키입니다." },
    limits: { ...H264_AAC, ...rates(8_000, 192), ...EVERY_TWO_SECONDS },
    confidence: "documented",
    sources: [OBS_LIST],
  },
];

const ASSIGNED: readonly TargetPreset[] = (
  [
    ["YOUNOW", "YouNow"],
    ["USTREAM", "IBM Video (Ustream)"],
  ] as const
).map(([targetName, displayName]) => ({
  targetName,
  displayName: { en: displayName, ko: displayName },
  urls: [],
  backupUrls: [],
  urlHelp: ownAddress("your account there", "해당 서비스의 계정 설정"),
  keyHelp: ISSUED_WITH_ADDRESS,
  limits: {},
  confidence: "unknown",
  sources: [],
}));

const CUSTOM: TargetPreset = {
  targetName: "CUSTOM",
  displayName: { en: "Other server", ko: "기타 서버" },
  urls: [],
  backupUrls: [],
  urlHelp: {
    en: "The server's rtmp:// or rtmps:// address without the key.",
    ko: "키를 뺀 서버의 rtmp:// 또는 rtmps:// 주소입니다.",
  },
  keyHelp: {
    en: "Also called “stream name”.",
    ko: "‘스트림 이름’이라고도 합니다.",
  },
  limits: {},
  confidence: "unknown",
  sources: [],
};

/**
 * What is known of the platforms, in the order in which people see them: addresses, limits and keys from OBS Studio's
 * services list and the platforms' own documents. Facts go out of date: correct them here, and nowhere else.
 */
export const TARGET_PRESETS: readonly TargetPreset[] = [...MAJOR, ...KOREAN, ...ASSIGNED, CUSTOM];

const BY_NAME: ReadonlyMap<string, TargetPreset> = new Map(TARGET_PRESETS.map((preset) => [preset.targetName, preset]));

/** The limits of targets with this name; none are known for a name that is not listed. */
export function limitsOf(targetName: string): TargetLimits {
  return BY_NAME.get(targetName)?.limits ?? {};
}

/** The display name of targets with this name; the name itself where it is not listed. */
export function displayNameOf(targetName: string): Bilingual {
  return BY_NAME.get(targetName)?.displayName ?? { en: targetName, ko: targetName };
}
