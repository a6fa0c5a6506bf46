import { describe, expect, test } from "vitest";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { KernelPeer, type PeerHabits } from "../support/stages/kernel-peer.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const FRAME_MS = 40;
const FRAMES_PER_GROUP = 50;

/** One channel with a target whose far end is simulated, and a healthy target beside it. */
class Scene {
  readonly stage = new RelayStage();
  readonly #publisher: PublisherHandle;
  readonly #frameBytes: number;
  peer: KernelPeer;
  #frame = 0;
  /** The statuses that were reported for it, each with its second. */
  readonly said: [second: number, word: string][] = [];
  #fact = 0;

  /** `kilobits`: the bitrate of the stream. */
  constructor(kilobits = 476, habits: PeerHabits = {}, bufferPolicy: "drop" | "disconnect" = "drop") {
    this.#frameBytes = Math.round((kilobits * 1_000) / 8 / 25) - 60;
    this.#publisher = this.stage.onAir(target(1, { bufferPolicy }), target(2));
    this.peer = new KernelPeer(this.stage.dialer.latest(1), habits);
    this.#listen();
  }

  get link() {
    return this.peer.link;
  }

  get seconds(): number {
    return this.stage.clock.now() / 1_000;
  }

  get sample() {
    return this.stage.samples.at(-1)?.targets[0];
  }

  run(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      for (let frame = 0; frame < 25; frame += 1) {
        const atMs = this.#frame * FRAME_MS;
        const isKeyframe = this.#frame % FRAMES_PER_GROUP === 0;
        this.#publisher.push(video(atMs, avcFrame(isKeyframe, this.#frame % 251, this.#frameBytes)));
        this.#publisher.push(audio(atMs + 5, aacFrame(1)));
        this.#frame += 1;
        this.stage.clock.advance(FRAME_MS);
        this.#listen();
      }
      this.peer.second();
      this.#listen();
    }
  }

  /** The next link is accepted; its far end behaves as the first one's did at the start. */
  accept(habits: PeerHabits = {}): void {
    const link = this.stage.dialer.latest(1);
    link.accept();
    this.peer = new KernelPeer(link, habits);
    this.#listen();
  }

  #listen(): void {
    const statuses = this.stage.statuses(1);
    for (const word of statuses.slice(this.#fact)) this.said.push([this.seconds, word]);
    this.#fact = statuses.length;
  }

  get words(): string[] {
    return this.said.map(([, word]) => word);
  }

  at(word: string): number | undefined {
    return this.said.find(([, each]) => each === word)?.[0];
  }
}

/** Drops everything without a word: nothing arrives, and nothing is answered. */
function darken(scene: Scene): void {
  scene.peer.habits = { ...scene.peer.habits, takesPerSecond: 0 };
  scene.link.path = "none";
}

describe("a target whose path is silent", () => {
  test("is reported within 8 s, and its link is kept: a reset would be lost, and the peer would keep its publisher", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.run(120);
    expect(scene.at("FAIL STALLED")).toBeLessThanOrEqual(18);
    expect(scene.words).toEqual(["CONNECTING", "PUBLISHING", "FAIL STALLED"]);
    expect(scene.link.closedHow).toBeUndefined();
    expect(scene.stage.dialer.links).toHaveLength(2);
  });

  test("is probed by one connection at a time, from 8.5 s on, each half second at most", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.run(8);
    expect(scene.link.probes).toBe(0);
    scene.run(10);
    expect(scene.link.probes).toBeGreaterThan(5);
    expect(scene.link.probes).toBeLessThanOrEqual(20);
  });

  test.each([15, 60, 600])(
    "has its link reset when the path is back after %i s, and another link is on air soon",
    (outage) => {
      const scene = new Scene();
      scene.run(10);
      darken(scene);
      scene.run(outage);
      // The kernel's own repetitions are a minute apart by now.
      scene.link.path = "same";
      scene.run(outage > 120 ? 8 : 4);
      expect(scene.stage.dialer.links).toHaveLength(3);
      expect(scene.stage.dialer.links[0]?.closedHow).toBe("abort");
      scene.accept();
      scene.run(5);
      expect(scene.words.slice(2)).toEqual(["FAIL STALLED", "FAIL STALLED", "CONNECTING STALLED", "PUBLISHING"]);
      const frames = mediaOf(scene.link).filter(({ type, payload }) => type === 9 && payload[1] === 1);
      expect(frames[0]?.payload[0]).toBe(0x17);
    },
  );

  test("keeps a link that moves again by itself, and no new link is dialled", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.run(12);
    scene.link.path = "same";
    scene.peer.habits = {};
    scene.run(20);
    expect(scene.stage.dialer.links).toHaveLength(2);
    expect(scene.link.closedHow).toBeUndefined();
    expect(scene.words.filter((word) => word.startsWith("PUBLISHING")).length).toBeGreaterThan(1);
  });

  test("moves to another address of its name when the old one does not answer for 30 s, and closes the old link with FIN", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.link.path = "other";
    scene.run(25);
    expect(scene.link.closedHow).toBeUndefined();
    scene.run(12);
    expect(scene.link.closedHow).toBe("cut");
    expect(scene.stage.dialer.links).toHaveLength(3);
  });

  test("is dialled anew at once when a person asks for it, and that counts as a retry", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.run(20);
    scene.stage.engine.retryTarget("ls-1", 1);
    expect(scene.link.closedHow).toBe("cut");
    expect(scene.stage.dialer.links).toHaveLength(3);
    scene.run(1);
    expect(scene.sample?.retryCount).toBe(1);
    // Nothing that belongs to the old link comes after that.
    scene.link.path = "same";
    scene.run(5);
    expect(scene.stage.dialer.links).toHaveLength(3);
  });

  test("is probed no more when the broadcast ends", () => {
    const scene = new Scene();
    scene.run(10);
    darken(scene);
    scene.run(20);
    const { probes } = scene.link;
    scene.stage.engine.end("ls-1");
    scene.stage.clock.advance(60_000);
    expect(scene.link.probes).toBe(probes);
    expect(scene.stage.dialer.links).toHaveLength(2);
  });
});

test("a target that reads nothing while its path is open is left after 10 s, because another connection may do better", () => {
  const scene = new Scene();
  scene.run(10);
  scene.peer.habits = { takesPerSecond: 0 };
  scene.run(11);
  expect(scene.link.closedHow).toBe("abort");
  expect(scene.at("FAIL STALLED")).toBeLessThanOrEqual(18);
});

describe("a target whose path loses packets, so that the link pauses again and again", () => {
  const pause = (scene: Scene, seconds: number) => {
    scene.peer.habits = { takesPerSecond: 0 };
    scene.run(seconds);
    scene.peer.habits = {};
    scene.run(3);
  };
  const uneven = () => {
    const scene = new Scene();
    scene.run(5);
    for (let count = 0; count < 3; count += 1) pause(scene, 3);
    return scene;
  };

  test("keeps its link while the path answers and the kernel retransmits, and goes on by itself", () => {
    const scene = uneven();
    pause(scene, 26);
    expect(scene.words).toContain("FAIL STALLED");
    expect(scene.words.at(-1)).toMatch(/^PUBLISHING/);
    expect(scene.link.closedHow).toBeUndefined();
    expect(scene.stage.dialer.links).toHaveLength(2);
  });

  test("keeps its link when the kernel reports retransmissions although it never paused for seconds", () => {
    const scene = new Scene();
    scene.run(5);
    for (let second = 0; second < 6; second += 1) {
      scene.peer.habits = { isLossy: second % 2 === 0 };
      scene.run(1);
    }
    scene.peer.habits = { takesPerSecond: 0, isLossy: true };
    scene.run(26);
    expect(scene.words).toContain("FAIL STALLED");
    expect(scene.link.closedHow).toBeUndefined();
    scene.peer.habits = {};
    scene.run(3);
    expect(scene.words.at(-1)).toMatch(/^PUBLISHING/);
    expect(scene.stage.dialer.links).toHaveLength(2);
  });

  test("is closed with FIN after taking nothing for 30 s: the kernel repeats FIN, and a reset may be lost", () => {
    const scene = uneven();
    const { link } = scene;
    scene.peer.habits = { takesPerSecond: 0 };
    scene.run(27);
    expect(link.closedHow).toBeUndefined();
    scene.run(6);
    expect(link.closedHow).toBe("cut");
    expect(scene.stage.dialer.links).toHaveLength(3);
  });
});

describe("a target whose window is shut while its TCP answers", () => {
  const shut: PeerHabits = { takesPerSecond: 0, isAnswering: true };

  test("is reported within 8 s, and kept until it hangs for 30 s: a new connection would meet the same program", () => {
    const scene = new Scene();
    scene.run(10);
    scene.peer.habits = shut;
    scene.run(8);
    expect(scene.words.at(-1)).toBe("FAIL STALLED");
    scene.run(20);
    expect(scene.link.closedHow).toBeUndefined();
    scene.run(4);
    expect(scene.link.closedHow).toBe("abort");
  });

  test("is never cut when it reads in gulps twelve seconds apart", () => {
    const scene = new Scene();
    scene.run(10);
    for (let gulp = 0; gulp < 10; gulp += 1) {
      scene.peer.habits = shut;
      scene.run(12);
      scene.peer.habits = { takesPerSecond: 150_000 };
      scene.run(1);
    }
    expect(scene.link.closedHow).toBeUndefined();
    expect(scene.stage.dialer.links).toHaveLength(2);
  });

  test("is reset as soon as its path answers again, when the path falls silent and comes back", () => {
    const scene = new Scene();
    scene.run(10);
    scene.peer.habits = shut;
    scene.run(7);
    darken(scene);
    scene.peer.habits = { takesPerSecond: 0 };
    scene.run(6);
    scene.link.path = "same";
    scene.run(4);
    expect(scene.link.closedHow).toBe("abort");
  });

  test("is judged by its acknowledgements also on its next connection", () => {
    expect(hangsTwice(476, 0, true).words.at(-1)).toBe("FAIL STALLED");
  });
});

/**
 * A target that acknowledges, and hangs on its first and second connection; its TCP takes so much more on the first.
 */
function hangsTwice(kilobits: number, takesPerSecond: number, isAnswering = false): Scene {
  const acksEach = (kilobits * 1_000) / 8;
  const scene = new Scene(kilobits, { acksEach });
  scene.run(20);
  scene.peer.habits = { acksEach, isReading: false };
  scene.run(6);
  expect(scene.words.at(-1)).toBe("FAIL STALLED");
  scene.peer.habits = { acksEach, isReading: false, takesPerSecond, isAnswering };
  scene.run(30);
  expect(scene.link.closedHow).toBe("abort");
  scene.accept({ acksEach });
  scene.run(10);
  scene.peer.habits = { acksEach, isReading: false };
  scene.run(8);
  return scene;
}

test("a target that stops acknowledging and goes on taking is not judged by its acknowledgements again", () => {
  expect(hangsTwice(64, Number.POSITIVE_INFINITY).words.at(-1)).toBe("PUBLISHING");
});

describe.each([64, 128, 476, 6_000])("at %i kbit/s", (kilobits) => {
  test("a target that acknowledges and hangs is reported within 8 s although its TCP takes everything", () => {
    const window = (kilobits * 1_000) / 8;
    const scene = new Scene(kilobits, { acksEach: window });
    scene.run(20);
    scene.peer.habits = { acksEach: window, isReading: false };
    scene.run(8);
    expect(scene.at("FAIL STALLED")).toBeLessThanOrEqual(28);
    expect(scene.stage.status()?.lastError?.message).toContain("acknowledged nothing");
    scene.peer.habits = { acksEach: window };
    scene.run(2);
    expect(scene.words.slice(-2)).toEqual(["FAIL STALLED", "PUBLISHING"]);
    expect(scene.link.closedHow).toBeUndefined();
  });

  test("a target whose TCP takes nothing either is judged by its acknowledgements also on its next connection", () => {
    expect(hangsTwice(kilobits, 0).words.at(-1)).toBe("FAIL STALLED");
  });

  test("the play time of a target that stops ends with the last media that it took", () => {
    const scene = new Scene(kilobits);
    scene.run(20);
    darken(scene);
    scene.run(20);
    // Until the next look noticed it.
    expect(scene.sample?.playMs).toBeLessThanOrEqual(22_000);
    expect(scene.sample?.unackedBytes).toBeGreaterThan(0);
  });

  test("a target that stops has five seconds of media waiting, in our queue and in the kernel's", () => {
    const scene = new Scene(kilobits);
    scene.run(20);
    darken(scene);
    scene.run(30);
    const queueMs = scene.sample?.queueMs ?? 0;
    expect(queueMs).toBeGreaterThan(3_500);
    // Known to a second.
    expect(queueMs).toBeLessThanOrEqual(6_000);
  });
});

describe.each([100, 250, 400])("a target that takes %i of 476 kbit/s", (kilobits) => {
  test("is slow, not stalled: PUBLISHING with a warning, and whole groups of pictures are dropped", () => {
    const scene = new Scene(476, { acksEach: 59_500 });
    scene.run(10);
    scene.peer.habits = { ...scene.peer.habits, takesPerSecond: (kilobits * 1_000) / 8 };
    scene.run(120);
    expect(new Set(scene.words.slice(1))).toEqual(new Set(["PUBLISHING", "PUBLISHING SLOW"]));
    expect(scene.link.closedHow).toBeUndefined();
    expect(scene.sample?.droppedFrames).toBeGreaterThan(100);
    expect(scene.sample?.queueMs).toBeLessThanOrEqual(6_000);
    const takes = Number(/only (\d+) of/.exec(scene.stage.status()?.warning?.message ?? "")?.[1]);
    expect(Math.abs(takes - kilobits)).toBeLessThan(kilobits * 0.25);
    scene.peer.habits = { acksEach: 59_500 };
    scene.run(30);
    expect(scene.words.at(-1)).toBe("PUBLISHING");
  });
});

describe("a target that is set to be disconnected when it is too slow", () => {
  test("is disconnected when it takes some of the stream", () => {
    const scene = new Scene(476, {}, "disconnect");
    scene.run(10);
    scene.peer.habits = { takesPerSecond: 12_500 };
    scene.run(10);
    expect(scene.link.closedHow).toBe("abort");
  });

  test("is disconnected when it takes nothing and its TCP answers, as soon as its queue is full", () => {
    const scene = new Scene(476, {}, "disconnect");
    scene.run(10);
    scene.peer.habits = { takesPerSecond: 0, isAnswering: true };
    scene.run(10);
    expect(scene.link.closedHow).toBe("abort");
  });

  test("is not disconnected while its path is silent: the reset would be lost", () => {
    const scene = new Scene(476, {}, "disconnect");
    scene.run(10);
    darken(scene);
    scene.run(30);
    expect(scene.link.closedHow).toBeUndefined();
    scene.link.path = "same";
    scene.run(4);
    expect(scene.link.closedHow).toBe("abort");
  });
});

test("a target that failed three times in ten minutes is unstable, also while it is PUBLISHING", () => {
  const scene = new Scene();
  scene.run(5);
  for (let fall = 1; fall <= 3; fall += 1) {
    scene.link.fail({ code: "TCP_RESET", severity: "transient", message: "reset", messageKo: "오류" });
    expect(scene.sample?.isUnstable).toBe(false);
    scene.stage.engine.retryTarget("ls-1", 1);
    scene.accept();
    scene.run(3);
  }
  expect(scene.words.at(-1)).toBe("PUBLISHING");
  expect(scene.sample?.isUnstable).toBe(true);
});

test("an attempt that is not answered is repeated within five seconds, however often it failed", () => {
  const scene = new Scene();
  const UNANSWERED = { code: "TCP_TIMEOUT", severity: "transient", message: "silent", messageKo: "오류" } as const;
  scene.link.fail(UNANSWERED);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const { length } = scene.stage.dialer.links;
    scene.run(5);
    expect(scene.stage.dialer.links).toHaveLength(length + 1);
    scene.stage.dialer.latest(1).fail(UNANSWERED);
  }
});
