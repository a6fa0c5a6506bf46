import type { enSrt } from "../panels-en/srt.ts";

export const koSrt: typeof enSrt = {
  server: "SRT 서버(키 포함)",
  serverObs: "OBS의 ‘서버’(‘스트림 키’는 비워 두세요)",
  qr: "SRT용 QR 코드",
  qrLabel: "SRT 주소와 스트림 키가 담긴 QR 코드",
  passphrase: "SRT 암호",
  newPassphrase: "새 SRT 암호",
  passphraseHelp:
    "SRT 인코더는 다음 연결부터 이 암호를 사용해야 합니다. 그대로 쓰거나 10~79자를 입력해 주세요. 비워 두면 해제됩니다.",
  link: "SRT",
  encrypted: "암호화됨",
  clear: "암호화되지 않음",
  roundTrip: "왕복 시간",
  latency: "SRT 지연 시간",
  loss: "패킷 손실(복구 전)",
  retransmitted: "재전송된 패킷",
  dropped: "복구하지 못한 패킷",
  belated: "늦게 도착한 패킷",
  bandwidth: "대역폭(재전송 포함)",
};
