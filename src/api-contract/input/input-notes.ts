import { type Removal, serverOf, tidyAddress, tidyKey } from "../../base/pasted-text.ts";

/** A note about accepted input that a person should know. */
export type InputNote = {
  readonly field: "rtmpUrl" | "streamKey";
  readonly code:
    | "INVISIBLE_REMOVED"
    | "ADDRESS_REMOVED"
    | "ADDRESS_IGNORED"
    | "PREFIX_REMOVED"
    | "SLASHES_REMOVED"
    | "BLANK_INSIDE"
    | "SAME_KEY";
  readonly message: string;
  readonly messageKo: string;
  /** The other platform that it is about. */
  readonly platId?: number;
};

const SENTENCES = {
  invisible: {
    code: "INVISIBLE_REMOVED",
    message: "Spaces around it, or invisible characters, were removed.",
    messageKo: "앞뒤 공백이나 보이지 않는 문자를 제거했습니다.",
  },
  address: {
    code: "ADDRESS_REMOVED",
    message: "The server's address in front of the key was removed: the key is only what follows it.",
    messageKo: "키 앞에 붙은 서버 주소를 제거했습니다. 그 뒤의 값만 키로 사용합니다.",
  },
  prefix: {
    code: "PREFIX_REMOVED",
    message: "A prefix such as mp4: in front of the key was removed.",
    messageKo: "키 앞에 붙은 mp4: 같은 접두어를 제거했습니다.",
  },
  slashes: {
    code: "SLASHES_REMOVED",
    message: "Slashes around the key were removed, and percent-encoded ones inside it are plain slashes now.",
    messageKo: "키 앞뒤의 슬래시를 제거하고, 퍼센트 인코딩된 슬래시를 일반 슬래시로 바꾸었습니다.",
  },
} as const satisfies Readonly<Record<Removal, Omit<InputNote, "field">>>;

const notesOf = (field: InputNote["field"], removed: readonly Removal[]): InputNote[] =>
  removed.map((removal) => ({ field, ...SENTENCES[removal] }));

/** Two platforms of a channel have the same address and key. `name`: the other's name for people. */
export function sameKeyNote(platId: number, name: string): InputNote {
  return {
    field: "streamKey",
    code: "SAME_KEY",
    message: `${name} of this channel has the same address and key: most platforms take only one of them at a time.`,
    messageKo: `이 채널의 ${name}에 같은 주소와 키가 있습니다. 대부분의 플랫폼은 동시에 하나만 받습니다.`,
    platId,
  };
}

/** Removes from a platform's address what was pasted with it. Returns the address and notes about what was removed. */
export function tidyRtmpUrl(given: string): { readonly text: string; readonly notes: readonly InputNote[] } {
  const { text, removed } = tidyAddress(given);
  return { text, notes: notesOf("rtmpUrl", removed) };
}

const BLANK_INSIDE: InputNote = {
  field: "streamKey",
  code: "BLANK_INSIDE",
  message: "The key has a space in it. Is it complete and copied correctly? It is used exactly as entered.",
  messageKo: "키 중간에 공백이 있습니다. 올바르게 복사했는지 확인해 주세요. 입력한 값을 그대로 사용합니다.",
};

/** The address in front of a key is that of another server. It is not used, since it may be there by mistake. */
const ADDRESS_IGNORED: InputNote = {
  field: "streamKey",
  code: "ADDRESS_IGNORED",
  message:
    "The key was pasted with the address of another server, which is ignored: the stream goes to the server that is set here. To use the other server, enter its address.",
  messageKo:
    "다른 서버의 주소와 함께 키를 붙여 넣었습니다. 그 주소는 사용하지 않고 여기에 설정된 서버로 송출합니다. 다른 서버를 사용하려면 서버 주소를 직접 입력해 주세요.",
};

/** The same for its key. A blank inside the key stays, because a platform may use one; a note asks about it. */
export function tidyStreamKey(
  given: string,
  rtmpUrl: string,
): { readonly text: string; readonly notes: readonly InputNote[] } {
  const { text, removed } = tidyKey(given, rtmpUrl);
  const isOther = removed.includes("address") && rtmpUrl !== "" && serverOf(given) !== serverOf(rtmpUrl);
  const notes = isOther
    ? [
        ...notesOf(
          "streamKey",
          removed.filter((each) => each !== "address"),
        ),
        ADDRESS_IGNORED,
      ]
    : notesOf("streamKey", removed);
  return { text, notes: /\s/.test(text) ? [...notes, BLANK_INSIDE] : notes };
}
