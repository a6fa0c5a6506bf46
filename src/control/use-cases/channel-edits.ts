import type { ChangeReason } from "../../api-contract/event-words.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import { HOLD_EXTENSION_MS } from "../../thread-protocol/hold-limits.ts";
import { newStreamKey } from "../access/ids.ts";
import { type Channel, channelSpec, type IngestLogin } from "../channels/channel.ts";
import { DomainError } from "../ports/errors.ts";
import type { ChannelChange, ChannelDecision } from "../ports/store.ts";
import { found } from "./channel-reads.ts";
import type { ChannelDetail } from "./details.ts";
import { type ChangeDetails, checkPlan, type EditContext, EFFECT_DEADLINE_MS } from "./edit-context.ts";

/** A change of a channel's settings. Absent fields stay as they are. */
export type ChannelEdit = Pick<
  ChannelChange,
  | "name"
  | "planType"
  | "envType"
  | "labels"
  | "alerts"
  | "holdSeconds"
  | "latency"
  | "freeze"
  | "isRecorded"
  | "srtPassphrase"
> & {
  readonly hasBackup?: boolean;
  /** Its absent fields stay as they are; an empty id removes the login. */
  readonly ingestLogin?: Partial<IngestLogin>;
};

/**
 * The changes of a channel as a whole, on air or off. Every change is stored, then applied in the media thread, even
 * without an encoder: one may be arriving with the channel's former state. Each method returns the channel after the
 * change, and throws DomainError `channel-not-found`.
 */
export class ChannelEdits {
  readonly #context: EditContext;

  constructor(context: EditContext) {
    this.#context = context;
  }

  /**
   * `decide` gets the channel as it is in the transaction that changes it; an empty edit changes nothing. Throws
   * DomainError `too-many-targets` where the new plan is too small for the channel's targets, `ingest-login-incomplete`
   * and `ingest-login-taken`. A changed login or passphrase applies from the next connection on. A backup ingest that is switched off
   * loses its key, and an encoder that publishes with it is disconnected.
   */
  async update(channelId: ChannelId, decide: (present: Channel) => ChannelEdit): Promise<ChannelDetail> {
    const { runtime, planLimits } = this.#context;
    let isBackupOff = false;
    let changes: readonly PublishedChange[] = [];
    const changed = await this.#change(
      channelId,
      () => changes,
      (present) => {
        const edit = decide(present);
        const { hasBackup, ingestLogin, ...settings } = edit;
        changes = changesOf(edit, present);
        isBackupOff = hasBackup === false;
        if (Object.keys(edit).length === 0) return undefined;
        if (settings.planType !== undefined) checkPlan(planLimits, settings.planType, present.targetCount);
        return { ...settings, ...this.#backupChange(present, hasBackup), ...loginChange(present, ingestLogin) };
      },
    );
    if (isBackupOff) await runtime.disconnectPublisher(channelId, "backup");
    return changed;
  }

  /** Refuses encoders from now on, and ends the broadcast if there is one. */
  async block(channelId: ChannelId): Promise<ChannelDetail> {
    await this.#change(channelId, only("blocked"), ({ state }) =>
      state === "blocked" ? undefined : { state: "blocked" },
    );
    return this.#ended(channelId);
  }

  /** Lets encoders in again. */
  unblock(channelId: ChannelId): Promise<ChannelDetail> {
    return this.#change(channelId, only("unblocked"), ({ state }) =>
      state === "live" ? undefined : { state: "live" },
    );
  }

  /** Ends the broadcast, or its hold, as if the encoder had; does nothing where there is none. */
  async end(channelId: ChannelId): Promise<ChannelDetail> {
    const channel = await this.#context.reads.get(channelId);
    if (channel.isPublishing) this.#context.publish("end-requested", channel);
    return this.#ended(channelId);
  }

  /**
   * Extends the hold by a minute. Throws DomainError `not-held`, and `hold-limit` where the hold would last too long.
   */
  async extendHold(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, reads, publish } = this.#context;
    const channel = await reads.get(channelId);
    const { hold } = channel;
    if (hold === undefined) throw new DomainError({ kind: "not-held" });
    if (hold.endTime + HOLD_EXTENSION_MS > hold.limitTime) throw new DomainError({ kind: "hold-limit" });
    await runtime.changeHold(channelId, "extend");
    await view.until(() => runtime.live(channelId)?.hold?.endTime !== hold.endTime, EFFECT_DEADLINE_MS);
    if (runtime.live(channelId)?.hold !== undefined) publish("hold-extended", channel);
    return reads.get(channelId);
  }

  /** Ends the hold as `end` does, but not a broadcast whose encoder is back. Throws DomainError `not-held`. */
  async endHold(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, reads, publish } = this.#context;
    const channel = await reads.get(channelId);
    if (channel.hold === undefined) throw new DomainError({ kind: "not-held" });
    publish("end-requested", channel);
    await runtime.changeHold(channelId, "end");
    await view.until(() => runtime.live(channelId)?.hold === undefined, EFFECT_DEADLINE_MS);
    return reads.get(channelId);
  }

  /**
   * Gives the channel another ingest key and disconnects the encoder that publishes with the old one. Throws
   * DomainError `backup-off` where the channel has no backup ingest and its key is asked for.
   */
  async renewStreamKey(channelId: ChannelId, slot: IngestSlot): Promise<ChannelDetail> {
    const { runtime, randomBytes } = this.#context;
    const changed =
      slot === "main"
        ? await this.#change(channelId, only("stream-key-renewed"), () => ({ streamKey: newStreamKey(randomBytes) }))
        : await this.#change(channelId, only("backup-key-renewed"), ({ backupStreamKey }) => {
            if (backupStreamKey === undefined) throw new DomainError({ kind: "backup-off" });
            return { backupStreamKey: newStreamKey(randomBytes) };
          });
    await runtime.disconnectPublisher(channelId, slot);
    return changed;
  }

  /** Reads the channel again, so that the answer includes everything up to the broadcast's end. */
  async #ended(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, reads } = this.#context;
    await runtime.end(channelId);
    await view.until(() => runtime.live(channelId)?.isPublishing !== true, EFFECT_DEADLINE_MS);
    return reads.get(channelId);
  }

  /** Makes a new key only where there is none: the present one stays valid when `backup` is sent again. */
  #backupChange(present: Channel, hasBackup: boolean | undefined): Pick<ChannelChange, "backupStreamKey"> {
    if (hasBackup === false) return { backupStreamKey: "" };
    if (hasBackup === undefined || present.backupStreamKey !== undefined) return {};
    return { backupStreamKey: newStreamKey(this.#context.randomBytes) };
  }

  /**
   * Returns the channel after the change, as the transaction left it. A decision of undefined changes and publishes
   * nothing.
   */
  async #change(
    channelId: ChannelId,
    changesNow: () => readonly PublishedChange[],
    decide: ChannelDecision,
  ): Promise<ChannelDetail> {
    const { store, runtime, publish, reads } = this.#context;
    let isChanged = false;
    const write = () =>
      store.changeChannel(channelId, (present) => {
        const change = decide(present);
        isChanged = change !== undefined;
        return change;
      });
    const changed = await reads.afterWrite(write, (channel) => {
      if (!isChanged) return;
      runtime.apply(channelSpec(channel));
      for (const { change, ...more } of changesNow()) publish(change, channel, more);
    });
    return found(changed);
  }
}

type PublishedChange = { readonly change: ChangeReason } & ChangeDetails;

function only(change: ChangeReason): () => readonly PublishedChange[] {
  return () => [{ change }];
}

/** A rename and a change of labels are published as such, apart from other changes. */
function changesOf({ name, labels, ...rest }: ChannelEdit, present: Channel): readonly PublishedChange[] {
  const isRenamed = name !== undefined && name !== present.name;
  const isLabelled = labels !== undefined && labels.join("\n") !== (present.labels ?? []).join("\n");
  const isOther = Object.keys(rest).length > 0 || !(isRenamed || isLabelled);
  return [
    ...(isRenamed ? [{ change: "renamed", nameBefore: present.name } as const] : []),
    ...(isLabelled ? [{ change: "labels-changed", labels } as const] : []),
    ...(isOther ? [{ change: "settings-changed" } as const] : []),
  ];
}

/** Keeps the absent part of the login. Throws DomainError `ingest-login-incomplete` where there is nothing to keep. */
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
