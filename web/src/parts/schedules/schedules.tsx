import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import type { Channel, MediaFile, Schedule } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { formatDateTime } from "../../text/format.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { Icon } from "../basic/icon.tsx";
import { noteText } from "../basic/notice.tsx";
import { useReading } from "../lists/reading.ts";
import { SCHEDULE_PATH, ScheduleForm } from "./schedule-form.tsx";

/** How often the list is read while the panel is open, in milliseconds. */
const READ_EVERY_MS = 10_000;
/** Next starts that are shown. */
const NEXT_SHOWN = 3;

/** The panel of schedules. It asks the server for nothing until it is opened. */
export function Schedules({ channel }: { readonly channel: Channel }) {
  const isOpen = useSignal(false);
  return (
    <section class="panel" aria-labelledby="schedules-title">
      <div class="panel-head">
        <h2 id="schedules-title">{panelTexts().schedules.title}</h2>
        <button type="button" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          {isOpen.value ? t().common.close : panelTexts().schedules.open}
        </button>
      </div>
      {isOpen.value && <ScheduleList channelId={channel.channelId} />}
    </section>
  );
}

type Question = { readonly kind: "form" | "delete"; readonly schedule?: Schedule };

function ScheduleList({ channelId }: { readonly channelId: string }) {
  const texts = panelTexts().schedules;
  const schedules = useSignal<readonly Schedule[] | undefined>(undefined);
  const files = useSignal<readonly MediaFile[]>([]);
  const question = useSignal<Question | undefined>(undefined);
  const [readSchedules] = useReading(
    () => content(api.GET("/re-stream/channels/{channelId}/schedules", ofChannel(channelId))),
    (found) => (schedules.value = found),
  );
  const refresh = async (): Promise<void> => {
    // One that fails is read again in a moment.
    files.value = await content(api.GET("/media-files")).catch(() => files.value);
    await readSchedules().catch(() => undefined);
  };
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [channelId, returns.value]);
  const all = schedules.value;
  if (all === undefined) return null;
  const close = (): void => {
    question.value = undefined;
  };
  const { kind, schedule } = question.value ?? {};
  return (
    <div class="source">
      <p class="quiet">{texts.intro}</p>
      {all.length === 0 && <p class="quiet">{texts.none}</p>}
      <ul>
        {all.map((each) => (
          <Row
            key={each.scheduleId}
            {...{ schedule: each, all, channelId, refresh }}
            onAsk={(asked) => (question.value = { kind: asked, schedule: each })}
          />
        ))}
      </ul>
      <button type="button" onClick={() => (question.value = { kind: "form" })}>
        <Icon name="plus" /> {texts.add}
      </button>
      {kind === "form" && (
        <Dialog title={schedule === undefined ? texts.add : texts.edit(nameOf(schedule))} onClose={close}>
          <ScheduleForm {...{ channelId, schedule, files: files.value }} onSaved={refresh} onClose={close} />
        </Dialog>
      )}
      {kind === "delete" && schedule !== undefined && (
        <Confirm
          title={texts.delete(nameOf(schedule))}
          text={texts.deleteSure}
          run={async () => {
            await api.DELETE(SCHEDULE_PATH, { params: { path: { channelId, scheduleId: schedule.scheduleId } } });
            void refresh();
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

type RowOptions = {
  readonly schedule: Schedule;
  readonly all: readonly Schedule[];
  readonly channelId: string;
  readonly refresh: () => Promise<void>;
  readonly onAsk: (kind: Question["kind"]) => void;
};

function Row({ schedule, all, channelId, refresh, onAsk }: RowOptions) {
  const texts = panelTexts().schedules;
  const { scheduleId, paused, nextTimes, overlapsWith } = schedule;
  const name = nameOf(schedule);
  const setPaused = async (isPaused: boolean): Promise<void> => {
    await api.PUT(SCHEDULE_PATH, { params: { path: { channelId, scheduleId } }, body: { paused: isPaused } });
    await refresh();
  };
  const others = all.filter((each) => overlapsWith.includes(each.scheduleId)).map(nameOf);
  const next = nextTimes.slice(0, NEXT_SHOWN).map(formatDateTime).join(" · ");
  return (
    <li>
      <div class="buttons">
        <span>
          <strong>{name}</strong> <small>{timingText(schedule)}</small>
        </span>
        <Action label={paused ? texts.resume(name) : texts.pause(name)} run={() => setPaused(!paused)}>
          {paused ? texts.resumeShort : texts.pauseShort}
        </Action>
        <button type="button" aria-label={texts.edit(name)} onClick={() => onAsk("form")}>
          {t().common.edit}
        </button>
        <button type="button" class="plain" aria-label={texts.delete(name)} onClick={() => onAsk("delete")}>
          <Icon name="cross" />
        </button>
      </div>
      <p class="quiet">{paused ? texts.paused : nextTimes.length === 0 ? texts.over : texts.next(next)}</p>
      <LastRun schedule={schedule} />
      {others.length > 0 && <p class="tone-busy">{texts.overlaps(others.join(", "))}</p>}
    </li>
  );
}

function LastRun({ schedule: { lastRun } }: { readonly schedule: Schedule }) {
  const texts = panelTexts().schedules;
  if (lastRun === undefined || lastRun.result === "BEGUN") return null;
  const time = formatDateTime(lastRun.time);
  if (lastRun.result === "STARTED") return <p class="quiet">{texts.started(time)}</p>;
  return (
    <p class="problem">
      {texts.missed(time)} {noteText(lastRun)}
    </p>
  );
}

/** When it starts and ends, and in which zone. */
function timingText({ repeat, onDate, days = [], startAt, endAt, timeZone }: Schedule): string {
  const texts = panelTexts().schedules;
  const when = repeat === "once" ? (onDate ?? "") : texts.repeats[repeat];
  const weekdays = days.map((day) => texts.dayNames[day]).join(", ");
  const time = endAt === undefined ? startAt : texts.until(startAt, endAt);
  return [when, weekdays, time, timeZone].filter((part) => part !== "").join(" · ");
}

const nameOf = ({ scheduleName }: Schedule): string =>
  scheduleName === "" ? panelTexts().schedules.unnamed : scheduleName;
