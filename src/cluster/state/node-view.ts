import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { NodeReport } from "../node-report.ts";
import type { ToldChannel } from "./told-channel.ts";

/** A node that says nothing for this long is silent: three heartbeats, in milliseconds. */
const SILENT_MS = 6_000;
/** Channels of one node that are remembered; a node may own fewer. */
const CHANNELS_MAX = 50_000;

/** What one other node has told, and whether anything of it was missed. Reads no clock. */
export class NodeView {
  readonly incarnation: Incarnation;
  report: NodeReport | undefined;
  /** When anything was heard of it, and up to when all of its changes are known. Monotonic milliseconds. */
  heardMs: number;
  #knownMs: number;
  readonly #channels = new Map<ChannelId, ToldChannel>();
  /** The number of the last message that was taken; undefined: a snapshot is needed. */
  #no: number | undefined;
  /** The last messages without a gap among them. */
  #run = { from: 0, to: -1 };
  /** Channels told since the snapshot that is being read began: they are newer than its parts. */
  #sinceBegin: Set<ChannelId> | undefined;
  #inSnapshot = new Set<ChannelId>();

  constructor(incarnation: Incarnation, nowMs: number) {
    this.incarnation = incarnation;
    this.heardMs = nowMs;
    this.#knownMs = nowMs;
  }

  get channels(): ReadonlyMap<ChannelId, ToldChannel> {
    return this.#channels;
  }

  get needsSnapshot(): boolean {
    return this.#no === undefined;
  }

  /** How old what is known of its channels is, in milliseconds. */
  ageMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#knownMs);
  }

  isSilent(nowMs: number): boolean {
    return nowMs - this.heardMs >= SILENT_MS;
  }

  /** It lives. */
  beat(report: NodeReport, nowMs: number): void {
    this.report = report;
    this.heardMs = nowMs;
    if (this.#no === undefined) return;
    // A lower number: a message of it overtook nothing, so this process counts anew.
    if (report.no === this.#no) this.#knownMs = nowMs;
    else this.#no = undefined;
  }

  /** Takes a numbered message. After a gap its channels are right, and others may be out of date. */
  changes(no: number, channels: readonly ToldChannel[], nowMs: number): readonly ToldChannel[] {
    this.heardMs = nowMs;
    this.#run = { from: no === this.#run.to + 1 ? this.#run.from : no, to: no };
    if (this.#no !== undefined) {
      this.#no = no === this.#no + 1 ? no : undefined;
      if (this.#no !== undefined) this.#knownMs = nowMs;
    }
    for (const { channelId } of channels) this.#sinceBegin?.add(channelId);
    return this.#take(channels);
  }

  /** Takes counters and answers to a question, which are newer than what is known. */
  samples(channels: readonly ToldChannel[], nowMs: number): readonly ToldChannel[] {
    this.heardMs = nowMs;
    return this.#take(channels);
  }

  beginSnapshot(): void {
    this.#sinceBegin = new Set();
    this.#inSnapshot = new Set();
  }

  /** Takes a part of a snapshot. */
  part(channels: readonly ToldChannel[], nowMs: number): readonly ToldChannel[] {
    this.heardMs = nowMs;
    for (const { channelId } of channels) this.#inSnapshot.add(channelId);
    return this.#take(channels.filter(({ channelId }) => this.#sinceBegin?.has(channelId) !== true));
  }

  /** The snapshot is whole. `no`: the number of its first part. Returns the channels that it no longer has. */
  endSnapshot(no: number, nowMs: number): readonly ChannelId[] {
    const gone = [...this.#channels.keys()].filter(
      (channelId) => !this.#inSnapshot.has(channelId) && this.#sinceBegin?.has(channelId) !== true,
    );
    for (const channelId of gone) this.#channels.delete(channelId);
    this.#sinceBegin = undefined;
    // Messages that came meanwhile are part of what is known.
    const { from, to } = this.#run;
    this.#no = from <= no + 1 && to > no ? to : no;
    this.#knownMs = nowMs;
    return gone;
  }

  /** The snapshot could not be read to its end. */
  failSnapshot(): void {
    this.#sinceBegin = undefined;
  }

  /** Returns those that were taken. */
  #take(channels: readonly ToldChannel[]): readonly ToldChannel[] {
    return channels.filter((told) => {
      const { channelId, epoch, live, source } = told;
      const known = this.#channels.get(channelId);
      // An epoch of 0 says that the node does not own the channel now, whatever was told before.
      if (epoch > 0 && known !== undefined && known.epoch > epoch) return false;
      if (live === undefined && source === undefined) this.#channels.delete(channelId);
      else if (known !== undefined || this.#channels.size < CHANNELS_MAX) this.#channels.set(channelId, told);
      return true;
    });
  }
}
