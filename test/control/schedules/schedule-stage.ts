import type { LogFields } from "../../../src/base/log.ts";
import type { FilesSource, ScheduledRun } from "../../../src/control/channels/source.ts";
import type { ScheduleRan } from "../../../src/control/facts/server-fact.ts";
import { DomainError, type DomainFault, StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type { Schedule } from "../../../src/control/schedules/schedule.ts";
import { ScheduleRunner } from "../../../src/control/schedules/schedule-runner.ts";
import type { ScheduleStore } from "../../../src/control/schedules/schedule-store.ts";
import type { PlayPlace } from "../../../src/control/sources/sources.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { FakeMediaFiles } from "../fake-sources.ts";

export const CHANNEL_ID = "ls-20260101000000-00001";
const SOURCE: FilesSource = { kind: "files", fileIds: ["mf-a", "mf-b"], isLooped: false };

/** A daily schedule at 20:00 in Berlin, made long ago. */
export function schedule(change: Partial<Schedule> = {}): Schedule {
  return {
    ...{ scheduleId: "sc-1", channelId: CHANNEL_ID, name: "show", source: SOURCE, createdTime: 0, doneTime: 0 },
    timing: { timeZone: "Europe/Berlin", atSeconds: 20 * 3_600, repeat: { kind: "daily" } },
    ...{ catchUp: "none", isPaused: false },
    ...change,
  };
}

/** The store in memory, as the database does it: one statement at a time. Several servers may share it. */
export class MemorySchedules implements ScheduleStore {
  readonly all = new Map<string, Schedule>();
  /** Every start that was recorded as begun. */
  readonly claims: string[] = [];
  /** What happens instead of the next record of a result: the server dies. */
  isDying = false;

  constructor(...schedules: readonly Schedule[]) {
    for (const each of schedules) this.all.set(each.scheduleId, each);
  }

  async listSchedules() {
    return [...this.all.values()];
  }

  async listChannelSchedules(channelId: string) {
    return [...this.all.values()].filter((each) => each.channelId === channelId);
  }

  async findSchedule(_channelId: string, scheduleId: string) {
    return this.all.get(scheduleId);
  }

  async editSchedule(channelId: string, decide: (present: readonly Schedule[]) => Schedule) {
    const edited = decide(await this.listChannelSchedules(channelId));
    this.all.set(edited.scheduleId, edited);
    return edited;
  }

  async resetDone(scheduleId: string, doneTime: number) {
    const present = this.all.get(scheduleId);
    if (present !== undefined) this.all.set(scheduleId, { ...present, doneTime });
  }

  async removeSchedule(_channelId: string, scheduleId: string) {
    return this.all.delete(scheduleId);
  }

  async claimStart(scheduleId: string, time: number) {
    const present = this.all.get(scheduleId);
    if (present === undefined || present.isPaused || present.doneTime >= time) return false;
    this.all.set(scheduleId, { ...present, doneTime: time, lastRun: { time, result: "BEGUN" } });
    this.claims.push(new Date(time).toISOString());
    if (this.isDying) throw new Error("the server died");
    return true;
  }

  async putResult(scheduleId: string, run: NonNullable<Schedule["lastRun"]>) {
    const present = this.all.get(scheduleId);
    if (present?.lastRun?.time !== run.time || present.lastRun.result !== "BEGUN") return false;
    this.all.set(scheduleId, { ...present, lastRun: run });
    return true;
  }
}

/** A runner on virtual time. `facts` and `played` are in the order in which they happened, with the time of the wall. */
export class ScheduleStage {
  readonly clock: VirtualClock;
  readonly store: MemorySchedules;
  readonly files = new FakeMediaFiles();
  readonly facts: string[] = [];
  readonly played: string[] = [];
  readonly warnings: string[] = [];
  readonly runner: ScheduleRunner;
  /** What the next start is refused for. */
  fault: DomainFault["kind"] | undefined;
  /** What the next start fails with. */
  error: Error | undefined;
  /** The channel whose run cannot be ended. */
  endless: string | undefined;
  readonly #runs = new Map<string, ScheduledRun>();
  /** Whether another server has the channel. */
  isElsewhere = false;

  constructor(from: string, store: MemorySchedules, { hasOthers = false, hasFiles = true } = {}) {
    this.clock = new VirtualClock(Date.parse(from));
    this.store = store;
    if (hasFiles) for (const fileId of SOURCE.fileIds) this.files.add(fileId);
    const warn = (event: string, fields: LogFields = {}) =>
      void this.warnings.push(`${event} ${fields["detail"] ?? ""}`);
    const log = { debug: warn, info: warn, warn, error: warn };
    this.runner = new ScheduleRunner({
      ...{ store, files: this.files, clock: this.clock, log },
      ...(hasOthers ? { others: { isElsewhere: async () => this.isElsewhere } } : {}),
      publish: (fact) => this.facts.push(textOf(fact)),
      sources: this.#sources(),
    });
  }

  /** Time passes, and what it makes due is done. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(Math.min(500, left));
      await settled();
    }
  }

  async start(): Promise<void> {
    await this.runner.start();
    await settled();
  }

  get #now(): string {
    return new Date(this.clock.wallNow()).toISOString();
  }

  #sources() {
    const stage = this;
    return {
      async playScheduled(channelId: string, run: ScheduledRun, { position, offsetMs }: PlayPlace) {
        if (stage.error !== undefined) throw stage.error;
        if (stage.fault !== undefined) throw new DomainError({ kind: stage.fault } as DomainFault);
        stage.#runs.set(channelId, run);
        stage.played.push(`${stage.#now} ${run.scheduleId} from ${position} + ${offsetMs}`);
      },
      get scheduledRuns() {
        return [...stage.#runs];
      },
      async endScheduled(channelId: string, run: ScheduledRun) {
        if (channelId === stage.endless) throw new StoreUnavailableError("unreachable");
        if (stage.#runs.get(channelId) !== run) return;
        stage.#runs.delete(channelId);
        stage.played.push(`${stage.#now} ${run.scheduleId} ends`);
      },
    };
  }
}

function textOf({ dueTime, scheduleId, reason }: ScheduleRan): string {
  return `${scheduleId} of ${new Date(dueTime).toISOString()} ${reason ?? "started"}`;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
