import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId, ChannelSpec, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import { isDatabaseAway } from "../ports/errors.ts";
import type { Admission, Admitted } from "./admission.ts";

/** Keys that are remembered. */
const KEYS_MAX = 10_000;
/** For how long an admission is remembered, in milliseconds: a day. */
const REMEMBERED_MS = 24 * 60 * 60 * 1_000;
/**
 * The settings of a known channel are not waited for longer than this, in milliseconds: a database that is cut off takes
 * 3 s to fail a question and 5 s to fail a connection, and the node with the encoder waits 4 s.
 */
const SPEC_PATIENCE_MS = 1_000;
/** The same for a known key: a living database ends a statement after 2 s, and the encoder's thread waits 5 s. */
const KEY_PATIENCE_MS = 2_500;

/**
 * A node that hears neither the database nor the other nodes cannot hear that a key was revoked. What it knows counts for
 * this long then, in milliseconds.
 */
const ISOLATED_MS_MAX = 10 * 60 * 1_000;

type Known = { readonly admitted: Admitted; readonly login: ProvenLogin | undefined; readonly untilMs: number };

export type RememberedAdmissionsDeps = {
  readonly admission: Pick<Admission, "admit" | "readSpec">;
  readonly clock: Pick<Clock, "now" | "awakeNow" | "startTimer">;
  /** For how long this node has heard neither the database nor the other nodes, in milliseconds. */
  readonly isolatedMs: () => number;
  /** A node that ends its broadcasts when it is isolated for this long admits nothing from then on. In milliseconds; absent: it goes on. */
  readonly stopsAfterMs?: number;
  /** A key that was admitted here is none of the channel's any more: who came with it must go. */
  readonly onRevoked?: (channelId: ChannelId, slot: IngestSlot) => void;
};

/**
 * Admissions that go on while the database cannot be reached: a key that was admitted here within a day still is. A change
 * of its channel, or one that may have been missed, makes it unknown or is read first. A node that is cut off from everything
 * admits known keys for ten minutes. Every call may reject with StoreUnavailableError.
 */
export class RememberedAdmissions implements Pick<Admission, "admit" | "readSpec"> {
  readonly #admission: Pick<Admission, "admit" | "readSpec">;
  readonly #clock: Pick<Clock, "now" | "awakeNow" | "startTimer">;
  readonly #isolatedMs: () => number;
  readonly #isolatedMsMax: number;
  readonly #onRevoked: NonNullable<RememberedAdmissionsDeps["onRevoked"]>;
  /** By key, the last admitted last. Secret. */
  readonly #keys = new Map<string, Known>();
  /** Changes of channels so far: a look-up during which there was one may have found the state before it. */
  #changes = 0;

  constructor({
    admission,
    clock,
    isolatedMs,
    stopsAfterMs = ISOLATED_MS_MAX,
    onRevoked = () => undefined,
  }: RememberedAdmissionsDeps) {
    this.#admission = admission;
    this.#clock = clock;
    this.#isolatedMs = isolatedMs;
    this.#isolatedMsMax = Math.min(ISOLATED_MS_MAX, stopsAfterMs);
    this.#onRevoked = onRevoked;
  }

  /** What is known of the key counts where the database fails, and where it does not answer in time. */
  admit(streamKey: string, login?: ProvenLogin): Promise<Admitted | undefined> {
    const known = () => this.#find(streamKey, login);
    return this.#orKnown(this.#lookUp(streamKey, login), known, KEY_PATIENCE_MS);
  }

  /** What is known of the channel counts where the database fails, and where it does not answer within a second. */
  readSpec(channelId: ChannelId): Promise<ChannelSpec | undefined> {
    const known = () => this.#of(channelId)[0]?.[1].admitted.spec;
    return this.#orKnown(this.#admission.readSpec(channelId), known, SPEC_PATIENCE_MS);
  }

  async #lookUp(streamKey: string, login: ProvenLogin | undefined): Promise<Admitted | undefined> {
    const changes = this.#changes;
    const admitted = await this.#admission.admit(streamKey, login);
    if (changes === this.#changes) this.#note(streamKey, login, admitted);
    return admitted;
  }

  #orKnown<Found>(
    asked: Promise<Found | undefined>,
    known: () => Found | undefined,
    patienceMs: number,
  ): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      const resolveKnown = (orElse: () => void) => {
        const found = known();
        if (found === undefined) orElse();
        else resolve(found);
      };
      const deadline = startDeadline(this.#clock, patienceMs, () => resolveKnown(() => undefined));
      asked
        .then(resolve, (error: unknown) => {
          if (isDatabaseAway(error)) resolveKnown(() => reject(error));
          else reject(error);
        })
        .finally(() => deadline.cancel());
    });
  }

  /**
   * A channel was changed: its keys are looked up again. Until then, and where that fails, they are unknown. The node that gave
   * it another key asks the owner to cut its encoder, but that question may be lost.
   */
  changed(channelId: ChannelId): void {
    this.#changes += 1;
    const lookUps = this.#of(channelId).map(async ([streamKey, { admitted, login }]) => {
      this.#keys.delete(streamKey);
      const found = await this.admit(streamKey, login).catch(() => "unknown" as const);
      return { slot: admitted.slot, isGone: found === undefined };
    });
    void Promise.all(lookUps).then((keys) => {
      const present = new Set(keys.flatMap(({ slot, isGone }) => (isGone ? [] : [slot])));
      const gone = new Set(keys.flatMap(({ slot, isGone }) => (isGone ? [slot] : [])));
      for (const slot of gone)
        if (!present.has(slot) && !this.#hasKeyFor(channelId, slot)) this.#onRevoked(channelId, slot);
    });
  }

  /** Whether an encoder has come with a newer key: it has replaced the one before. */
  #hasKeyFor(channelId: ChannelId, slot: IngestSlot): boolean {
    return this.#of(channelId).some(([, { admitted }]) => admitted.slot === slot);
  }

  /** Changes of channels may have been missed: all keys are unknown, except those of channels that `isFollowed` says. */
  missed(isFollowed: (channelId: ChannelId) => boolean): void {
    this.#changes += 1;
    for (const [streamKey, { admitted }] of this.#keys) {
      if (!isFollowed(admitted.spec.channelId)) this.#keys.delete(streamKey);
    }
  }

  #note(streamKey: string, login: ProvenLogin | undefined, admitted: Admitted | undefined): void {
    this.#keys.delete(streamKey);
    if (admitted === undefined || admitted.refusedFor !== undefined) return;
    this.#keys.set(streamKey, { admitted, login, untilMs: this.#clock.now() + REMEMBERED_MS });
    if (this.#keys.size <= KEYS_MAX) return;
    for (const oldest of this.#keys.keys()) return void this.#keys.delete(oldest);
  }

  #find(streamKey: string, login: ProvenLogin | undefined): Admitted | undefined {
    const known = this.#keys.get(streamKey);
    if (known === undefined || known.untilMs <= this.#clock.now() || this.#isolatedMs() > this.#isolatedMsMax)
      return undefined;
    const isSameLogin = known.login?.id === login?.id && known.login?.password === login?.password;
    return isSameLogin ? known.admitted : undefined;
  }

  #of(channelId: ChannelId): readonly (readonly [string, Known])[] {
    return [...this.#keys].filter(([, { admitted }]) => admitted.spec.channelId === channelId);
  }
}
