import { language } from "../../text/text.ts";

const en = {
  server: "SRT server with the key",
  serverObs: "“Server” in OBS; leave “Stream Key” empty",
  qr: "QR code for SRT",
  qrLabel: "QR code with the SRT address and the stream key",
  passphrase: "SRT passphrase",
  newPassphrase: "New SRT passphrase",
  passphraseHelp:
    "Encoders over SRT need it from their next connection on. Take this one or type 10 to 79 characters; leave empty to turn off.",
  link: "SRT",
  encrypted: "encrypted",
  clear: "not encrypted",
  roundTrip: "Round trip",
  latency: "SRT latency",
  loss: "Packet loss, before repair",
  retransmitted: "Packets sent again",
  dropped: "Packets that never came",
  belated: "Packets that came too late",
  bandwidth: "Bandwidth, with repeated packets",
};

const ko: typeof en = {
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
  dropped: "도착하지 않은 패킷",
  belated: "늦게 도착한 패킷",
  bandwidth: "대역폭(재전송 포함)",
};

/** The texts about SRT: few servers have it, so the first page does not load them. */
export const srtTexts = (): typeof en => ({ en, ko })[language.value];
