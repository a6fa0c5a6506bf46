import type { TargetSentence } from "./target-sentence.ts";

/** How a target rejected, or did not answer, our connect, login or publish. */
export const REFUSAL_SENTENCES = {
  "connect-unanswered": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform did not answer our connect request in time; we go on trying.",
    ko: "플랫폼이 접속 요청에 제때 응답하지 않았습니다. 계속 재시도합니다.",
  },
  "connect-refused": {
    code: "CONNECT_REJECTED",
    severity: "fatal",
    en: "The platform rejected the application ({detail}): check the path of the URL.",
    ko: "플랫폼이 애플리케이션을 거부했습니다({detail}). URL의 경로를 확인해 주세요.",
  },
  "connect-forbidden": {
    code: "CONNECT_REJECTED",
    severity: "fatal",
    en: "The platform forbids this server to connect ({detail}): check the path of the URL, and ask the platform whether this account and this server's address may publish there.",
    ko: "플랫폼이 이 서버의 접속을 금지했습니다({detail}). URL의 경로를 확인하고, 이 계정과 이 서버의 주소로 송출할 수 있는지 플랫폼에 문의해 주세요.",
  },
  "connect-full": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform has no room for another stream ({detail}): its operator has to make room; we go on trying.",
    ko: "플랫폼이 더 이상 스트림을 받을 수 없습니다({detail}). 플랫폼 서버의 운영자가 수용량을 늘려야 합니다. 계속 재시도합니다.",
  },
  "redirect-refused": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform redirects us to an address that is not allowed ({detail}): ask its operator; we go on trying.",
    ko: "플랫폼이 허용되지 않는 주소로 연결을 넘깁니다({detail}). 플랫폼 서버의 운영자에게 문의해 주세요. 계속 재시도합니다.",
  },
  "redirect-endless": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform redirects us from server to server without end: ask its operator; we go on trying.",
    ko: "플랫폼이 연결을 계속 다른 서버로 넘깁니다. 플랫폼 서버의 운영자에게 문의해 주세요. 계속 재시도합니다.",
  },
  "redirect-unreachable": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform redirects us to a server that we cannot connect to ({detail}): ask its operator if this lasts; we go on trying.",
    ko: "플랫폼이 연결할 수 없는 다른 서버로 넘깁니다({detail}). 계속되면 플랫폼 서버의 운영자에게 문의해 주세요. 계속 재시도합니다.",
  },
  "connect-closed": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform closed the connection when we sent the application's name: check the path of the URL.",
    ko: "애플리케이션 이름을 알리자 플랫폼이 연결을 닫았습니다. URL의 경로를 확인해 주세요.",
  },
  "login-demanded": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "The platform requires a username and password for publishing.",
    ko: "플랫폼이 사용자 이름과 비밀번호를 요구합니다.",
  },
  "login-refused": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "The platform rejected the username and password: check both; we try again once a minute.",
    ko: "플랫폼이 사용자 이름과 비밀번호를 거부했습니다. 둘 다 확인해 주세요. 1분마다 다시 시도합니다.",
  },
  "login-closed": {
    code: "AUTH_FAILED",
    severity: "transient",
    en: "The platform closed the connection when we logged in: check username and password; we go on trying.",
    ko: "로그인하는 중에 플랫폼이 연결을 닫았습니다. 사용자 이름과 비밀번호를 확인해 주세요. 계속 재시도합니다.",
  },
  "login-unsupported": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "The platform demands a kind of login that is not supported: ask it for an address that needs only a stream key.",
    ko: "플랫폼이 지원하지 않는 방식의 로그인을 요구합니다. 스트림 키만으로 송출할 수 있는 주소를 플랫폼에 문의해 주세요.",
  },
  "publish-unanswered": {
    code: "PUBLISH_REJECTED",
    severity: "transient",
    en: "The platform did not answer our publish request in time: check the stream key; we go on trying.",
    ko: "플랫폼이 송출 요청에 제때 응답하지 않았습니다. 스트림 키를 확인해 주세요. 계속 재시도합니다.",
  },
  "publish-refused": {
    code: "PUBLISH_REJECTED",
    severity: "fatal",
    en: "The platform rejected the stream key ({detail}): copy it again from the platform.",
    ko: "플랫폼이 스트림 키를 거부했습니다({detail}). 플랫폼에서 스트림 키를 다시 복사해 주세요.",
  },
  "publish-refused-otherwise": {
    code: "PUBLISH_REJECTED",
    severity: "fatal",
    en: "The platform rejected the broadcast ({detail}): check on the platform whether the stream key is still valid and the broadcast is open.",
    ko: "플랫폼이 송출을 거부했습니다({detail}). 플랫폼에서 스트림 키가 유효한지, 방송이 열려 있는지 확인해 주세요.",
  },
  "stream-number-broken": {
    code: "PUBLISH_REJECTED",
    severity: "transient",
    en: "The platform's answer to createStream has no valid stream number: its server is at fault, not the URL or the key; we go on trying.",
    ko: "createStream에 대한 플랫폼의 응답에 RTMP가 허용하는 번호가 없습니다. URL이나 키가 아니라 플랫폼 서버의 오류입니다. 계속 재시도합니다.",
  },
  "publish-closed": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform closed the connection when we sent the stream key: most likely the key is wrong or has expired.",
    ko: "스트림 키를 보내자 플랫폼이 연결을 닫았습니다. 스트림 키가 틀렸거나 만료되었을 가능성이 큽니다.",
  },
  "key-in-use": {
    code: "STREAM_KEY_IN_USE",
    severity: "transient",
    en: "The platform says that this stream key is already in use ({detail}): stop the other program.",
    ko: "플랫폼에서 이 스트림 키를 이미 사용 중입니다({detail}). 다른 송출 프로그램을 중지해 주세요.",
  },
  "key-used-by-twin": {
    code: "STREAM_KEY_IN_USE",
    severity: "transient",
    en: "Another platform of this channel ({detail}) publishes with the same address and key, and the platform takes only one of them: give this one a key of its own, or turn one off.",
    ko: "이 채널의 다른 플랫폼({detail})이 같은 주소와 키로 송출하고 있고, 플랫폼은 하나만 받습니다. 이 플랫폼에 다른 키를 지정하거나 둘 중 하나를 꺼 주세요.",
  },
  "refused-beside-twin": {
    code: "PUBLISH_REJECTED",
    severity: "fatal",
    en: "The platform rejected the stream key; another platform of this channel ({detail}) has the same address and key, and most targets take only one of them: give this one a key of its own, or turn one off.",
    ko: "플랫폼이 스트림 키를 거부했습니다. 이 채널의 다른 플랫폼({detail})에 같은 주소와 키가 있고, 대부분의 플랫폼은 하나만 받습니다. 다른 키를 지정하거나 둘 중 하나를 꺼 주세요.",
  },
  "closed-beside-twin": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The platform closed the connection; another platform of this channel ({detail}) has the same address and key, and most targets keep only one of them: give this one a key of its own, or turn one off.",
    ko: "플랫폼이 연결을 닫았습니다. 이 채널의 다른 플랫폼({detail})에 같은 주소와 키가 있고, 대부분의 플랫폼은 하나만 유지합니다. 다른 키를 지정하거나 둘 중 하나를 꺼 주세요.",
  },
  "key-lingers": {
    code: "STREAM_KEY_IN_USE",
    severity: "transient",
    en: "The platform says that this stream key is in use: usually it still holds our last connection; if this lasts, another program publishes with this key.",
    ko: "플랫폼에서 이 스트림 키를 사용 중이라고 합니다. 대개 아직 정리되지 않은 이전 연결이며, 계속되면 다른 프로그램이 같은 키로 송출하고 있는 것입니다.",
  },
} as const satisfies Readonly<Record<string, TargetSentence>>;
