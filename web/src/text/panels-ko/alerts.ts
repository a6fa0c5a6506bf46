import type { enAlerts } from "../panels-en/alerts.ts";

export const koAlerts: typeof enAlerts = {
  title: "알림",
  help: "채널에 문제가 생기면 이 브라우저로 알려 드립니다. 아래 설정은 이 브라우저에만 적용됩니다.",
  on: "이 브라우저에서 알림 받기",
  notificationStates: {
    insecure:
      "HTTPS로 연 페이지가 아니어서 브라우저 알림을 사용할 수 없습니다. 대신 Fanfare 탭이 열려 있는 동안 화면, 소리, 탭 제목으로 알려 드립니다.",
    "home-screen":
      "iPhone과 iPad에서는 Fanfare를 홈 화면에 추가하고(공유 → 홈 화면에 추가) 홈 화면에서 열어야 알림을 받을 수 있습니다. 그 전에는 Fanfare 탭이 열려 있는 동안 알려 드립니다.",
    missing:
      "이 브라우저는 알림을 지원하지 않습니다. 대신 Fanfare 탭이 열려 있는 동안 화면, 소리, 탭 제목으로 알려 드립니다.",
    ask: "아직 브라우저에서 알림을 허용하지 않았습니다.",
    denied:
      "브라우저가 Fanfare의 알림을 차단하고 있습니다. 브라우저의 사이트 설정에서 허용할 수 있습니다. 그 전에는 Fanfare 탭이 열려 있는 동안 알려 드립니다.",
  },
  pushStates: {
    on: "Fanfare 페이지를 열어 두지 않아도 이 브라우저로 알림이 옵니다.",
    off: "Fanfare 탭이 열려 있는 동안 알림이 표시됩니다. 페이지가 닫혀 있을 때도 받을 수 있으며, 이때 알림은 암호화되어 브라우저의 푸시 서비스를 거쳐 전달됩니다.",
    refused:
      "브라우저의 푸시 서비스를 사용할 수 없어 Fanfare 탭이 열려 있는 동안에만 알림이 표시됩니다. 일부 브라우저와 시크릿 창에는 푸시 서비스가 없습니다.",
    unsupported: "이 브라우저에는 푸시 서비스가 없어 Fanfare 탭이 열려 있는 동안에만 알림이 표시됩니다.",
  },
  pushOn: "페이지가 닫혀 있을 때도 알림 받기",
  pushOff: "페이지가 열려 있을 때만 받기",
  testFailed: (problem) => `테스트 알림을 전달하지 못했습니다. 푸시 서비스 응답: ${problem}`,
  allow: "알림 허용",
  severitiesTitle: "알림을 받을 상황",
  severities: { broken: "문제 발생", attention: "확인 필요", healthy: "다시 정상" },
  kindsTitle: "알림 방법",
  kinds: { notification: "브라우저 알림", sound: "소리", title: "탭 제목" },
  soundHelp: "페이지를 연 뒤 한 번 클릭해야 브라우저가 소리를 재생합니다.",
  quiet: "Fanfare를 보고 있을 때는 브라우저 알림과 소리 끄기",
  scopeTitle: "알림을 받을 채널",
  scopes: { all: "모든 채널", channels: "선택한 채널", labels: "라벨이 있는 채널" },
  noLabels: "라벨이 있는 채널이 없습니다. 채널 페이지에서 라벨을 추가할 수 있습니다.",
  test: "테스트 알림 보내기",
  testTitle: "테스트 알림",
  testBody: "Fanfare의 알림은 이렇게 표시됩니다.",
  tested: "테스트 알림을 보냈습니다.",
  recent: "이 탭을 연 이후의 알림",
  none: "아직 없습니다.",
  dismiss: "닫기",
  unstable: (channel) => `${channel}: 불안정`,
  unstableText: (value, state) => `1분 동안 문제가 ${value}번 발생했습니다. 현재 상태: ${state}.`,
  lostTitle: (channel) => `${channel}: 방송 종료됨`,
  lost: {
    encoder: "인코더 연결이 끊어져 방송이 종료되었습니다. 인코더를 다시 시작해 주세요.",
    source: "소스와의 연결이 끊어져 방송이 종료되었습니다. 서버가 소스에 계속 다시 연결합니다.",
    "stopped-source": "방송이 종료되었습니다.",
    server: "서버가 비정상 종료되어 방송이 종료되었습니다. 인코더가 멈췄다면 다시 시작해 주세요.",
  },
  tabTitle: (value, title) => (value === 1 ? `⚠ ${title}` : `⚠ ${value} · ${title}`),
};
