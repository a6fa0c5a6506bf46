/** What a person has to change, in plain words: in English and in Korean. */
export type Hint = { readonly hint: string; readonly hintKo: string };

/** A required field is missing. */
export const MISSING_HINT: Hint = { hint: "Fill this in.", hintKo: "필수 항목입니다." };

/** The hints by the rule in an error's details. A test compares them with the rules of all fields. */
const HINTS: Readonly<Record<string, readonly [en: string, ko: string]>> = {
  "1 to 100 letters, digits, dots, underscores or hyphens": [
    "Use 1 to 100 letters, digits, dots, underscores or hyphens.",
    "영문자, 숫자, 점, 밑줄, 하이픈을 1~100자로 입력해 주세요.",
  ],
  "an address without blanks, control characters or backslashes": [
    "An address has no spaces, line breaks or backslashes.",
    "주소에는 공백, 줄바꿈, 역슬래시를 사용할 수 없습니다.",
  ],
  "an address that begins with rtmp:// or rtmps://": [
    "Start the address with rtmp://, rtmps:// or srt://.",
    "rtmp://, rtmps:// 또는 srt://로 시작하는 주소를 입력해 주세요.",
  ],
  "an address that begins with http:// or https://": [
    "Start the address with http:// or https://.",
    "http:// 또는 https://로 시작하는 주소를 입력해 주세요.",
  ],
  "an address without user and password; send those as id and password": [
    "Enter the username and password in their own fields under Advanced, not in the address.",
    "사용자 이름과 비밀번호는 주소가 아니라 고급 설정의 해당 칸에 입력해 주세요.",
  ],
  "an address without user and password": [
    "An address has no username and password in it.",
    "주소에 사용자 이름과 비밀번호를 넣을 수 없습니다.",
  ],
  "an address with a host, and nothing but a port after it": [
    "After the host there can only be a colon and a port.",
    "호스트 뒤에는 콜론과 포트만 올 수 있습니다.",
  ],
  "a port from 1 to 65535, without leading zeros": [
    "A port is a number from 1 to 65535.",
    "포트는 1~65535 사이의 숫자입니다.",
  ],
  "an address of at most 1024 characters": [
    "An address has at most 1024 characters.",
    "주소는 1024자까지 입력할 수 있습니다.",
  ],
  "an address that begins with rtmp://, rtmps://, rtsp://, srt://, http:// or https://": [
    "Start the address with rtmp://, rtmps://, rtsp://, srt://, http:// or https://.",
    "rtmp://, rtmps://, rtsp://, srt://, http:// 또는 https://로 시작하는 주소를 입력해 주세요.",
  ],
  "an address without blanks and special characters": [
    "An address has no spaces, and no characters but those of English addresses.",
    "주소에는 공백이나 특수 문자를 사용할 수 없습니다.",
  ],
  "an address of at most 2048 characters": [
    "An address has at most 2048 characters.",
    "주소는 2048자까지 입력할 수 있습니다.",
  ],
  "an address with a port from 1 to 65535": [
    "The address needs a port from 1 to 65535, such as srt://host:9000.",
    "srt://host:9000처럼 주소에 1~65535 사이의 포트가 필요합니다.",
  ],
  "an address with its password, not with asterisks": [
    "Enter the address with its password: the asterisks stand for what isn't shown.",
    "별표는 표시하지 않는 값입니다. 비밀번호가 들어 있는 주소를 입력해 주세요.",
  ],
  "an address in full, not with “…”": [
    "Enter the whole address: “…” stands for what isn't shown.",
    "“…”는 표시하지 않는 부분입니다. 주소 전체를 입력해 주세요.",
  ],
  "the text in full, not with asterisks": [
    "Enter it in full: the asterisks stand for what isn't shown.",
    "별표는 표시하지 않는 부분입니다. 값 전체를 입력해 주세요.",
  ],
  "text of at most 80 characters, none of them a control character": [
    "Use at most 80 characters, on one line.",
    "한 줄로 80자까지 입력할 수 있습니다.",
  ],
  "the name of a time zone, such as Asia/Seoul": [
    "Enter the name of a time zone, such as Asia/Seoul.",
    "Asia/Seoul 같은 시간대 이름을 입력해 주세요.",
  ],
  "a time of day such as 20:00 or 20:00:30": [
    "Enter a time of day, such as 20:00.",
    "20:00처럼 하루 중의 시각을 입력해 주세요.",
  ],
  "a date such as 2026-12-24": ["Enter a date, such as 2026-12-24.", "2026-12-24 같은 날짜를 입력해 주세요."],
  "a whole number of seconds from 1 to 2678400": [
    "Enter a length of 1 second to 31 days.",
    "1초에서 31일 사이의 길이를 입력해 주세요.",
  ],
  "an address": ["This isn't an address.", "올바른 주소가 아닙니다."],
  "an address with a host": [
    "The host is missing, such as live.example.com.",
    "live.example.com 같은 호스트가 빠져 있습니다.",
  ],
  "a host of letters, digits, hyphens and dots": [
    "A host has only letters, digits, hyphens and dots.",
    "호스트에는 문자, 숫자, 하이픈, 점만 사용할 수 있습니다.",
  ],
  "a host without two dots in a row": [
    "A host doesn't have two dots in a row.",
    "호스트에 점을 두 번 연달아 쓸 수 없습니다.",
  ],
  "a host whose parts neither begin nor end with a hyphen": [
    "No part of a host begins or ends with a hyphen.",
    "호스트의 각 부분은 하이픈으로 시작하거나 끝날 수 없습니다.",
  ],
  "a host of at most 253 characters, 63 between two dots": ["This host is too long.", "호스트가 너무 깁니다."],
  "a host that is a name, an IPv6 address in brackets or four decimal numbers without leading zeros": [
    "An IP address is four numbers, such as 192.0.2.10, without leading zeros.",
    "IP 주소는 192.0.2.10처럼 앞에 0이 붙지 않은 숫자 네 개로 입력해 주세요.",
  ],
  "a valid IPv6 address in the brackets": [
    "The IPv6 address in brackets isn't valid.",
    "대괄호 안의 IPv6 주소가 올바르지 않습니다.",
  ],
  "a host that is a valid international name": [
    "This host isn't a valid international name.",
    "올바른 다국어 도메인 이름이 아닙니다.",
  ],
  "the platform's key": ["Paste the stream key.", "스트림 키를 붙여 넣어 주세요."],
  "the platform's key; without blanks, prefixes and invisible characters nothing is left of this one": [
    "Only spaces or a prefix were pasted. Copy the stream key again.",
    "공백이나 접두어만 입력되었습니다. 스트림 키를 다시 복사해 주세요.",
  ],
  "the platform's key; this is its address, with no key behind it": [
    "This is the server's address, without a key. Copy the stream key.",
    "서버 주소만 있고 키가 없습니다. 스트림 키를 복사해 주세요.",
  ],
  "an rtmp://, rtmps:// or srt:// address": [
    "Start the address with rtmp://, rtmps:// or srt://.",
    "rtmp://, rtmps:// 또는 srt://로 시작하는 주소를 입력해 주세요.",
  ],
  "an http:// or https:// address": [
    "Start the address with http:// or https://.",
    "http:// 또는 https://로 시작하는 주소를 입력해 주세요.",
  ],
  "3 to 20 Korean or English letters, digits or _": [
    "Enter 3 to 20 Korean or English letters, digits or _.",
    "한글, 영문, 숫자, _로 3~20자를 입력해 주세요.",
  ],
  "text of 1 to 80 characters, none of them a control character": [
    "Enter 1 to 80 characters, without line breaks or control characters.",
    "줄바꿈이나 제어 문자 없이 1~80자를 입력해 주세요.",
  ],
  "text of at most 40 characters": ["Enter at most 40 characters.", "40자까지 입력할 수 있습니다."],
  "at most 40 characters, no control characters": [
    "Enter at most 40 characters, without line breaks or control characters.",
    "줄바꿈이나 제어 문자 없이 40자까지 입력할 수 있습니다.",
  ],
  "text of at most 128 characters": ["Enter at most 128 characters.", "128자까지 입력할 수 있습니다."],
  "text of at most 512 characters": ["Enter at most 512 characters.", "512자까지 입력할 수 있습니다."],
  "a name without blanks and & ? # = / : @": [
    "A username has no spaces and none of & ? # = / : @.",
    "사용자 이름에는 공백과 & ? # = / : @ 문자를 사용할 수 없습니다.",
  ],
  "10 to 79 English letters, digits and signs, without & ? # % + and blanks; empty for none": [
    "Enter 10 to 79 English letters, digits or signs, without spaces and & ? # % +.",
    "영문, 숫자, 기호로 10~79자를 입력해 주세요. 공백과 & ? # % + 문자는 사용할 수 없습니다.",
  ],
  "certificates in PEM form, at most 16384 characters": [
    "Paste certificates in PEM format, at most 16384 characters.",
    "PEM 형식의 인증서를 16384자 이내로 붙여 넣어 주세요.",
  ],
  "the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons": [
    "Enter 64 hexadecimal digits, with or without colons.",
    "16진수 64자리를 입력해 주세요. 콜론은 있어도 됩니다.",
  ],
  "a whole number of seconds from 0 to 900": [
    "Enter a whole number from 0 to 900.",
    "0~900 사이의 정수를 입력해 주세요.",
  ],
  "a whole number of seconds from 0 to 1800": [
    "Enter a whole number from 0 to 1800.",
    "0~1800 사이의 정수를 입력해 주세요.",
  ],
  "a whole number of seconds from 5 to 120": [
    "Enter a whole number from 5 to 120.",
    "5~120 사이의 정수를 입력해 주세요.",
  ],
  "0, or a whole number of seconds from 5 to 600": [
    "Enter 0, or a whole number from 5 to 600.",
    "0 또는 5~600 사이의 정수를 입력해 주세요.",
  ],
  "a whole number of seconds from 10 to 3600": [
    "Enter a whole number from 10 to 3600.",
    "10~3600 사이의 정수를 입력해 주세요.",
  ],
  "at most 100 numbers of platforms": ["Choose at most 100 platforms.", "플랫폼은 100개까지 선택할 수 있습니다."],
  "a file name of 1 to 200 characters": [
    "Enter a file name of 1 to 200 characters.",
    "파일 이름을 1~200자로 입력해 주세요.",
  ],
  "a whole number of bytes from 1 to 1099511627776": [
    "Enter a size of 1 byte to 1 TiB, in bytes.",
    "크기를 1바이트~1TiB 사이의 바이트 수로 입력해 주세요.",
  ],
  "a track's number, 0 to 255": ["Enter a whole number from 0 to 255.", "0~255 사이의 정수를 입력해 주세요."],
  "at most 10 texts of 1 to 30 characters, none of them a control character": [
    "A channel has at most 10 labels of 1 to 30 characters each, without line breaks.",
    "라벨은 채널마다 10개까지, 하나에 줄바꿈 없이 1~30자까지 입력할 수 있습니다.",
  ],
  "text of 1 to 40 characters, none of them a control character": [
    "Enter 1 to 40 characters, without line breaks.",
    "줄바꿈 없이 1~40자를 입력해 주세요.",
  ],
  "a bot's token, such as 123456:ABC-DEF…": [
    "Enter the whole token that @BotFather gave you.",
    "@BotFather가 알려 준 토큰 전체를 입력해 주세요.",
  ],
  "a chat's number, or @ and a channel's name": [
    "Enter the chat's number, such as -1001234567890, or @ and the channel's name.",
    "-1001234567890 같은 채팅 번호나 @채널이름을 입력해 주세요.",
  ],
  "a mail address": ["This is not a mail address.", "메일 주소가 아닙니다."],
  "1 to 20 mail addresses": ["Enter 1 to 20 mail addresses.", "메일 주소를 1~20개 입력해 주세요."],
  "at most 100 channel ids": ["Enter at most 100 channel IDs.", "채널 ID는 100개까지 입력할 수 있습니다."],
  "8 to 256 characters": ["Enter 8 to 256 characters.", "8~256자를 입력해 주세요."],
  "text of at most 256 characters": ["Enter at most 256 characters.", "256자까지 입력할 수 있습니다."],
};

/** The hint for a rule; undefined where there is none. */
export function hintOf(rule: string): Hint | undefined {
  const [hint, hintKo] = Object.hasOwn(HINTS, rule) ? (HINTS[rule] ?? []) : [];
  return hint === undefined || hintKo === undefined ? undefined : { hint, hintKo };
}
