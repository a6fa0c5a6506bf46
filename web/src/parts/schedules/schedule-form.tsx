import { useSignal } from "@preact/signals";
import { api, type BodyOf, ofChannel } from "../../base/api.ts";
import type { MediaFile, Schedule } from "../../base/model.ts";
import { panelTexts } from "../../text/text.ts";
import { Field, type Fields, Form, optionalLabel, SelectField, TextField } from "../basic/form.tsx";

const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
const NAME_CHARACTERS_MAX = 80;
/** One schedule of a channel. */
export const SCHEDULE_PATH = "/re-stream/channels/{channelId}/schedules/{scheduleId}";
type Day = (typeof DAYS)[number];

type FormOptions = {
  readonly channelId: string;
  /** Absent: a new one. */
  readonly schedule?: Schedule | undefined;
  readonly files: readonly MediaFile[];
  readonly onSaved: () => Promise<void>;
  readonly onClose: () => void;
};

/** The form of one schedule. */
export function ScheduleForm({ channelId, schedule, files, onSaved, onClose }: FormOptions) {
  const texts = panelTexts().schedules;
  const repeat = useSignal(schedule?.repeat ?? "once");
  const chosen = useSignal<readonly string[]>(schedule?.fileIds ?? []);
  const days = useSignal<readonly Day[]>(schedule?.days ?? []);
  const ready = files.filter(({ fileState }) => fileState === "ready");
  /** A file that was deleted stays in the list while it is chosen: a person can take it out. */
  const gone = chosen.value.filter((id) => !ready.some(({ fileId }) => fileId === id));
  const submit = async (value: Fields): Promise<void> => {
    if (chosen.value.length === 0) throw new Error(texts.chooseFiles);
    if (repeat.value === "weekly" && days.value.length === 0) throw new Error(texts.chooseDays);
    // One that the API gave an end in seconds keeps it while no time of day replaces it.
    const noEnd = schedule?.endAt === undefined ? {} : { endAt: null };
    const body = { ...noEnd, ...bodyOf(value, repeat.value, chosen.value, days.value) };
    if (schedule === undefined) {
      await api.POST("/re-stream/channels/{channelId}/schedules", { ...ofChannel(channelId), body });
    } else {
      const { scheduleId } = schedule;
      await api.PUT(SCHEDULE_PATH, { params: { path: { channelId, scheduleId } }, body });
    }
    void onSaved();
  };
  const repeats = (["once", "daily", "weekly"] as const).map((each) => [each, texts.repeats[each]] as const);
  return (
    <Form submit={submit} button={texts.save} onClose={onClose}>
      <TextField
        label={optionalLabel(texts.name)}
        name="scheduleName"
        value={schedule?.scheduleName}
        input={{ maxLength: NAME_CHARACTERS_MAX }}
      />
      <Checks
        title={texts.files}
        options={[
          ...ready.map(({ fileId, fileName }) => [fileId, fileName] as const),
          ...gone.map((id) => [id, panelTexts().sources.gone] as const),
        ]}
        chosen={chosen.value}
        onChange={(ids) => (chosen.value = ids)}
        none={texts.noFiles}
      />
      <Switch name="loop" text={texts.loop} isOn={schedule?.loop ?? false} />
      <div
        onChange={({ target }) => {
          const { value } = target as HTMLSelectElement;
          repeat.value = value === "daily" || value === "weekly" ? value : "once";
        }}
      >
        <SelectField label={texts.repeat} name="repeat" value={repeat.value} options={repeats} />
      </div>
      {repeat.value === "once" && (
        <TextField label={texts.date} name="onDate" value={schedule?.onDate} isRequired input={{ type: "date" }} />
      )}
      {repeat.value === "weekly" && (
        <Checks
          title={texts.days}
          options={DAYS.map((day) => [day, texts.dayNames[day]])}
          chosen={days.value}
          onChange={(names) => (days.value = DAYS.filter((day) => names.includes(day)))}
        />
      )}
      <TextField label={texts.start} name="startAt" value={schedule?.startAt} isRequired input={TIME} />
      <TextField
        label={optionalLabel(texts.end)}
        name="endAt"
        value={schedule?.endAt}
        help={texts.endHelp}
        input={TIME}
      />
      <ZoneField value={schedule?.timeZone} />
      <Switch name="catchUp" text={texts.catchUp} isOn={schedule?.catchUp === "join"} />
    </Form>
  );
}

const TIME = { type: "time", step: 1 } as const;

/** What the API takes. */
function bodyOf(
  value: Fields,
  repeat: Schedule["repeat"],
  fileIds: readonly string[],
  days: readonly Day[],
): BodyOf<"createSchedule"> {
  const endAt = value("endAt");
  return {
    ...{ scheduleName: value("scheduleName"), fileIds: [...fileIds], loop: value("loop") === "on", repeat },
    ...(repeat === "once" ? { onDate: value("onDate") } : {}),
    ...(repeat === "weekly" ? { days: [...days] } : {}),
    ...{ startAt: value("startAt"), timeZone: value("timeZone"), catchUp: value("catchUp") === "on" ? "join" : "none" },
    ...(endAt === "" ? {} : { endAt }),
  };
}

/** The zones that the browser knows, beginning with its own. */
function ZoneField({ value }: { readonly value: string | undefined }) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Field label={panelTexts().schedules.zone} name="timeZone">
      {(ids) => (
        <>
          <input {...ids} name="timeZone" required defaultValue={value ?? own} list="zones" autocomplete="off" />
          <datalist id="zones">
            {Intl.supportedValuesOf("timeZone").map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

type SwitchOptions = { readonly name: string; readonly text: string; readonly isOn: boolean };

function Switch({ name, text, isOn }: SwitchOptions) {
  return (
    <label class="check">
      <input type="checkbox" name={name} defaultChecked={isOn} /> {text}
    </label>
  );
}

type ChecksOptions = {
  readonly title: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
  readonly none?: string;
};

/** Several of a list, in the order in which they were chosen. */
function Checks({ title, options, chosen, onChange, none }: ChecksOptions) {
  return (
    <fieldset class="field-group">
      <legend>{title}</legend>
      {options.length === 0 && <p class="help">{none}</p>}
      {options.map(([value, text]) => (
        <label key={value} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={({ currentTarget }) =>
              onChange(currentTarget.checked ? [...chosen, value] : chosen.filter((each) => each !== value))
            }
          />{" "}
          {text}
        </label>
      ))}
    </fieldset>
  );
}
