import type { ChangeReason } from "../../api-contract/event-words.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import { HOLD_EXTENSION_MS } from "../../thread-protocol/hold-limits.ts";
import { newStreamKey } from "../access/ids.ts";
import { DomainError } from "../errors.ts";
import type { ChannelChange, ChannelDecision } from "../store.ts";
import { type Channel, channelSpec, type IngestLogin } from "./channel.ts";
import type { ChannelDetail } from "./details.ts";
import { checkPlan, type EditContext, EFFECT_DEADLINE_MS } from "./edit-context.ts";

/** What a person changes of a channel's settings. Absent keeps. */
export type ChannelEdit = Pick<
  ChannelChange,
  "name" | "planType" | "envType" | "alerts" | "holdSeconds" | "latency" | "freeze"
> & {
  readonly hasBackup?: boolean;
  /** Absent in it keeps; an empty id ends it. */
  readonly ingestLogin?: Partial<IngestLogin>;
};

/**
 * What can be done to a channel as a whole once it is there, on air or off. Every change is stored, then told to the
 * media thread, also when nobody publishes: an encoder may be on its way in with the channel as it was a moment ago. All
 * throw DomainError `channel-not-found`.
 */
export class ChannelEdits {
  readonly #context: EditContext;

  constructor(context: EditContext) {
    this.#context = context;
  }

  /**
   * Throws DomainError `too-many-targets` where the new plan is too small for the channel's targets, `ingest-login-incomplete` and
   * `ingest-login-taken`. Whoever is logged in stays when the login changes: it holds from the next connection on. A backup ingest that is
   * switched off loses its key, and whoever publishes with it is cut.
   */
  async update(channelId: ChannelId, edit: ChannelEdit): Promise<ChannelDetail> {
    const { runtime, planLimits, readChannel } = this.#context;
    const { hasBackup, ingestLogin, ...settings } = edit;
    if (Object.keys(edit).length > 0) {
      await this.#change(channelId, "settings-changed", (present) => {
        if (settings.planType !== undefined) checkPlan(planLimits, settings.planType, present.targetCount);
        return { ...settings, ...this.#backupChange(present, hasBackup), ...loginChange(present, ingestLogin) };
      });
    }
    if (hasBackup === false) runtime.cutSource(channelId, "backup");
    return readChannel(channelId);
  }

  /** Refuses encoders from now on, and ends the broadcast if there is one. */
  async block(channelId: ChannelId): Promise<ChannelDetail> {
    const { state } = await this.#context.readChannel(channelId);
    if (state !== "blocked") await this.#change(channelId, "blocked", () => ({ state: "blocked" }));
    return this.end(channelId);
  }

  /** Lets encoders in again. */
  async unblock(channelId: ChannelId): Promise<ChannelDetail> {
    const { state } = await this.#context.readChannel(channelId);
    if (state !== "live") await this.#change(channelId, "unblocked", () => ({ state: "live" }));
    return this.#context.readChannel(channelId);
  }

  /** Ends the broadcast, or its hold, as if the encoder had; no matter where there is none. */
  async end(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, readChannel } = this.#context;
    await readChannel(channelId);
    runtime.end(channelId);
    await view.until(() => runtime.live(channelId)?.isPublishing !== true, EFFECT_DEADLINE_MS);
    return readChannel(channelId);
  }

  /**
   * Holds the targets a minute longer. Throws DomainError `not-held`, and `hold-limit` where the hold would last longer than
   * it may.
   */
  async extendHold(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, readChannel, publish } = this.#context;
    const channel = await readChannel(channelId);
    const { hold } = channel;
    if (hold === undefined) throw new DomainError({ kind: "not-held" });
    if (hold.endTime + HOLD_EXTENSION_MS > hold.limitTime) throw new DomainError({ kind: "hold-limit" });
    runtime.changeHold(channelId, "extend");
    await view.until(() => runtime.live(channelId)?.hold?.endTime !== hold.endTime, EFFECT_DEADLINE_MS);
    if (runtime.live(channelId)?.hold !== undefined) publish("hold-extended", channel);
    return readChannel(channelId);
  }

  /** Ends the hold as `end` does, and leaves a broadcast whose encoder is back alone. Throws DomainError `not-held`. */
  async endHold(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, readChannel } = this.#context;
    const { hold } = await readChannel(channelId);
    if (hold === undefined) throw new DomainError({ kind: "not-held" });
    runtime.changeHold(channelId, "end");
    await view.until(() => runtime.live(channelId)?.hold === undefined, EFFECT_DEADLINE_MS);
    return readChannel(channelId);
  }

  /**
   * Gives the channel another ingest key and cuts whoever publishes with the old one. Throws DomainError `backup-off` where the
   * backup's is asked for and the channel has none.
   */
  async renewStreamKey(channelId: ChannelId, slot: IngestSlot): Promise<ChannelDetail> {
    const { runtime, randomBytes, readChannel } = this.#context;
    if (slot === "main") {
      await this.#change(channelId, "stream-key-renewed", () => ({ streamKey: newStreamKey(randomBytes) }));
    } else {
      await this.#change(channelId, "backup-key-renewed", ({ backupStreamKey }) => {
        if (backupStreamKey === undefined) throw new DomainError({ kind: "backup-off" });
        return { backupStreamKey: newStreamKey(randomBytes) };
      });
    }
    runtime.cutSource(channelId, slot);
    return readChannel(channelId);
  }

  /** A key where there is none yet: the present one stays good when `backup` is merely repeated. */
  #backupChange(present: Channel, hasBackup: boolean | undefined): Pick<ChannelChange, "backupStreamKey"> {
    if (hasBackup === false) return { backupStreamKey: "" };
    if (hasBackup === undefined || present.backupStreamKey !== undefined) return {};
    return { backupStreamKey: newStreamKey(this.#context.randomBytes) };
  }

  async #change(channelId: ChannelId, reason: ChangeReason, decide: ChannelDecision): Promise<Channel> {
    const { store, runtime, publish } = this.#context;
    const channel = await store.changeChannel(channelId, decide);
    if (channel === undefined) throw new DomainError({ kind: "channel-not-found" });
    runtime.apply(channelSpec(channel));
    publish(reason, channel);
    return channel;
  }
}

/** What of a login is not said stays as it is. Throws DomainError `ingest-login-incomplete` where there is nothing to stay. */
function loginChange(present: Channel, edit: Partial<IngestLogin> | undefined): Pick<ChannelChange, "ingestLogin"> {
  if (edit === undefined) return {};
  if (edit.id === "") return { ingestLogin: { id: "", password: "" } };
  return { ingestLogin: wholeLogin({ ...present.ingestLogin, ...edit }) };
}

/** Throws DomainError `ingest-login-incomplete`. */
export function wholeLogin({ id = "", password = "" }: Partial<IngestLogin>): IngestLogin {
  if (id === "") throw new DomainError({ kind: "ingest-login-incomplete", missing: "id" });
  if (password === "") throw new DomainError({ kind: "ingest-login-incomplete", missing: "password" });
  return { id, password };
}
