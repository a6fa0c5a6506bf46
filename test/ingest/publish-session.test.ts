import { expect, test } from "vitest";
import { ConnectionRefusal } from "../../src/ingest/publish/connection-refusal.ts";
import { FailedKeys } from "../../src/ingest/publish/failed-keys.ts";
import { type Admission, type PublishConnection, PublishSession } from "../../src/ingest/publish/publish-session.ts";
import { Refusals } from "../../src/ingest/publish/refusals.ts";
import {
  type AdmitResult,
  gatewayTo,
  type PublisherArrival,
  type PublishGateway,
} from "../../src/relay/publish-gateway.ts";
import type { ProvenLogin } from "../../src/thread-protocol/admission.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { AVC_CONFIG, avcFrame, video } from "../support/streams/media-messages.ts";

const ADDRESS = "192.0.2.7";

/** A protocol without bytes: an encoder that asks with a key, and the calls that its connection got. */
class FakeProtocol implements PublishConnection {
  readonly remoteAddress = ADDRESS;
  readonly facts: Fact[] = [];
  readonly calls: string[] = [];
  readonly asked: (readonly [string, ProvenLogin | undefined])[] = [];
  readonly session: PublishSession;

  constructor(answer: Admission | Promise<Admission>, clock = new VirtualClock(), failedKeys = new FailedKeys()) {
    const refusals = new Refusals((fact) => this.facts.push(fact));
    const admit = async (key: string, login: ProvenLogin | undefined) => {
      this.asked.push([key, login]);
      return answer;
    };
    this.session = new PublishSession(admit, new ConnectionRefusal({ clock, refusals, failedKeys }, ADDRESS), this);
  }

  dismiss(): void {
    this.calls.push("dismiss");
  }

  resumeReading(): void {
    this.calls.push("resume");
  }

  ask(key = "key") {
    return this.session.request({ key, keyRemoved: ["prefix"], encoder: "srt" });
  }

  refusals() {
    return this.facts.flatMap((fact) => (fact.kind === "ingest-refused" ? [[fact.reason, fact.channelId]] : []));
  }
}

/** A gateway that records its calls. */
class FakeGateway implements PublishGateway {
  readonly channelId = "ls-1";
  readonly latency = "efficient";
  readonly isFull = false;
  readonly log: string[] = [];
  readonly #result: AdmitResult | Promise<AdmitResult>;
  readonly #hasChannel: boolean;
  onRoom: () => void = () => undefined;
  /** What happens before `open` returns. */
  duringOpen: (arrival: PublisherArrival) => void = () => undefined;

  constructor(result: AdmitResult | Promise<AdmitResult> = "admitted", hasChannel = true) {
    this.#result = result;
    this.#hasChannel = hasChannel;
  }

  async tryAdmit() {
    return this.#result;
  }

  open(arrival: PublisherArrival) {
    const { slot, remoteAddress, encoder, keyRemoved, onRoom } = arrival;
    this.log.push(`open ${slot} ${remoteAddress} ${encoder} ${keyRemoved?.join()}`);
    this.onRoom = onRoom;
    this.duringOpen(arrival);
    if (!this.#hasChannel) return undefined;
    return {
      push: ({ kind, timestamp }: { readonly kind: string; readonly timestamp: number }) => {
        this.log.push(`${kind} ${timestamp}`);
      },
      end: (end: string) => {
        this.log.push(`end ${end}`);
      },
    };
  }

  flush(): void {
    this.log.push("flush");
  }

  leave(): void {
    this.log.push("leave");
  }
}

const admitted = (gateway = new FakeGateway()) => {
  const protocol = new FakeProtocol({ gateway, slot: "backup" });
  return { gateway, protocol, session: protocol.session };
};

test("an admitted encoder is opened with what its protocol read, and its media goes on until it stops", async () => {
  const { gateway, protocol, session } = admitted();
  session.loggedIn({ id: "user", password: "secret" });
  session.push(video(0, AVC_CONFIG));
  expect(await protocol.ask()).toBe("accept");
  expect(protocol.asked).toEqual([["key", { id: "user", password: "secret" }]]);
  expect([session.isPublishing, session.gateway]).toEqual([false, undefined]);
  expect(session.open()).toBe(true);
  expect([session.isPublishing, session.gateway]).toEqual([true, gateway]);
  session.push(video(40, AVC_CONFIG));
  gateway.onRoom();
  session.end("clean");
  session.push(video(80, AVC_CONFIG));
  session.end("connection-lost");
  expect(gateway.log).toEqual([`open backup ${ADDRESS} srt prefix`, "video 40", "end clean"]);
  expect(protocol.calls).toEqual(["resume"]);
  // The connection stays and may publish again.
  expect([await protocol.ask(), session.open()]).toEqual(["accept", true]);
});

test.each<readonly [string, Admission, string, readonly (readonly [string, string | undefined])[]]>([
  ["a wrong key", "refused", "refuse", [["unknown-key", undefined]]],
  [
    "a key without its channel's login",
    { refusedFor: "auth-failed", channelId: "ls-9" },
    "refuse",
    [["auth-failed", "ls-9"]],
  ],
  [
    "the key of a channel that is off",
    { refusedFor: "channel-off", channelId: "ls-9" },
    "refuse",
    [["channel-off", "ls-9"]],
  ],
  ["no verdict in time", "unavailable", "unavailable", []],
])("%s is reported at the verdict", async (_, admission, decision, refusals) => {
  const protocol = new FakeProtocol(admission);
  expect(await protocol.ask()).toBe(decision);
  expect(protocol.refusals()).toEqual(refusals);
  expect([protocol.session.open(), protocol.session.isPublishing]).toEqual([false, false]);
});

test.each<readonly [AdmitResult, string, readonly (readonly [string, string | undefined])[]]>([
  ["fight", "refuse", [["encoders-fight", "ls-1"]]],
  ["overloaded", "overloaded", [["overloaded", "ls-1"]]],
])(
  "a session leaves a gateway that says %s, and reports the refusal with its own reason",
  async (result, decision, refusals) => {
    const { gateway, protocol, session } = admitted(new FakeGateway(result));
    expect(await protocol.ask()).toBe(decision);
    expect([gateway.log, protocol.refusals()]).toEqual([["leave"], []]);
    session.reportRefused();
    session.reportRefused();
    expect(protocol.refusals()).toEqual(refusals);
  },
);

test("the sixth wrong key of an address is refused a second late, and counted before that", async () => {
  const [clock, failedKeys] = [new VirtualClock(), new FailedKeys()];
  const ask = () => new FakeProtocol("refused", clock, failedKeys);
  for (let count = 0; count < 5; count += 1) expect(await ask().ask()).toBe("refuse");
  const sixth = ask();
  let decision = "";
  const decided = sixth.ask().then((each) => {
    decision = each;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect([decision, sixth.refusals()]).toEqual(["", [["unknown-key", undefined]]]);
  clock.advance(999);
  await Promise.resolve();
  expect(decision).toBe("");
  clock.advance(1);
  await decided;
  expect(decision).toBe("refuse");
});

test("a connection that closes while its key is looked up is never opened, and a wrong key counts all the same", async () => {
  const verdict = Promise.withResolvers<Admission>();
  const gateway = new FakeGateway();
  const [good, wrong] = [new FakeProtocol(verdict.promise), new FakeProtocol(Promise.resolve("refused" as const))];
  const decisions = [good.ask(), wrong.ask()];
  for (const { session } of [good, wrong]) session.close();
  verdict.resolve({ gateway, slot: "main" });
  expect(await Promise.all(decisions)).toEqual(["unavailable", "refuse"]);
  expect([gateway.log, good.session.open(), wrong.refusals()]).toEqual([
    ["leave"],
    false,
    [["unknown-key", undefined]],
  ]);
});

test("a connection that closes while its channel is asked, or before it opens, leaves the gateway", async () => {
  const result = Promise.withResolvers<AdmitResult>();
  const { gateway, protocol, session } = admitted(new FakeGateway(result.promise));
  const decision = protocol.ask();
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  session.close();
  result.resolve("admitted");
  expect([await decision, gateway.log]).toEqual(["unavailable", ["leave"]]);

  const late = admitted();
  await late.protocol.ask();
  late.session.end("connection-lost");
  expect([late.gateway.log, late.session.open()]).toEqual([["leave"], false]);
});

test("nothing is opened where the channel was removed meanwhile", async () => {
  const { gateway, protocol, session } = admitted(new FakeGateway("admitted", false));
  expect([await protocol.ask(), session.open(), session.isPublishing]).toEqual(["accept", false, false]);
  expect(gateway.log).toEqual([`open backup ${ADDRESS} srt prefix`, "leave"]);
});

test("a second request during the first one's look-up gets no verdict, and changes nothing for the first", async () => {
  const verdict = Promise.withResolvers<Admission>();
  const gateway = new FakeGateway();
  const protocol = new FakeProtocol(verdict.promise);
  const first = protocol.ask("first");
  expect(await protocol.ask("second")).toBe("unavailable");
  verdict.resolve({ gateway, slot: "main" });
  expect(await first).toBe("accept");
  expect(await protocol.ask("third")).toBe("unavailable");
  expect(protocol.session.open()).toBe(true);
  expect(await protocol.ask("fourth")).toBe("unavailable");
  expect(protocol.asked.map(([key]) => key)).toEqual(["first"]);
  expect(protocol.session.isPublishing).toBe(true);
});

test("an encoder that is dismissed while it opens stays closed, and sends nothing on", async () => {
  const { gateway, protocol, session } = admitted();
  gateway.duringOpen = ({ onDismissed }) => onDismissed();
  await protocol.ask();
  expect([session.open(), session.isPublishing, session.gateway]).toEqual([false, false, undefined]);
  session.push(video(40, AVC_CONFIG));
  expect(gateway.log.filter((line) => line.startsWith("video"))).toEqual([]);
  expect([protocol.calls, await protocol.ask()]).toEqual([["dismiss"], "unavailable"]);
});

test("an encoder that leaves while it opens has left, and its publisher has ended", async () => {
  const { gateway, protocol, session } = admitted();
  gateway.duringOpen = () => session.end("clean");
  await protocol.ask();
  expect([session.open(), session.isPublishing]).toEqual([false, false]);
  expect(gateway.log.at(-1)).toBe("end connection-lost");
});

test("at shutdown an encoder that can move goes on, and however it leaves its end is the shutdown", async () => {
  const { gateway, protocol, session } = admitted();
  await protocol.ask();
  session.open();
  expect([session.drain(true), session.isDraining]).toEqual([true, true]);
  session.push(video(40, AVC_CONFIG));
  session.end("clean");
  expect(gateway.log.slice(1)).toEqual(["video 40", "end shutdown"]);
});

test("at shutdown an encoder that cannot move is ended, and a connection that does not publish has nothing to wait for", async () => {
  const { gateway, protocol, session } = admitted();
  expect(session.drain(true)).toBe(false);
  await protocol.ask();
  session.open();
  expect(session.drain(false)).toBe(false);
  expect(gateway.log.slice(1)).toEqual(["end shutdown"]);
});

test("an encoder that another one replaces is dismissed, and reports no end of its own", async () => {
  const stage = new RelayStage();
  const spec = stage.spec([target(1)]);
  const publish = async () => {
    const protocol = new FakeProtocol({ gateway: gatewayTo(stage.engine, spec, "main"), slot: "main" });
    expect([await protocol.ask(), protocol.session.open()]).toEqual(["accept", true]);
    protocol.session.push(video(0, AVC_CONFIG));
    protocol.session.push(video(0, avcFrame(true, 1)));
    return protocol;
  };
  const first = await publish();
  expect(first.calls).toEqual([]);
  const second = await publish();
  expect([first.calls, second.calls]).toEqual([["dismiss"], []]);
  const ends = () => stage.facts.flatMap((fact) => (fact.kind === "ingest-ended" ? [fact.end] : []));
  const before = ends();
  first.session.push(video(40, avcFrame(true, 2)));
  first.session.end("clean");
  expect([ends(), first.session.isPublishing, await first.ask()]).toEqual([before, false, "unavailable"]);
  second.session.end("clean");
  expect(ends()).toEqual([...before, "clean"]);
});
