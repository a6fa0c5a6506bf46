import type { Platform } from "../../base/model.ts";
import { language } from "../../text/text.ts";
import { type Fields, optionalLabel, TextField } from "../basic/form.tsx";

type Windows = NonNullable<Platform["windows"]>;

const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
const LINE = /^(?:([A-Z, ]+) )?(\d\d?:\d\d(?::\d\d)?) ?[-–] ?(\d\d?:\d\d(?::\d\d)?)$/;

/** The texts of this part, in both languages. */
const en = {
  label: "On only in these windows",
  help: "One on each line, such as MON FRI 20:00-22:00. Without days it is every day. Empty: always on.",
  zone: "Time zone of the windows",
  wrong: "A line such as MON FRI 20:00-22:00",
  closed: "Off: outside of its windows.",
  opened: "On outside of its windows, until the next one opens.",
};

const ko: typeof en = {
  label: "이 시간에만 송출",
  help: "한 줄에 하나씩 입력하세요. 예: MON FRI 20:00-22:00. 요일이 없으면 매일입니다. 비워 두면 항상 송출합니다.",
  zone: "송출 시간의 시간대",
  wrong: "MON FRI 20:00-22:00처럼 입력해 주세요.",
  closed: "꺼짐: 송출 시간이 아닙니다.",
  opened: "송출 시간은 아니지만 다음 송출 시간까지 켜져 있습니다.",
};

const words = (): typeof en => ({ en, ko })[language.value];

/** The windows of a platform as people write them, one a line. */
function textOf({ open }: Windows): string {
  return open
    .map(({ days, startAt, endAt }) => {
      const chosen = days.length === DAYS.length ? "" : `${days.join(" ")} `;
      return `${chosen}${startAt}-${endAt}`;
    })
    .join("\n");
}

/** The windows in this text; undefined where a line is none. */
function read(text: string): Windows["open"] | undefined {
  const open: Windows["open"] = [];
  for (const line of text.toUpperCase().split("\n")) {
    if (line.trim() === "") continue;
    const [, names, startAt = "", endAt = ""] = LINE.exec(line.trim().replaceAll(/\s+/g, " ")) ?? [];
    const days = (names ?? DAYS.join(" ")).split(/[, ]+/).filter((name) => name !== "");
    const known = DAYS.filter((day) => days.includes(day));
    if (startAt === "" || known.length !== new Set(days).size) return undefined;
    open.push({ days: known, startAt: startAt.padStart(5, "0"), endAt: endAt.padStart(5, "0") });
  }
  return open;
}

/** What the fields say, for the request. */
export function windowsOf(field: Fields): { readonly windows?: object } {
  const timeZone = field("windowsZone").trim();
  return { windows: { open: read(field("windows")) ?? [], ...(timeZone === "" ? {} : { timeZone }) } };
}

/** When the platform is on. */
export function WindowsFields({ platform }: { readonly platform: Platform | undefined }) {
  const texts = words();
  const { windows } = platform ?? {};
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <TextField
        label={optionalLabel(texts.label)}
        name="windows"
        help={texts.help}
        value={windows === undefined ? "" : textOf(windows)}
        check={(text) => (read(text) === undefined ? texts.wrong : undefined)}
        rows={2}
      />
      <TextField label={texts.zone} name="windowsZone" value={windows?.timeZone ?? own} />
    </>
  );
}

/** Why a platform with windows is off, or on outside of them. */
export function WindowNote({ platform: { windowState, enabled } }: { readonly platform: Platform }) {
  if (!enabled) return null;
  return <p class="quiet">{windowState === "CLOSED" ? words().closed : words().opened}</p>;
}
