import type { enImport } from "./en-import.ts";

const number = new Intl.NumberFormat("ko");
const count = (value: number, unit: string): string => `${number.format(value)}${unit}`;

export const koImport: typeof enImport = {
  import: {
    title: "플랫폼 가져오기",
    ofField: { rtmpUrl: "서버 URL:", streamKey: "스트림 키:" },
    help: "obs-multi-rtmp의 JSON, OBS의 service.json, nginx-rtmp의 push 줄을 붙여 넣거나 파일을 끌어다 놓으세요.",
    input: "가져올 설정",
    found: (value) => `플랫폼 ${count(value, "개")}를 찾았습니다`,
    problems: {
      nothing: "플랫폼을 찾을 수 없습니다.",
      "too-long": "내용이 너무 깁니다.",
      "broken-json": "JSON이 중간에 끊겼습니다. 전체를 복사해 주세요.",
    },
    brokenAt: (line, column) => `JSON ${line}번째 줄 ${column}번째 글자에 오류가 있습니다.`,
    skipped: {
      "not-rtmp": "rtmp:// 또는 rtmps:// 주소가 아님",
      "no-address": "주소 없음",
      "too-many": "채널의 플랫폼 수 한도 초과",
      pull: "pull 줄은 플랫폼이 아님. ‘소스와 대기 화면’에 주소를 입력하세요",
    },
    othersAdded: (value) => `이미 추가된 플랫폼: ${count(value, "개")}.`,
    noKey: "스트림 키 없음",
    button: (value) => `플랫폼 ${count(value, "개")} 추가`,
    file: "파일 선택…",
  },
};
