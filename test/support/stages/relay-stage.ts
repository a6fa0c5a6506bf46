import { Engine } from "../../../src/relay/engine.ts";
import type { PublisherHandle } from "../../../src/relay/publisher/publisher.ts";
import type { DelayShelves } from "../../../src/relay/subscriber/delay/delay-shelf.ts";
import type { ChannelSpec, IngestSlot, TargetSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { ChannelSample } from "../../../src/thread-protocol/samples.ts";
import type { TargetError, TargetStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { AAC_CONFIG, AVC_CONFIG, audio, avcFrame, video } from "../streams/media-messages.ts";
import { FakeDialer, type FakeLink } from "./fake-links.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const REFUSED: TargetError = {
  code: "TCP_REFUSED",
  severity: "transient",
  message: "refused",
  messageKo: "오류",
};
export const BAD_KEY: TargetError = {
  code: "PUBLISH_REJECTED",
  severity: "fatal",
  message: "bad key",
  messageKo: "오류",
};

/** A target with an address and key of its own. */
export function target(targetId: number, changes: Partial<TargetSpec> = {}): TargetSpec {
  return { targetId, url: `rtmp://target${targetId}/app`, streamKey: `key${targetId}`, isEnabled: true, ...changes };
}

/** A relay on virtual time, with links that the test controls. */
export class RelayStage {
  readonly clock = new VirtualClock();
  readonly dialer = new FakeDialer();
  readonly facts: Fact[] = [];
  readonly samples: ChannelSample[] = [];
  readonly dismissed: number[] = [];
  readonly engine: Engine;
  #revision = 0;
  readonly #holdSeconds: number;

  /**
   * `holdSeconds`: how long targets are held; none by default. `onWoke`: of a node that shares its channels. `shelves`:
   * where delayed targets' streams lie. `waitingBytesMax`: what may wait for all targets together.
   */
  constructor(holdSeconds = 0, onWoke?: () => void, shelves?: DelayShelves, waitingBytesMax?: number) {
    this.#holdSeconds = holdSeconds;
    this.engine = new Engine({
      clock: this.clock,
      random: () => 0.5,
      dialer: this.dialer,
      onFact: (fact) => this.facts.push(fact),
      report: (samples) => this.samples.push(...samples),
      ...(onWoke === undefined ? {} : { onWoke }),
      ...(shelves === undefined ? {} : { shelves }),
      ...(waitingBytesMax === undefined ? {} : { waitingBytesMax }),
    });
  }

  spec(targets: readonly TargetSpec[], channelId = "ls-1"): ChannelSpec {
    this.#revision += 1;
    return { channelId, revision: this.#revision, holdSeconds: this.#holdSeconds, targets };
  }

  open(channelId = "ls-1", encoder = "test", mark = 1, slot: IngestSlot = "main"): PublisherHandle {
    const publisher = this.engine.open(channelId, {
      slot,
      remoteAddress: "127.0.0.1",
      encoder,
      onDismissed: () => this.dismissed.push(mark),
    });
    if (publisher === undefined) throw new Error("no such channel");
    return lending(publisher);
  }

  /** A channel with these targets on air: headers sent, links accepted, no frame sent yet. */
  onAir(...targets: readonly TargetSpec[]): PublisherHandle {
    this.engine.introduce(this.spec(targets));
    const publisher = this.open();
    publisher.push(audio(0, AAC_CONFIG));
    publisher.push(video(0, AVC_CONFIG));
    for (const link of this.dialer.links) link.accept();
    return publisher;
  }

  /** Advances time while the encoder goes on: an inter frame a second, with which no target can start. */
  pass(publisher: PublisherHandle, byMs: number): void {
    for (let leftMs = byMs; leftMs > 0; leftMs -= 1_000) {
      publisher.push(video(Math.round(this.clock.now()), avcFrame(false, 0)));
      this.clock.advance(Math.min(1_000, leftMs));
    }
  }

  flush(): void {
    this.clock.advance(50);
  }

  /** The last reported status of a target. */
  status(targetId = 1): TargetStatus | undefined {
    const fact = this.facts.findLast((each) => each.kind === "target-status" && each.targetId === targetId);
    return fact?.kind === "target-status" ? fact.status : undefined;
  }

  /** Everything that a target got except metadata, after a flush: time and hexadecimal payload. */
  sent(targetId: number): string[] {
    this.flush();
    return mediaOf(this.dialer.latest(targetId)).map(
      ({ timestamp, payload }) => `${timestamp} ${payload.toString("hex")}`,
    );
  }

  /** Each reported status, with the code of its error or warning. */
  statuses(targetId: number): string[] {
    return this.facts.flatMap((fact) => {
      if (fact.kind !== "target-status" || fact.targetId !== targetId) return [];
      const { status, lastError, warning } = fact.status;
      return [[status, lastError?.code, warning?.code].filter((word) => word !== undefined).join(" ")];
    });
  }
}

/** A line of `RelayStage.sent`, from one with blanks between its bytes. */
export const plain = (text: string): string => {
  const [time, ...bytes] = text.split(" ");
  return `${time} ${bytes.join("")}`;
};

/** Everything that a target got except metadata. */
export const mediaOf = (link: FakeLink) => link.messages().filter(({ type }) => type !== 18);
/** … as type, time, and the last byte, which tests use to identify frames. */
export const marksOf = (link: FakeLink) =>
  mediaOf(link).map(({ type, timestamp, payload }) => [type, timestamp, payload.at(-1)]);

/** Lends payloads as ingest does: a payload that the relay reads later than this is garbage. */
function lending(publisher: PublisherHandle): PublisherHandle {
  return {
    push: (message) => {
      const payload = Buffer.from(message.payload);
      publisher.push({ ...message, payload });
      payload.fill(0xee);
    },
    end: (end) => publisher.end(end),
  };
}
