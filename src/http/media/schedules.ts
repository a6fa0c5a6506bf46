import type { FastifyInstance } from "fastify";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import {
  createScheduleRequest,
  type ScheduleRequest,
  updateScheduleRequest,
} from "../../api-contract/schemas/schedule-schemas.ts";
import { MISSED_SENTENCES } from "../../api-contract/sources/source-sentences.ts";
import { timeText } from "../../base/calendar/time-text.ts";
import type { Timing, TimingEnd } from "../../base/calendar/timing.ts";
import { DomainError } from "../../control/ports/errors.ts";
import type { LastRun, ScheduleSettings } from "../../control/schedules/schedule.ts";
import type { ScheduleDetail, Schedules } from "../../control/schedules/schedules.ts";
import { sendContent } from "../answers/reply.ts";
import { orRefuseAfter, orRefuseIn, type RouteContext, readJson } from "../answers/request.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };
type ScheduleParams = { readonly Params: { readonly channelId: string; readonly scheduleId: string } };

const SCHEDULES = "/re-stream/channels/:channelId/schedules";
const SCHEDULE = `${SCHEDULES}/:scheduleId`;

/** The calls on a channel's schedules: files that start at a time. */
export function addScheduleRoutes(
  api: FastifyInstance,
  { service }: RouteContext,
  { schedules }: { readonly schedules: Schedules },
): void {
  api.get<ChannelParams>(SCHEDULES, async (request, reply) =>
    sendContent(reply, (await schedules.list(request.params.channelId)).map(scheduleAnswer)),
  );

  api.post<ChannelParams>(SCHEDULES, async (request, reply) => {
    const { channelId } = request.params;
    const body = await orRefuseIn(service, channelId, parseBody(createScheduleRequest, readJson(request)));
    return sendContent(reply, scheduleAnswer(await schedules.create(channelId, settingsOf(body, NOTHING_SET))));
  });

  api.get<ScheduleParams>(SCHEDULE, async (request, reply) => {
    const { channelId, scheduleId } = request.params;
    return sendContent(reply, scheduleAnswer(await schedules.get(channelId, scheduleId)));
  });

  api.put<ScheduleParams>(SCHEDULE, async (request, reply) => {
    const { channelId, scheduleId } = request.params;
    const find = () => schedules.get(channelId, scheduleId);
    const body = await orRefuseAfter(find, parseBody(updateScheduleRequest, readJson(request)));
    const changed = await schedules.change(channelId, scheduleId, (present) => settingsOf(body, present));
    return sendContent(reply, scheduleAnswer(changed));
  });

  api.delete<ScheduleParams>(SCHEDULE, async (request, reply) => {
    const { channelId, scheduleId } = request.params;
    return sendContent(reply, scheduleAnswer(await schedules.remove(channelId, scheduleId)));
  });
}

/** What a new schedule has where the request says nothing. The request of a new one always says when. */
const NOTHING_SET: ScheduleSettings = {
  name: "",
  source: { kind: "files", fileIds: [], isLooped: false },
  timing: { timeZone: "UTC", atSeconds: 0, repeat: { kind: "daily" } },
  catchUp: "none",
  isPaused: false,
};

/** The settings after the request. Throws DomainError `schedule-incomplete` and `schedule-two-ends`. */
function settingsOf(body: ScheduleRequest, present: ScheduleSettings): ScheduleSettings {
  const { source, timing } = present;
  const end = endAfter(body, present.end);
  return {
    name: body.scheduleName ?? present.name,
    source: {
      kind: "files",
      fileIds: body.fileIds ?? source.fileIds,
      isLooped: body.loop ?? source.isLooped,
    },
    timing: {
      timeZone: body.timeZone ?? timing.timeZone,
      atSeconds: body.startAt ?? timing.atSeconds,
      repeat: repeatAfter(body, timing.repeat),
    },
    ...(end === undefined ? {} : { end }),
    catchUp: body.catchUp ?? present.catchUp,
    isPaused: body.paused ?? present.isPaused,
  };
}

function repeatAfter({ repeat, onDate, days }: ScheduleRequest, present: Timing["repeat"]): Timing["repeat"] {
  const kind = repeat ?? present.kind;
  if (kind === "daily") return { kind };
  if (kind === "once") {
    const date = onDate ?? (present.kind === "once" ? present.date : undefined);
    if (date === undefined) throw new DomainError({ kind: "schedule-incomplete", missing: "onDate" });
    return { kind, date };
  }
  const chosen = days ?? (present.kind === "weekly" ? present.days : undefined);
  if (chosen === undefined) throw new DomainError({ kind: "schedule-incomplete", missing: "days" });
  return { kind, days: chosen };
}

function endAfter({ endAt, endAfterSeconds }: ScheduleRequest, present: TimingEnd | undefined): TimingEnd | undefined {
  if (endAt != null && endAfterSeconds != null) throw new DomainError({ kind: "schedule-two-ends" });
  if (endAt != null) return { atSeconds: endAt };
  if (endAfterSeconds != null) return { durationSeconds: endAfterSeconds };
  return endAt === undefined && endAfterSeconds === undefined ? present : undefined;
}

/** A schedule as the API shows it. */
function scheduleAnswer({ schedule, nextTimes, overlapsWith }: ScheduleDetail) {
  const { scheduleId, name, source, timing, end, catchUp, isPaused, createdTime, lastRun } = schedule;
  const { timeZone, atSeconds, repeat } = timing;
  return {
    ...{ scheduleId, scheduleName: name, fileIds: source.fileIds, loop: source.isLooped },
    ...{ timeZone, repeat: repeat.kind },
    ...(repeat.kind === "once" ? { onDate: repeat.date } : {}),
    ...(repeat.kind === "weekly" ? { days: repeat.days } : {}),
    startAt: timeText(atSeconds),
    ...(end === undefined
      ? {}
      : "durationSeconds" in end
        ? { endAfterSeconds: end.durationSeconds }
        : { endAt: timeText(end.atSeconds) }),
    ...{ catchUp, paused: isPaused, createdTime, nextTimes, overlapsWith },
    ...(lastRun === undefined ? {} : { lastRun: runAnswer(lastRun) }),
  };
}

function runAnswer({ time, result, reason }: LastRun) {
  if (reason === undefined) return { time, result };
  const [message, messageKo] = MISSED_SENTENCES[reason];
  return { time, result, missedReason: reason, message, messageKo };
}
