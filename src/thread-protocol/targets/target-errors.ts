import { DELAY_SENTENCES } from "./delay-sentences.ts";
import { REFUSAL_SENTENCES } from "./refusal-sentences.ts";
import { SRT_SENTENCES } from "./srt-sentences.ts";
import type { TargetSentence } from "./target-sentence.ts";
import type { TargetError } from "./target-status.ts";

/**
 * Everything that can be wrong with a target, in sentences for people. Platforms' own texts are never included: they
 * may echo keys.
 */
const SENTENCES = {
  ...DELAY_SENTENCES,
  "address-unusable": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The platform's address cannot be used ({detail}): correct the URL.",
    ko: "플랫폼 주소를 사용할 수 없습니다({detail}). URL을 바르게 고쳐 주세요.",
  },
  "address-own": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The platform's address leads back to this server: enter the platform's own address.",
    ko: "플랫폼 주소가 이 서버 자신을 가리킵니다. 플랫폼의 주소를 입력해 주세요.",
  },
  "address-port": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The platform's port belongs to another kind of service: correct the URL.",
    ko: "플랫폼 포트는 다른 서비스가 쓰는 포트입니다. URL을 바르게 고쳐 주세요.",
  },
  "address-not-public": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The platform's address is not a public one ({detail}): correct the URL, or let the operator allow its network with FANFARE_TARGET_ALLOW.",
    ko: "플랫폼 주소가 공인 주소가 아닙니다({detail}). URL을 고치거나, 운영자가 FANFARE_TARGET_ALLOW로 해당 네트워크를 허용해야 합니다.",
  },
  "address-metadata": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The platform's address is one where clouds hand out credentials: correct the URL; the operator can allow it only by naming exactly this address in FANFARE_TARGET_ALLOW.",
    ko: "플랫폼 주소가 클라우드의 인증 정보를 제공하는 주소입니다. URL을 고쳐 주세요. 운영자가 FANFARE_TARGET_ALLOW에 바로 이 주소를 지정해야만 허용됩니다.",
  },
  "name-unknown": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "The platform's host name does not exist: check the URL for a typing error.",
    ko: "플랫폼의 호스트 이름이 존재하지 않습니다. URL에 오타가 없는지 확인해 주세요.",
  },
  "known-name-unknown": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "The name server does not know the platform's host name, although the address is right: check this server's DNS and its connection to the internet; we go on trying.",
    ko: "플랫폼 주소는 맞지만 DNS 서버가 호스트 이름을 찾지 못합니다. 이 서버의 DNS 설정과 인터넷 연결을 확인해 주세요. 계속 재시도합니다.",
  },
  "name-not-full": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "This server cannot find the platform by its short name (one without a dot, or one that ends in .local): enter the full host name, or its address.",
    ko: "이 서버가 플랫폼의 짧은 이름(점이 없거나 .local로 끝나는 이름)을 찾지 못합니다. 전체 호스트 이름이나 주소를 입력해 주세요.",
  },
  "name-server-silent": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "The name server did not answer in time: check this server's DNS; we go on trying.",
    ko: "DNS 서버가 제때 응답하지 않았습니다. 이 서버의 DNS 설정을 확인해 주세요. 계속 재시도합니다.",
  },
  "name-failed": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "The platform's host name could not be looked up: check this server's DNS; we go on trying.",
    ko: "플랫폼의 호스트 이름을 조회하지 못했습니다. 이 서버의 DNS 설정을 확인해 주세요. 계속 재시도합니다.",
  },
  "connection-refused": {
    code: "TCP_REFUSED",
    severity: "transient",
    en: "The platform refused the connection: nothing listens at this address and port; check the URL, or wait until the platform is back.",
    ko: "플랫폼이 연결을 거부했습니다. 이 주소와 포트에서 받는 서버가 없습니다. URL을 확인하거나 플랫폼이 복구될 때까지 기다려 주세요.",
  },
  "connection-broken": {
    code: "TCP_RESET",
    severity: "transient",
    en: "The connection to the platform was lost; we reconnect by ourselves.",
    ko: "플랫폼과의 연결이 끊어졌습니다. 자동으로 다시 연결합니다.",
  },
  "connection-broken-early": {
    code: "TCP_RESET",
    severity: "transient",
    en: "The platform closed the connection while it was being set up: check URL and stream key if this repeats.",
    ko: "연결하는 도중에 플랫폼이 연결을 끊었습니다. 반복되면 URL과 스트림 키를 확인해 주세요.",
  },
  "connection-failed": {
    code: "TCP_RESET",
    severity: "transient",
    en: "The connection to the platform failed; we reconnect by ourselves.",
    ko: "플랫폼과의 연결에 실패했습니다. 자동으로 다시 연결합니다.",
  },
  "connection-lost": {
    code: "TCP_TIMEOUT",
    severity: "transient",
    en: "The platform can no longer be reached; we reconnect by ourselves.",
    ko: "플랫폼에 더 이상 연결할 수 없습니다. 자동으로 다시 연결합니다.",
  },
  "connection-unanswered": {
    code: "TCP_TIMEOUT",
    severity: "transient",
    en: "The platform did not answer the connection: check URL and port, and whether a firewall is in between.",
    ko: "플랫폼이 연결에 응답하지 않았습니다. URL과 포트, 그리고 방화벽을 확인해 주세요.",
  },
  "tls-expired": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate has expired: its operator has to renew it; check this server's clock too.",
    ko: "플랫폼의 인증서가 만료되었습니다. 플랫폼 서버의 운영자가 갱신해야 합니다. 이 서버의 시계도 확인해 주세요.",
  },
  "tls-not-yet-valid": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate is not valid yet: check this server's clock.",
    ko: "플랫폼의 인증서가 아직 유효하지 않습니다. 이 서버의 시계를 확인해 주세요.",
  },
  "tls-self-signed": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate is self-signed: if the server is yours, give its certificate as tls.ca or its SHA-256 as tls.fingerprint.",
    ko: "플랫폼의 인증서가 자체 서명된 것입니다. 직접 운영하는 서버라면 인증서를 tls.ca에, 또는 SHA-256 지문을 tls.fingerprint에 입력해 주세요.",
  },
  "tls-unknown-authority": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate was signed by an authority that is not known here: check the URL, or give the authority as tls.ca.",
    ko: "플랫폼의 인증서를 발급한 인증 기관을 알 수 없습니다. URL을 확인하거나 인증 기관의 인증서를 tls.ca에 입력해 주세요.",
  },
  "tls-wrong-host": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate belongs to another host name: check the host in the URL.",
    ko: "플랫폼의 인증서가 다른 호스트 이름의 것입니다. URL의 호스트를 확인해 주세요.",
  },
  "tls-wrong-fingerprint": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate is not the one of tls.fingerprint: find out whether it was renewed before you enter the new fingerprint.",
    ko: "플랫폼의 인증서가 tls.fingerprint에 지정한 것과 다릅니다. 인증서가 갱신된 것인지 확인한 뒤 새 지문을 입력해 주세요.",
  },
  "tls-certificate": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform's certificate cannot be trusted: check the URL, or ask the platform's operator.",
    ko: "플랫폼의 인증서를 신뢰할 수 없습니다. URL을 확인하거나 플랫폼 서버의 운영자에게 문의해 주세요.",
  },
  "tls-certificate-demanded": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform demands a certificate of this server, which it does not have: ask its operator for an address that needs only a stream key.",
    ko: "플랫폼이 이 서버의 클라이언트 인증서를 요구하지만 서버에는 인증서가 없습니다. 스트림 키만으로 송출할 수 있는 주소를 플랫폼 서버의 운영자에게 문의해 주세요.",
  },
  "tls-too-old": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "The platform speaks only a version of TLS before 1.2, which is not safe: its operator has to update it.",
    ko: "플랫폼이 안전하지 않은 TLS 1.2 미만 버전만 지원합니다. 플랫폼 서버의 운영자가 업데이트해야 합니다.",
  },
  "tls-unanswered": {
    code: "TLS_FAILED",
    severity: "transient",
    en: "The platform did not answer the TLS handshake: this port may not speak RTMPS; check URL and port.",
    ko: "플랫폼이 TLS 핸드셰이크에 응답하지 않았습니다. RTMPS 포트가 아닐 수 있습니다. URL과 포트를 확인해 주세요.",
  },
  "tls-foreign": {
    code: "TLS_FAILED",
    severity: "transient",
    en: "The platform's answer is not TLS: this port speaks something else, perhaps plain RTMP; try rtmp:// or another port.",
    ko: "플랫폼의 응답이 TLS가 아닙니다. 일반 RTMP 등 다른 프로토콜의 포트입니다. rtmp:// 또는 다른 포트를 사용해 보세요.",
  },
  "tls-closed": {
    code: "TLS_FAILED",
    severity: "transient",
    en: "The platform closed the connection during the TLS handshake: this port may not speak RTMPS; check URL and port.",
    ko: "TLS 핸드셰이크 중에 플랫폼이 연결을 닫았습니다. RTMPS 포트가 아닐 수 있습니다. URL과 포트를 확인해 주세요.",
  },
  "tls-handshake": {
    code: "TLS_FAILED",
    severity: "transient",
    en: "The platform and this server could not agree on a secure connection: ask its operator for the TLS settings it needs; we go on trying.",
    ko: "플랫폼과 보안 연결에 합의하지 못했습니다. 플랫폼 서버의 운영자에게 필요한 TLS 설정을 문의해 주세요. 계속 재시도합니다.",
  },
  "handshake-unanswered": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform accepted the connection but never answered: this port may need rtmps:// instead of rtmp://, or not speak RTMP; check URL and port.",
    ko: "플랫폼이 연결은 받았지만 응답하지 않았습니다. rtmp:// 대신 rtmps://가 필요하거나 RTMP 포트가 아닐 수 있습니다. URL과 포트를 확인해 주세요.",
  },
  "handshake-unanswered-secure": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform made a secure connection but never answered over it: this port may not speak RTMP; check URL and port.",
    ko: "플랫폼이 보안 연결은 맺었지만 그 뒤로 응답하지 않았습니다. RTMP 포트가 아닐 수 있습니다. URL과 포트를 확인해 주세요.",
  },
  "handshake-closed": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform closed the connection during the handshake: this port may need rtmps:// instead of rtmp://, or not speak RTMP.",
    ko: "핸드셰이크 도중에 플랫폼이 연결을 닫았습니다. rtmp:// 대신 rtmps://가 필요하거나 RTMP 포트가 아닐 수 있습니다.",
  },
  "handshake-closed-secure": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform made a secure connection and closed it without an answer: this port may not speak RTMP; check URL and port.",
    ko: "플랫폼이 보안 연결을 맺은 뒤 응답 없이 닫았습니다. RTMP 포트가 아닐 수 있습니다. URL과 포트를 확인해 주세요.",
  },
  "handshake-expects-tls": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform expects a secure connection at this port: use rtmps:// instead of rtmp://.",
    ko: "이 포트에서 플랫폼은 보안 연결만 받습니다. rtmp:// 대신 rtmps://를 사용해 주세요.",
  },
  "handshake-foreign": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform answered with something that is not RTMP: check URL and port.",
    ko: "플랫폼이 RTMP가 아닌 것으로 응답했습니다. URL과 포트를 확인해 주세요.",
  },
  ...REFUSAL_SENTENCES,
  ...SRT_SENTENCES,
  "closed-at-once": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform accepted the stream and closed at once: check the stream key, and whether the broadcast is still open on the platform.",
    ko: "플랫폼이 송출을 받자마자 연결을 닫았습니다. 스트림 키와 플랫폼의 방송이 열려 있는지 확인해 주세요.",
  },
  "closed-on-air": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform closed the connection; we reconnect by ourselves.",
    ko: "플랫폼이 연결을 닫았습니다. 자동으로 다시 연결합니다.",
  },
  "ended-by-target": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform ended the broadcast ({detail}): check whether it is still open on the platform.",
    ko: "플랫폼이 방송을 종료했습니다({detail}). 플랫폼에서 방송이 아직 열려 있는지 확인해 주세요.",
  },
  "spoke-nonsense": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform broke the RTMP protocol: check URL and port; we go on trying.",
    ko: "플랫폼이 RTMP 규약을 어겼습니다. URL과 포트를 확인해 주세요. 계속 재시도합니다.",
  },
  "unreadable-on-air": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform had accepted the stream, and then sent something that cannot be read: URL and key are right; ask its operator if this repeats; we reconnect by ourselves.",
    ko: "플랫폼이 스트림을 받아들인 뒤 읽을 수 없는 데이터를 보냈습니다. URL과 키는 맞습니다. 반복되면 플랫폼 서버의 운영자에게 문의해 주세요. 자동으로 다시 연결합니다.",
  },
  "sent-too-much": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform sends far more data than a streaming server does, so we closed the connection: it is broken or not a streaming server; check URL and port; we go on trying.",
    ko: "플랫폼이 스트리밍 서버답지 않게 지나치게 많은 데이터를 보내 연결을 끊었습니다. 고장이거나 스트리밍 서버가 아닙니다. URL과 포트를 확인해 주세요. 계속 재시도합니다.",
  },
  "server-descriptors": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: it has no file descriptor left for the connection; its operator has to raise the limit on open files.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 연결에 쓸 파일 디스크립터가 남아 있지 않으니, 운영자가 열린 파일 수 제한을 늘려야 합니다.",
  },
  "server-memory": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: it has no memory left for the connection; we go on trying.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 연결에 쓸 메모리가 부족합니다. 계속 재시도합니다.",
  },
  "server-ports": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: it has no free local address and port for the connection; its operator has to look at its addresses and net.ipv4.ip_local_port_range.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 연결에 쓸 로컬 주소와 포트가 없으니, 운영자가 서버 주소와 net.ipv4.ip_local_port_range를 확인해야 합니다.",
  },
  "server-no-route": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: it has no route to the platform's address ({detail}); its operator has to look at its network connection.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 플랫폼 주소({detail})로 가는 경로가 없으니, 운영자가 네트워크 연결을 확인해야 합니다.",
  },
  "server-firewall": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: its own firewall or policy forbids the connection ({detail}); its operator has to allow it.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 서버 자신의 방화벽이나 정책이 연결을 막고 있으니({detail}), 운영자가 허용해야 합니다.",
  },
  "server-fault": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: a mistake in its program ended the connection, and its log has the details; we reconnect by ourselves.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 프로그램 오류로 연결이 끊어졌으며 자세한 내용은 로그에 있습니다. 자동으로 다시 연결합니다.",
  },
  "node-lost": {
    code: "NODE_LOST",
    severity: "transient",
    en: "The server that carried this channel is gone, not the platform: the stream goes on as soon as the encoder reconnects to another server.",
    ko: "플랫폼이 아니라 이 채널을 송출하던 서버가 사라졌습니다. 인코더가 다른 서버에 다시 연결되면 송출이 이어집니다.",
  },
  "codec-unsupported": {
    code: "CODEC_UNSUPPORTED",
    severity: "fatal",
    en: "This platform does not take the stream's codec ({detail}): choose another codec in the encoder, or choose a track for this platform that it takes.",
    ko: "이 플랫폼은 스트림의 코덱({detail})을 지원하지 않습니다. 인코더에서 다른 코덱을 고르거나, 이 플랫폼만 지원되는 트랙으로 바꿔 주세요.",
  },
  "video-track-missing": {
    code: "CODEC_UNSUPPORTED",
    severity: "fatal",
    en: "The stream does not have the video track chosen for this platform ({detail}): turn the track on in the encoder, or choose another one for this platform; it is sent as soon as it is there.",
    ko: "스트림에 이 플랫폼에 지정한 영상 트랙({detail})이 없습니다. 인코더에서 그 트랙을 켜거나, 이 플랫폼에 다른 트랙을 지정해 주세요. 트랙이 나타나면 바로 송출합니다.",
  },
  "audio-track-missing": {
    code: "CODEC_UNSUPPORTED",
    severity: "fatal",
    en: "The stream does not have the audio track chosen for this platform ({detail}): turn the track on in the encoder, or choose another one for this platform; it is sent as soon as it is there.",
    ko: "스트림에 이 플랫폼에 지정한 오디오 트랙({detail})이 없습니다. 인코더에서 그 트랙을 켜거나, 이 플랫폼에 다른 트랙을 지정해 주세요. 트랙이 나타나면 바로 송출합니다.",
  },
  stalled: {
    code: "STALLED",
    severity: "transient",
    en: "The platform has taken no data for 5 seconds: its connection is too slow or broken; lower the bitrate if this lasts.",
    ko: "플랫폼이 5초 동안 데이터를 받지 않았습니다. 연결이 느리거나 끊어진 상태입니다. 계속되면 비트레이트를 낮춰 주세요.",
  },
  hangs: {
    code: "STALLED",
    severity: "transient",
    en: "The platform has acknowledged nothing for 5 seconds, although data still reaches its machine: its program hangs or is overloaded; we go on sending.",
    ko: "데이터는 플랫폼 서버까지 도착하지만 5초 동안 수신 확인이 없습니다. 플랫폼의 프로그램이 멈췄거나 과부하 상태입니다. 계속 전송합니다.",
  },
  "uplink-stalled": {
    code: "STALLED",
    severity: "transient",
    en: "All platforms stopped taking data at the same moment: this server's own connection to the internet is the likely cause; check the upload, or lower the bitrate.",
    ko: "모든 플랫폼이 동시에 데이터를 받지 않게 되었습니다. 이 서버의 인터넷 연결이 원인일 가능성이 큽니다. 업로드 상태를 확인하거나 비트레이트를 낮춰 주세요.",
  },
  "too-slow": {
    code: "STALLED",
    severity: "transient",
    en: "The platform is too slow for this stream, and its setting is to disconnect it then: lower the bitrate if this repeats.",
    ko: "플랫폼이 이 스트림을 받기에 너무 느려, 설정대로 연결을 끊었습니다. 반복되면 비트레이트를 낮춰 주세요.",
  },
} as const satisfies Readonly<Record<string, TargetSentence>>;

export type TargetErrorName = keyof typeof SENTENCES;

/** Every name, for tests and lists. */
export const TARGET_ERROR_NAMES = Object.keys(SENTENCES) as readonly TargetErrorName[];

/**
 * Returns the error of this name. `detail` replaces the placeholder in its sentence; without it the placeholder is
 * removed.
 */
export function targetError(name: TargetErrorName, detail = ""): TargetError {
  const { code, severity, en, ko } = SENTENCES[name];
  const fill = (sentence: string) =>
    detail === "" ? sentence.replace(/ ?\(\{detail\}\)/, "") : sentence.replace("{detail}", detail);
  return { code, severity, message: fill(en), messageKo: fill(ko) };
}

/** Whether this is the error of that name. An error that comes from another thread has a sentence and no name. */
export function isTargetError(error: TargetError, name: TargetErrorName): boolean {
  const head = SENTENCES[name].en.split("{detail}", 1)[0] ?? "";
  return error.message.startsWith(head.endsWith(" (") ? head.slice(0, -2) : head);
}
