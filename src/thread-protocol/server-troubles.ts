import type { MachineTrouble } from "../base/system-errors.ts";

type Sentence = { readonly en: string; readonly ko: string };

/** A firewall concerns one address: that target's own error says so. */
type SharedTrouble = Exclude<MachineTrouble, "firewall">;

/** Everything that can be wrong with this server itself, in sentences for people: what is wrong, and what to do. */
const SENTENCES = {
  descriptors: {
    en: "This server has no file descriptors left: raise its limit on open files (LimitNOFILE, ulimit -n, --ulimit nofile) and start it again.",
    ko: "이 서버에 남은 파일 디스크립터가 없습니다. 열린 파일 수 제한(LimitNOFILE, ulimit -n, --ulimit nofile)을 늘린 뒤 다시 시작해 주세요.",
  },
  memory: {
    en: "This server has no memory left for a connection: give the machine more memory, or run fewer programs on it.",
    ko: "이 서버에 연결을 위한 메모리가 부족합니다. 메모리를 늘리거나 다른 작업을 줄여 주세요.",
  },
  ports: {
    en: "This server has no free local address and port for a connection: widen net.ipv4.ip_local_port_range, or check its addresses.",
    ko: "이 서버에 연결에 쓸 로컬 주소와 포트가 없습니다. net.ipv4.ip_local_port_range를 넓히거나 서버의 주소를 확인해 주세요.",
  },
  "no-route": {
    en: "This server has no route to a platform: check its network connection and its routes.",
    ko: "이 서버에서 플랫폼으로 가는 경로가 없습니다. 네트워크 연결과 라우팅을 확인해 주세요.",
  },
  "database-damaged": {
    en: "This server's database is damaged, or its disk fails: streams go on, but restore a backup (fanfare restore FOLDER), or save what can still be read (sqlite3 FILE .recover); fanfare doctor says what is damaged.",
    ko: "이 서버의 데이터베이스가 손상되었거나 디스크에 문제가 있습니다. 스트림은 계속되지만 백업을 복원하거나(fanfare restore FOLDER) 읽을 수 있는 내용을 살려 두세요(sqlite3 FILE .recover). 손상된 부분은 fanfare doctor로 확인할 수 있습니다.",
  },
  "database-read-only": {
    en: "This server's database could not be opened for writing: streams with known keys run, but nothing can be changed or counted; free disk space, or make its folder writable, and it recovers by itself.",
    ko: "이 서버의 데이터베이스를 쓰기용으로 열지 못했습니다. 등록된 키의 스트림은 송출되지만 변경이나 집계는 저장되지 않습니다. 디스크 공간을 확보하거나 폴더를 쓸 수 있게 하면 자동으로 회복됩니다.",
  },
  "database-unwritable": {
    en: "This server's database accepts no writes, or not all: its disk is full, another process locks it, or the PostgreSQL server cannot be reached or refuses them. Streams go on, but changes and counts are not stored. The log says which (database takes no write); once that is mended, it recovers by itself.",
    ko: "이 서버의 데이터베이스에 기록할 수 없습니다. 디스크가 가득 찼거나, 다른 프로세스가 점유하고 있거나, PostgreSQL 서버에 연결할 수 없거나 PostgreSQL 서버가 기록을 거부합니다. 스트림은 계속되지만 변경이나 집계는 저장되지 않습니다. 원인은 로그(database takes no write)에 있으며, 해결하면 자동으로 회복됩니다.",
  },
  overloaded: {
    en: "This server cannot keep up: its threads are busy or were stopped. Send fewer streams through it, give it more processors, or find what else uses them.",
    ko: "이 서버의 처리 능력이 부족하거나 멈춘 적이 있습니다. 스트림 수를 줄이거나 프로세서를 늘리고, 프로세서를 쓰는 다른 작업을 확인해 주세요.",
  },
} as const satisfies Readonly<Record<SharedTrouble, Sentence>> & Readonly<Record<string, Sentence>>;

export type ServerTroubleName = keyof typeof SENTENCES;

/** The trouble of the whole server behind a connection's trouble; undefined where only that connection is affected. */
export function sharedTrouble(trouble: MachineTrouble): ServerTroubleName | undefined {
  return trouble === "firewall" ? undefined : trouble;
}

/** Every name, for tests and lists. */
export const SERVER_TROUBLE_NAMES = Object.keys(SENTENCES) as readonly ServerTroubleName[];

export type ServerTroubleText = { readonly message: string; readonly messageKo: string };

export function serverTroubleText(name: ServerTroubleName): ServerTroubleText {
  const { en, ko } = SENTENCES[name];
  return { message: en, messageKo: ko };
}
