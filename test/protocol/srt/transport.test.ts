import { expect, test } from "vitest";
import { isControl } from "../../../src/protocol/srt/wire/packet.ts";
import { numbered, SrtPair } from "../../support/stages/srt-pair.ts";

/** Sends a packet a millisecond for this long, then waits until all is settled. Returns how many were sent. */
function stream(pair: SrtPair, forMs: number): number {
  let count = 0;
  pair.run(forMs, () => {
    pair.write(numbered(count, 400));
    count += 1;
  });
  pair.run(1_500);
  return count;
}

const numbersOf = (payloads: readonly Buffer[]) => payloads.map((payload) => payload.readUInt32BE(0));
const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);

test("a clean network: everything arrives at once, in order, and nothing is sent twice", () => {
  const pair = new SrtPair({ faults: { delayUs: 10_000 } });
  pair.connect();
  const count = stream(pair, 1_000);
  expect(numbersOf(pair.delivered)).toEqual(upTo(count));
  const { sentRetransmitted, acknowledged, rttMs, unacknowledged } = pair.caller?.stats ?? {};
  expect({ sentRetransmitted, acknowledged, unacknowledged }).toEqual({
    sentRetransmitted: 0,
    acknowledged: count,
    unacknowledged: 0,
  });
  expect(rttMs).toBeGreaterThanOrEqual(20);
  expect(rttMs).toBeLessThan(24);
});

const networks = [
  { name: "1 % loss", faults: { loss: 0.01, delayUs: 25_000 } },
  { name: "5 % loss", faults: { loss: 0.05, delayUs: 25_000, jitterUs: 5_000 } },
  { name: "10 % loss", faults: { loss: 0.1, delayUs: 50_000 } },
  { name: "bursts of 100 ms", faults: { burstEveryUs: 1_000_000, burstUs: 100_000, delayUs: 20_000 } },
  { name: "reordering", faults: { reordered: 0.1, reorderUs: 8_000, delayUs: 20_000 } },
  { name: "duplication", faults: { duplicates: 0.2, delayUs: 20_000, jitterUs: 4_000 } },
  {
    name: "everything at once",
    faults: { loss: 0.03, duplicates: 0.03, reordered: 0.05, reorderUs: 9_000, delayUs: 30_000 },
  },
] as const;

test.each(networks)("$name: nothing is missing at a latency of some round trips", ({ faults }) => {
  for (const seed of [1, 2]) {
    const pair = new SrtPair({ seed, faults, latencyMs: 500 });
    pair.connect();
    const count = stream(pair, 2_000);
    expect(numbersOf(pair.delivered)).toEqual(upTo(count));
    expect(pair.gaps).toEqual([]);
  }
});

test("a packet is asked for again as soon as that is due, not with the next tick", () => {
  const pair = new SrtPair({ faults: { delayUs: 20_000 }, latencyMs: 86 });
  pair.connect();
  stream(pair, 500);
  // Each 37th packet is lost, and its first repetition too: at every distance from a tick.
  const seen = new Map<number, number>();
  pair.toListener.loses = (packet) => {
    const sequence = packet.readUInt32BE(0);
    if (isControl(packet) || sequence % 37 !== 0) return false;
    seen.set(sequence, (seen.get(sequence) ?? 0) + 1);
    return (seen.get(sequence) ?? 0) <= 2;
  };
  stream(pair, 1_000);
  expect(seen.size).toBeGreaterThan(20);
  expect(pair.gaps).toEqual([]);
});

test("30 % loss: what is missing is told, the order stays, and the repetitions are bounded", () => {
  const pair = new SrtPair({ seed: 5, faults: { loss: 0.3, delayUs: 40_000 }, latencyMs: 200 });
  pair.connect();
  const count = stream(pair, 2_000);
  const numbers = numbersOf(pair.delivered);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  const missing = pair.gaps.reduce((sum, packets) => sum + packets, 0);
  const tail = count - 1 - (numbers.at(-1) ?? 0);
  expect(numbers.length + missing + tail).toBe(count);
  expect(missing).toBeGreaterThan(0);
  expect(pair.listener?.stats.receiveDropped).toBe(missing);
  expect(pair.caller?.stats.sentRetransmitted).toBeLessThan(count);
});

test("sequence numbers and timestamps wrap while packets are lost", () => {
  // The timestamps' 32 bits end after 4295 s.
  const pair = new SrtPair({
    seed: 3,
    faults: { loss: 0.05, delayUs: 15_000 },
    initialSequence: 0x3fffffff,
    startUs: 0,
    latencyMs: 300,
  });
  pair.connect();
  expect(stream(pair, 500)).toBe(pair.delivered.length);
});

test("timestamps go on when their 32 bits end, twice, and lost packets come again there", () => {
  const pair = new SrtPair({ seed: 2, faults: { delayUs: 20_000 }, latencyMs: 400, stepMs: 10 });
  pair.connect();
  let count = 0;
  const write = (everyUs: number) => () => {
    if (pair.nowUs % everyUs === 0) pair.write(numbered(count++, 50));
  };
  for (let wrap = 0; wrap < 2; wrap += 1) {
    pair.run(4_280_000, write(1_000_000));
    const dense = write(10_000);
    pair.run(15_000, () => {
      if (pair.nowUs % 200_000 === 0) pair.toListener.loseNext(1);
      dense();
    });
  }
  pair.run(1_000);
  expect(numbersOf(pair.delivered)).toEqual(upTo(count));
  expect(pair.gaps).toEqual([]);
});

test("an encoder that paused for 40 minutes: a lost packet still comes again", () => {
  const pair = new SrtPair({ faults: { delayUs: 20_000 }, latencyMs: 400, stepMs: 10 });
  pair.connect();
  pair.write(numbered(0, 50));
  // Half of what 32 bits of microseconds tell is 36 minutes.
  pair.run(2_400_000);
  pair.toListener.loseNext(1);
  for (let number = 1; number < 4; number += 1) pair.write(numbered(number, 50));
  pair.run(1_000);
  expect(numbersOf(pair.delivered)).toEqual(upTo(4));
  expect(pair.gaps).toEqual([]);
});

test("a caller whose clock is 100 ppm slow: a gap after 20 minutes still waits for the lost packet", () => {
  const pair = new SrtPair({ faults: { delayUs: 10_000 }, latencyMs: 80, callerPpm: -100, stepMs: 10 });
  pair.connect();
  let count = 0;
  pair.run(1_200_000, () => {
    if (pair.nowUs % 20_000 === 0) pair.write(numbered(count++, 50));
  });
  // The clocks are 120 ms apart by now, more than the latency.
  pair.toListener.loseNext(1);
  pair.write(numbered(count++, 50));
  pair.write(numbered(count++, 50));
  pair.run(100);
  expect(pair.delivered.length).toBe(count);
  expect(pair.gaps).toEqual([]);
});

test("a peer that falls silent is gone after 5 s, and is told so", () => {
  const pair = new SrtPair();
  pair.connect();
  pair.isCallerGone = true;
  pair.run(4_900);
  expect(pair.listenerEnd).toBeUndefined();
  pair.run(200);
  expect(pair.listenerEnd).toEqual({ kind: "silent" });
});

test("a peer that was silent in a pause of the process is gone after 5 s in which we could hear it", () => {
  const pair = new SrtPair();
  pair.connect();
  pair.isCallerGone = true;
  pair.isListenerStill = true;
  pair.run(6_000);
  pair.isListenerStill = false;
  pair.run(4_900);
  expect(pair.listenerEnd).toBeUndefined();
  pair.run(200);
  expect(pair.listenerEnd).toEqual({ kind: "silent" });
});

test.each([
  { name: "the network", lostAtMs: 0 },
  { name: "the network in the pause", lostAtMs: 300 },
  { name: "a full socket", lostAtMs: 450, lost: 150 },
])("behind a pause of the process, what $name lost is asked for, and comes", ({ lostAtMs, lost = 3 }) => {
  const pair = new SrtPair({ faults: { delayUs: 30_000 }, latencyMs: 120 });
  pair.connect();
  let count = 0;
  const each = () => pair.write(numbered(count++, 400));
  pair.run(500, each);
  pair.isListenerStill = true;
  pair.run(lostAtMs, each);
  pair.toListener.loseNext(lost);
  pair.run(600 - lostAtMs, each);
  pair.isListenerStill = false;
  pair.run(500, each);
  pair.run(1_500);
  expect(pair.gaps).toEqual([]);
  expect(numbersOf(pair.delivered)).toEqual(upTo(count));
});

test("a connection without media stays, by keepalives", () => {
  const pair = new SrtPair({ faults: { delayUs: 20_000 } });
  pair.connect();
  pair.run(20_000);
  expect([pair.listenerEnd, pair.callerEnd]).toEqual([undefined, undefined]);
});

test("a shutdown behind a gap: what waits is delivered first", () => {
  const pair = new SrtPair({ latencyMs: 1_000 });
  pair.connect();
  pair.write(numbered(0));
  pair.toListener.loseNext(1);
  pair.write(numbered(1));
  pair.write(numbered(2));
  pair.caller?.close(pair.nowUs);
  pair.run(20);
  expect(numbersOf(pair.delivered)).toEqual([0, 2]);
  expect(pair.gaps).toEqual([1]);
  expect(pair.listenerEnd).toEqual({ kind: "shutdown" });
});

test.each([16, 24, 32] as const)(
  "encrypted with %i bytes of key, and renewed keys while packets are lost",
  (keyLength) => {
    const pair = new SrtPair({
      seed: 4,
      faults: { loss: 0.05, delayUs: 20_000 },
      latencyMs: 400,
      passphrase: "correct horse battery",
      keyLength,
      rotation: { refreshAfter: 300, announceBefore: 150 },
    });
    pair.connect();
    const count = stream(pair, 2_000);
    expect(pair.delivered.length).toBe(count);
    expect(pair.delivered.every((payload, number) => payload.equals(numbered(number, 400)))).toBe(true);
    expect(pair.listener?.stats.receiveUndecrypted).toBe(0);
  },
);

test("a new key is not used before the peer has it, however long its message is lost", () => {
  const pair = new SrtPair({
    faults: { delayUs: 20_000 },
    passphrase: "correct horse battery",
    rotation: { refreshAfter: 4_000, announceBefore: 3_800 },
  });
  pair.connect();
  const isKeyMessage = (packet: Buffer) => packet.readUInt32BE(0) === 0xffff0003;
  let lost = 0;
  // The key is due after 4 s: a packet is sent each millisecond.
  pair.toListener.loses = (packet) => {
    if (!isKeyMessage(packet) || pair.nowUs > 6_000_000) return false;
    lost += 1;
    return true;
  };
  const count = stream(pair, 7_000);
  expect(lost).toBeGreaterThan(10);
  // Ten times in quick succession, then once a second.
  expect(lost).toBeLessThan(20);
  expect(pair.listener?.stats.receiveUndecrypted).toBe(0);
  expect(pair.delivered.length).toBe(count);
});

test("a peer that confirms no key gets it all the same: the new key is used in the end", () => {
  const pair = new SrtPair({
    passphrase: "correct horse battery",
    rotation: { refreshAfter: 500, announceBefore: 400 },
  });
  pair.connect();
  pair.toCaller.loses = (packet) => packet.readUInt32BE(0) === 0xffff0004;
  const keys = new Set<number>();
  pair.toListener.loses = (packet) => {
    if (!isControl(packet)) keys.add((packet.readUInt8(4) >> 3) & 3);
    return false;
  };
  expect(stream(pair, 1_500)).toBe(pair.delivered.length);
  expect([...keys]).toEqual([1, 2]);
});

test.each([
  { caller: "one passphrase", listener: "another passphrase", failure: { kind: "rejected", code: 1_010 } },
  { caller: "one passphrase", listener: undefined, failure: { kind: "rejected", code: 1_011 } },
  { caller: undefined, listener: "one passphrase", failure: { kind: "rejected", code: 1_011 } },
] as const)("passphrases $caller and $listener: $failure.code", ({ caller, listener, failure }) => {
  const pair = new SrtPair({ passphrase: caller, listenerPassphrase: listener });
  pair.connect();
  expect(pair.failure).toEqual(failure);
});

test("no reply: the caller gives up after 3 s", () => {
  const pair = new SrtPair({ faults: { loss: 1 } });
  pair.run(2_980);
  expect(pair.failure).toBeUndefined();
  pair.run(40);
  expect(pair.failure).toEqual({ kind: "no-answer" });
  expect(pair.toListener.sent).toBe(12);
});

test("no reply while the process stood still: the caller gives up after 3 s in which it ran", () => {
  const pair = new SrtPair({ faults: { loss: 1 } });
  pair.run(500);
  pair.isCallerStill = true;
  pair.run(4_000);
  pair.isCallerStill = false;
  pair.run(2_480);
  expect(pair.failure).toBeUndefined();
  pair.run(60);
  expect(pair.failure).toEqual({ kind: "no-answer" });
});

test("a network that loses half of everything: the handshake is repeated until it is through", () => {
  const pair = new SrtPair({ seed: 11, faults: { loss: 0.5, delayUs: 20_000 }, latencyMs: 1_000 });
  pair.connect();
  expect(pair.caller).toBeDefined();
});
