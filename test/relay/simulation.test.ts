import { expect, test } from "vitest";
import type { Message } from "../../src/protocol/rtmp/message.ts";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import type { TargetError, TargetStatus } from "../../src/thread-protocol/targets/target-status.ts";
import type { FakeLink } from "../support/stages/fake-links.ts";
import { KernelPeer, type PeerHabits } from "../support/stages/kernel-peer.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { seededRandom } from "../support/stages/seeded-random.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  video,
} from "../support/streams/media-messages.ts";

/** Worlds of a run: `npm run simulate` has ten times as many. */
const SEEDS = Number(process.env["FANFARE_SIMULATION_SEEDS"] ?? 200);
const STEPS = 120;
const STEP_MS = 250;
const STEPS_PER_SECOND = 4;
const HOLD_SECONDS = 20;
const TARGETS = [1, 2, 3];
/** Targets that nothing ever happens to: they get what the channel sends, of all tracks or of the second one. */
const WITNESS = 4;
const WITNESS_OF_SECOND = 5;
const WITNESSES = [target(WITNESS), target(WITNESS_OF_SECOND, { tracks: { video: 1, audio: 0 } })];
const CHOICES = [undefined, { video: 0, audio: 0 }, { video: 1, audio: 0 }, { video: 1, audio: 1 }];

/** A second track's message, as OBS sends it. */
function secondTrack(packetType: 0 | 1, avc: Buffer): Buffer {
  const isKeyframe = avc[0] === 0x17;
  const head = Buffer.from([isKeyframe ? 0x96 : 0xa6, packetType, ...Buffer.from("avc1"), 1]);
  return Buffer.concat([head, avc.subarray(packetType === 0 ? 5 : 2)]);
}
/** A frame that identifies itself: its encoder's mark is the last byte, its number the one before. */
function videoFrame(isKeyframe: boolean, mark: number, number: number): Buffer {
  const bytes = avcFrame(isKeyframe, mark % 256, 40);
  bytes[bytes.length - 2] = number % 256;
  return bytes;
}
const isFrame = ({ type, payload }: Message) => type === 9 && payload[1] === 1;
const isSecond = ({ payload }: Message) => ((payload[0] ?? 0) & 0x80) !== 0;

const FAILURES: readonly TargetError[] = [
  { code: "TCP_RESET", severity: "transient", message: "reset", messageKo: "오류" },
  { code: "REMOTE_CLOSED", severity: "transient", message: "closed", messageKo: "오류" },
  { code: "PUBLISH_REJECTED", severity: "fatal", message: "refused", messageKo: "오류" },
];

/** Far ends whose TCP always takes something: none of them ever stalls. */
const GOOD_HABITS: readonly PeerHabits[] = [
  {},
  { takesPerSecond: 400 },
  { acksEach: 2_000 },
  { acksEach: 500, ackTimes: 2 },
  { acksEach: 9_000, takesPerSecond: 1_200 },
  { acksEach: 40_000 },
];
/** … and those that stop, or hang. */
const BAD_HABITS: readonly PeerHabits[] = [{ takesPerSecond: 0 }, { isReading: false }];

type Encoder = {
  readonly publisher: PublisherHandle;
  readonly mark: number;
  readonly hasSecond: boolean;
  clockMs: number;
  frame: number;
  isFrozen: boolean;
  /** The encoder's camera hangs: audio goes on alone. */
  isDark: boolean;
};

/** A world of one channel, two keys, three targets and bad luck, on virtual time. */
class World {
  readonly stage = new RelayStage(HOLD_SECONDS);
  readonly #random: () => number;
  readonly #encoders = new Map<"main" | "backup", Encoder>();
  readonly #seen = new Map<FakeLink, { count: number; lastMs: number; frames: Buffer[] }>();
  readonly #displaced: Encoder[] = [];
  readonly #activeMarks: number[] = [];
  /** Whether this world's encoders send a second track; some do so only now and then. */
  readonly #secondsChance: number;
  /** In every second world the process stands still now and then: what arrives at once then may wait together. */
  readonly #pauses: boolean;
  readonly #witnessed = new Map<FakeLink, { count: number; at: number }>();
  #marks = 0;
  /** In half of the worlds the kernel's queues can be read. */
  readonly #hasKernels: boolean;
  readonly #peers = new Map<FakeLink, KernelPeer>();
  /** Links that were given a reason to stall. */
  readonly #troubled = new Set<FakeLink>();
  #steps = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#pauses = seed % 2 === 1;
    this.#hasKernels = seed % 2 === 0;
    this.#secondsChance = [0, 0.8, 1][seed % 3] ?? 0;
    this.stage.engine.introduce(this.stage.spec([...TARGETS.map((targetId) => target(targetId)), ...WITNESSES]));
  }

  step(): void {
    this.#act();
    this.#emitAll();
    if (this.#pauses && this.#chance(0.02)) this.#pause();
    this.#links();
    this.#steps += 1;
    if (this.#steps % STEPS_PER_SECOND === 0) for (const peer of this.#peers.values()) peer.second();
    this.stage.clock.advance(STEP_MS);
    this.#check();
  }

  #emitAll(): void {
    for (const encoder of [...this.#displaced, ...this.#encoders.values()]) if (!encoder.isFrozen) this.#emit(encoder);
  }

  /** The process stands still. Timers that were due meanwhile run first, then what encoders sent is read. */
  #pause(): void {
    const steps = 4 + Math.floor(this.#random() * 60);
    this.stage.clock.pause(steps * STEP_MS);
    this.stage.clock.advance(1);
    for (let step = 0; step < steps; step += 1) this.#emitAll();
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  /** Encoders come, go, freeze and thaw; an operator edits. */
  #act(): void {
    for (const slot of ["main", "backup"] as const) {
      const present = this.#encoders.get(slot);
      if (this.#chance(present === undefined ? 0.15 : 0.02) && this.stage.engine.admits("ls-1", slot)) this.#come(slot);
      else if (present !== undefined) this.#disturb(slot, present);
    }
    if (this.#chance(0.01)) this.stage.engine.end("ls-1");
    if (this.#chance(0.02)) {
      const edited = TARGETS.map((targetId) => {
        const tracks = this.#chance(0.3) ? this.#pick(CHOICES) : undefined;
        return target(targetId, { isEnabled: this.#chance(0.8), ...(tracks === undefined ? {} : { tracks }) });
      });
      this.stage.engine.apply(this.stage.spec([...edited, ...WITNESSES]));
    }
    if (this.#chance(0.05)) this.stage.engine.retryTarget("ls-1", this.#pick(TARGETS) ?? 1);
  }

  #disturb(slot: "main" | "backup", encoder: Encoder): void {
    const luck = this.#random();
    if (luck < 0.03) this.#go(slot, encoder);
    else if (luck < 0.06) encoder.isFrozen = !encoder.isFrozen;
    else if (luck < 0.08) encoder.isDark = !encoder.isDark;
  }

  #come(slot: "main" | "backup"): void {
    this.#marks += 1;
    const mark = this.#marks;
    const publisher = this.stage.open("ls-1", `encoder ${mark}`, mark, slot);
    const encoder = {
      publisher,
      mark,
      hasSecond: this.#chance(this.#secondsChance),
      clockMs: Math.floor(this.#random() * 2 ** 32),
      frame: 0,
      isFrozen: false,
      isDark: false,
    };
    // A displaced encoder does not know it yet, and goes on sending.
    const before = this.#encoders.get(slot);
    if (before !== undefined) this.#displaced.push(before);
    if (this.#displaced.length > 3) this.#displaced.shift();
    this.#encoders.set(slot, encoder);
    if (this.#chance(0.9)) publisher.push(audio(encoder.clockMs, AAC_CONFIG));
    const config = this.#chance(0.8) ? AVC_CONFIG : AVC_CONFIG_CHANGED;
    publisher.push(video(encoder.clockMs, config));
    if (encoder.hasSecond) publisher.push(video(encoder.clockMs, secondTrack(0, config)));
  }

  #go(slot: "main" | "backup", encoder: Encoder): void {
    encoder.publisher.end(this.#chance(0.2) ? "clean" : "connection-lost");
    this.#encoders.delete(slot);
  }

  #emit(encoder: Encoder): void {
    for (let count = 0; count < 3; count += 1) {
      const clockMs = encoder.clockMs % 2 ** 32;
      if (!encoder.isDark) this.#emitFrames(encoder, clockMs);
      encoder.publisher.push(audio((encoder.clockMs + 5) % 2 ** 32, aacFrame(encoder.mark % 256)));
      encoder.clockMs += this.#chance(0.01) ? 3_600_000 : 80;
    }
  }

  #emitFrames(encoder: Encoder, clockMs: number): void {
    const { publisher, mark, frame, hasSecond } = encoder;
    publisher.push(video(clockMs, videoFrame(frame % 8 === 0, mark, frame)));
    // Its keyframes are at other times than those of the first encoder.
    if (hasSecond) publisher.push(video(clockMs, secondTrack(1, videoFrame(frame % 8 === 2, mark, frame))));
    encoder.frame += 1;
  }

  /** Targets accept, refuse, break, stall and recover. */
  #links(): void {
    for (const link of [...this.#open()]) {
      if (WITNESSES.some(({ targetId }) => targetId === link.target.targetId)) {
        if (!this.#accepted.has(link)) link.accept();
        this.#accepted.add(link);
        continue;
      }
      const isNew = !this.#accepted.has(link);
      if (isNew && this.#chance(0.5)) {
        this.#accepted.add(link);
        link.accept();
        if (this.#hasKernels) this.#meet(link);
      } else if (this.#chance(0.02)) {
        this.#gone.add(link);
        this.#peers.delete(link);
        link.fail(
          this.#pick(FAILURES) ?? { code: "TCP_RESET", severity: "transient", message: "reset", messageKo: "오류" },
        );
      } else if (this.#chance(0.03)) this.#disturbLink(link, isNew);
    }
  }

  #meet(link: FakeLink): void {
    if (!link.isTaking) {
      link.isTaking = true;
      link.drain();
    }
    this.#peers.set(link, new KernelPeer(link, this.#pick(GOOD_HABITS)));
  }

  /** A link stalls, or makes progress; where it stalls its path may be silent. */
  #disturbLink(link: FakeLink, isNew: boolean): void {
    const peer = this.#peers.get(link);
    link.path = this.#pick(["same", "same", "none", "other"] as const) ?? "same";
    if (peer === undefined) {
      link.isTaking = !link.isTaking;
      if (link.isTaking && !isNew) link.drain();
      return;
    }
    const isBad = this.#chance(0.5);
    peer.habits = { ...peer.habits, takesPerSecond: Number.POSITIVE_INFINITY, isReading: true };
    if (!isBad) return;
    peer.habits = { ...peer.habits, ...this.#pick(BAD_HABITS) };
    this.#troubled.add(link);
  }

  /** Reads each fact once: there are many. */
  #lastStatus(targetId: number): TargetStatus | undefined {
    for (const fact of this.stage.facts.splice(0)) {
      if (fact.kind === "internal-fault") throw new Error(fact.detail);
      // An encoder's number is its mark: both count from 1.
      if (fact.kind === "ingest-held" && fact.end === "frozen") this.#checkFrozen(fact.ingestId);
      if (fact.kind === "publisher-active") this.#activeMarks.push(fact.ingestId);
      if (fact.kind === "target-status") this.#statuses.set(fact.targetId, fact.status);
    }
    return this.#statuses.get(targetId);
  }

  /** An encoder that sends is never reported as frozen, however long the process stood still. */
  #checkFrozen(mark: number): void {
    const encoder = [...this.#encoders.values()].find((each) => each.mark === mark);
    if (encoder?.isFrozen === false) throw new Error(`encoder ${mark} sends, and was called frozen`);
  }

  readonly #statuses = new Map<number, TargetStatus>();
  readonly #accepted = new Set<FakeLink>();
  readonly #gone = new Set<FakeLink>();

  /** A reset is sent only where it arrives. */
  #checkResets(): void {
    for (const link of this.stage.dialer.links) {
      if (link.closedHow === "abort") expect(link.path, "a reset goes out where the path answered").toBe("same");
      if (link.closedHow !== undefined) this.#peers.delete(link);
    }
  }

  #open(): FakeLink[] {
    const isOpen = (link: FakeLink) => link.closedHow === undefined && !this.#gone.has(link);
    const open = this.stage.dialer.links.filter(isOpen);
    this.stage.dialer.links.splice(0, this.stage.dialer.links.length, ...open);
    return open;
  }

  #check(): void {
    this.#checkResets();
    this.#checkOneLinkEach();
    this.#checkMedia();
    for (const { targetId } of WITNESSES) this.#checkWitness(targetId);
    this.#checkQueues();
    this.#checkTargets();
  }

  #checkOneLinkEach(): void {
    const open = this.#open().map((link) => link.target.targetId);
    expect(new Set(open).size, "one link a target at most").toBe(open.length);
  }

  /** For every link: headers come first, then video that can be decoded, and time never goes back. */
  #checkMedia(): void {
    for (const link of this.#open()) {
      const seen = this.#seen.get(link) ?? { count: 0, lastMs: 0, frames: [] as Buffer[] };
      const messages = link.messages();
      for (const message of messages.slice(seen.count)) {
        const { type, timestamp, payload } = message;
        if (seen.count === 0) expect([type, timestamp], "metadata first, at time 0").toEqual([18, 0]);
        if (timestamp < seen.lastMs) throw new Error(`time went back from ${seen.lastMs} to ${timestamp}`);
        const isOfSecond = type === 9 && isSecond(message);
        if (isOfSecond && link.target.tracks !== undefined) throw new Error("a target with one track was sent another");
        if (isFrame(message)) {
          const track = isOfSecond ? 1 : 0;
          checkFrame(payload, isOfSecond ? 0x96 : 0x17, seen.frames[track]);
          seen.frames[track] = payload;
        }
        seen.lastMs = timestamp;
        seen.count += 1;
      }
      this.#seen.set(link, seen);
    }
  }

  /**
   * One publisher at a time: frames are those of the encoders that went on air, in that order, each from a keyframe on.
   */
  #checkWitness(targetId: number): void {
    const link = this.#open().find((each) => each.target.targetId === targetId);
    this.#lastStatus(targetId);
    if (link === undefined) return;
    const frames = link.messages().filter((message) => isFrame(message) && !isSecond(message));
    const seen = this.#witnessed.get(link) ?? { count: 0, at: -1 };
    for (const { payload } of frames.slice(seen.count)) {
      const mark = payload.at(-1);
      if (seen.at < 0 || this.#activeMarks[seen.at] !== mark) {
        seen.at = this.#activeMarks.indexOf(mark ?? 0, seen.at + 1);
        if (seen.at < 0) throw new Error(`a frame of encoder ${mark}, which is not on air`);
        expect(payload[0], "another encoder's first frame is a keyframe").toBe(0x17);
      }
      seen.count += 1;
    }
    this.#witnessed.set(link, seen);
  }

  /** The kernel may always hold 16 KiB, which are many seconds of these streams. */
  #checkQueues(): void {
    const samples = this.stage.samples.splice(0);
    if (this.#pauses) return;
    for (const { targets } of samples) {
      for (const { queueMs } of targets)
        expect(queueMs, "queues are within bounds").toBeLessThanOrEqual(this.#hasKernels ? 20_000 : 5_000);
    }
  }

  /** PUBLISHING has an accepted link; FAIL has a retry due or a link that stalls; every wanted link is being tried. */
  #checkTargets(): void {
    const open = new Map(this.#open().map((link) => [link.target.targetId, link]));
    for (const targetId of TARGETS) {
      const last = this.#lastStatus(targetId);
      if (last === undefined) continue;
      const { status, nextRetryTime, lastError } = last;
      const link = open.get(targetId);
      if (link !== undefined && this.#peers.has(link) && !this.#troubled.has(link)) {
        expect(`${status} ${lastError?.code}`, "a target that takes something never stalls").not.toBe("FAIL STALLED");
      }
      const isAccepted = link !== undefined && this.#accepted.has(link);
      if (status === "PUBLISHING") expect(isAccepted, "PUBLISHING has an accepted link").toBe(true);
      if (status === "CONNECTING") expect(link, "CONNECTING has a link on its way").toBeDefined();
      if (status === "READY") expect(link, "READY has no link").toBeUndefined();
      if (status === "FAIL") {
        const isDue = nextRetryTime !== undefined && nextRetryTime >= this.stage.clock.wallNow() - 1_000;
        expect(isAccepted || isDue, "FAIL has a retry due, or a link that stalls").toBe(true);
      }
    }
  }
}

/** A frame that is no keyframe comes right after the frame it refers to: nothing is lost in between. */
function checkFrame(payload: Buffer, keyframe: number, before: Buffer | undefined): void {
  if (payload[0] === keyframe) return;
  if (before === undefined) throw new Error("a track's first frame is no keyframe");
  const follows = ((before.at(-2) ?? 0) + 1) % 256 === payload.at(-2) && before.at(-1) === payload.at(-1);
  if (!follows) throw new Error(`frame ${payload.at(-2)} came after ${before.at(-2)}`);
}

test(`time, headers, queues, links and retries stay right in ${SEEDS} random worlds`, {
  timeout: 300_000 + SEEDS * 500,
}, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const world = new World(seed);
    try {
      for (let step = 0; step < STEPS; step += 1) world.step();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
});
