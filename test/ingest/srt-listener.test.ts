import { expect, test } from "vitest";
import { HANDSHAKE_BYTES, readHandshake } from "../../src/protocol/srt/wire/handshake.ts";
import { ENCRYPTED } from "../protocol/srt/vectors.ts";
import { SrtIngestStage, type SrtTestCaller } from "../support/stages/srt-ingest-stage.ts";

async function opened(options: ConstructorParameters<typeof SrtIngestStage>[0] = {}): Promise<SrtIngestStage> {
  const stage = new SrtIngestStage(options);
  await stage.listen();
  return stage;
}

test("an encoder publishes with its key, and ends cleanly", async () => {
  const stage = await opened();
  const caller = stage.caller("publish:live/KEY");
  await stage.run(50);
  expect(stage.asked).toEqual([["KEY", undefined]]);
  caller.write(7);
  caller.write(8);
  caller.close();
  expect(stage.log).toEqual(["open 192.0.2.7 SRT 1.5.3", "video 7", "video 8", "end clean"]);
});

test("an encoder that falls silent is lost after 5 s", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  caller.write(7);
  caller.isGone = true;
  await stage.run(4_800);
  expect(stage.log.at(-1)).toBe("video 7");
  await stage.run(400);
  expect(stage.log.at(-1)).toBe("end connection-lost");
});

test.each(["before its timer", "behind its timer, before the reads"] as const)(
  "after a pause of the process %s nothing is given up before all that has arrived is read",
  async (where) => {
    const stage = await opened();
    const caller = stage.caller("KEY");
    await stage.run(50);
    caller.write(0);
    await stage.standStill(1_000, where, () => {
      for (let number = 1; number < 600; number += 1) caller.write(number);
      // The first was lost, and its repetition lies behind all others.
      stage.unread.push(...stage.unread.splice(0, 1));
    });
    expect(stage.readers[0]?.gaps).toBe(0);
    expect(stage.log.slice(1)).toEqual(Array.from({ length: 600 }, (_, number) => `video ${number}`));
    expect(caller.end).toBeUndefined();
  },
);

test("user and password in the stream ID are a login", async () => {
  const stage = await opened();
  stage.caller("#!::r=KEY,m=publish,u=alice,s=secret");
  await stage.run(50);
  expect(stage.asked).toEqual([["KEY", { id: "alice", password: "secret" }]]);
});

test("a user alone is no login", async () => {
  const stage = await opened();
  stage.caller("#!::r=KEY,u=admin");
  await stage.run(50);
  expect(stage.asked).toEqual([["KEY", undefined]]);
});

test.each([
  { name: "a wrong key", id: "KEY", verdict: "refused", code: 2_404, reason: "unknown-key" },
  {
    name: "a key of a channel that is off",
    id: "KEY",
    verdict: { refusedFor: "channel-off", channelId: "ls-1" },
    code: 2_404,
    reason: "channel-off",
  },
  { name: "no verdict", id: "KEY", verdict: "unavailable", code: 2_503, reason: undefined },
  { name: "a player", id: "read:KEY", verdict: "refused", code: 2_405, reason: "protocol-error" },
  { name: "no key", id: "", verdict: "refused", code: 2_400, reason: "protocol-error" },
] as const)("$name is rejected with $code", async ({ id, verdict, code, reason }) => {
  const stage = await opened();
  stage.verdict = verdict;
  const caller = stage.caller(id);
  await stage.run(100);
  expect(caller.failure).toEqual({ kind: "rejected", code });
  expect(stage.refusals()[0]?.[0]).toBe(reason);
  expect(stage.log).toEqual([]);
});

test("two encoders that push each other out: the newcomer is told that the key is in use", async () => {
  const stage = await opened();
  const admitted = stage.admitted();
  stage.verdict = { ...admitted, gateway: { ...admitted.gateway, tryAdmit: async () => "fight" } };
  const caller = stage.caller("KEY");
  await stage.run(100);
  expect(caller.failure).toEqual({ kind: "rejected", code: 2_409 });
});

test.each([
  { ours: "one passphrase", theirs: "another passphrase", code: 1_010 },
  { ours: "one passphrase", theirs: undefined, code: 1_011 },
  { ours: undefined, theirs: "one passphrase", code: 1_011 },
])("passphrases $ours and $theirs: rejected with $code, and the channel is left", async ({ ours, theirs, code }) => {
  const stage = await opened(ours === undefined ? {} : { passphrase: ours });
  const caller = stage.caller("KEY", theirs === undefined ? {} : { passphrase: theirs });
  await stage.run(100);
  expect(caller.failure).toEqual({ kind: "rejected", code });
  expect(stage.log).toEqual(["leave"]);
  expect(stage.refusals()[0]?.[0]).toBe("auth-failed");
});

test.each([
  { name: "the channel's", servers: undefined, theirs: "channel passphrase", code: undefined },
  {
    name: "the channel's, beside the server's",
    servers: "server passphrase",
    theirs: "channel passphrase",
    code: undefined,
  },
  { name: "the server's", servers: "server passphrase", theirs: "server passphrase", code: 1_010 },
  { name: "none", servers: undefined, theirs: undefined, code: 1_011 },
])("a channel with a passphrase of its own: $name gives $code", async ({ servers, theirs, code }) => {
  const stage = await opened(servers === undefined ? {} : { passphrase: servers });
  stage.verdict = { ...stage.admitted(), srtPassphrase: "channel passphrase" };
  const caller = stage.caller("KEY", theirs === undefined ? {} : { passphrase: theirs });
  await stage.run(100);
  expect(caller.failure).toEqual(code === undefined ? undefined : { kind: "rejected", code });
  caller.write(9);
  const refusal = { kind: "ingest-refused", reason: "auth-failed", channelId: "ls-1" };
  expect(stage.log.at(-1)).toBe(code === undefined ? "video 9" : "leave");
  expect(stage.facts.filter(({ kind }) => kind === "ingest-refused")).toMatchObject(
    code === undefined ? [] : [refusal],
  );
});

test("refusals that were only counted are reported within a second, when no encoder is left", async () => {
  const stage = await opened({ passphrase: "one passphrase" });
  for (const port of [1, 2, 3]) {
    stage.caller("KEY", { port });
    await stage.run(50);
  }
  await stage.run(1_100);
  expect(stage.refusals()).toHaveLength(3);
});

test("the same passphrase: media arrives decrypted", async () => {
  const stage = await opened({ passphrase: "one passphrase" });
  const caller = stage.caller("KEY", { passphrase: "one passphrase" });
  await stage.run(50);
  caller.write(9);
  expect(stage.log.at(-1)).toBe("video 9");
  await stage.run(1_000);
  expect(stage.links.at(-1)).toMatchObject([{ channelId: "ls-1", slot: "main", isEncrypted: true, packets: 1 }]);
});

test("an encoder whose new key was lost is told to leave after three seconds in which nothing could be read", async () => {
  const stage = await opened({ passphrase: "one passphrase" });
  const caller = stage.caller("KEY", { passphrase: "one passphrase" });
  await stage.run(50);
  const send = async (seconds: number) => {
    for (let count = 0; count < seconds * 10; count += 1) {
      caller.write(count);
      await stage.run(100);
    }
  };
  await send(2);
  // They say the other key, which nobody sent.
  const otherKey = (packet: Buffer) => {
    if ((packet[0] ?? 0) < 0x80) packet[4] = ((packet[4] ?? 0) & ~0x18) | 0x10;
    return packet;
  };
  caller.alter = otherKey;
  await send(1);
  // A second in between without any packet, and one that can be read: the time begins anew.
  await stage.run(2_000);
  caller.alter = (packet) => packet;
  await send(1);
  caller.alter = otherKey;
  await send(2);
  expect(caller.end).toBeUndefined();
  await send(2);
  expect(caller.end).toBe("shutdown");
  expect(stage.refusals()).toEqual([["protocol-error", "the message with its new SRT key was lost"]]);
  expect(stage.log.at(-1)).toBe("end protocol-error");
});

test("a repeated request gets the same response, and asks for nothing again", async () => {
  const stage = await opened();
  const sender = { address: "192.0.2.9", port: 1_234 };
  stage.receive(ENCRYPTED.inductionRequest, sender);
  const cookie = readHandshake(stage.sent[0]?.packet ?? Buffer.alloc(0))?.cookie ?? 0;
  // Settings and stream ID, without the key message.
  const conclusion = Buffer.from(ENCRYPTED.conclusionRequest.subarray(0, HANDSHAKE_BYTES + 16 + 24));
  conclusion.writeUInt32BE(cookie, 44);
  for (let count = 0; count < 3; count += 1) stage.receive(conclusion, sender);
  expect(stage.sent.length).toBe(1);
  await stage.run(20);
  stage.receive(conclusion, sender);
  stage.receive(conclusion, sender);
  const responses = stage.sent.slice(1).filter(({ packet }) => packet.length >= HANDSHAKE_BYTES);
  expect(responses.length).toBe(3);
  expect(new Set(responses.map(({ packet }) => packet.toString("hex"))).size).toBe(1);
  expect(stage.asked.length).toBe(1);
});

test("a packet from another address does nothing", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  const localId = stage.sent.find(({ packet }) => packet.length > HANDSHAKE_BYTES)?.packet.readUInt32BE(40) ?? 0;
  const shutdown = Buffer.from(`80050000${"00".repeat(8)}${localId.toString(16).padStart(8, "0")}00000000`, "hex");
  stage.receive(shutdown, { address: "192.0.2.8", port: 40_000 });
  stage.receive(shutdown, { address: "192.0.2.7", port: 40_001 });
  caller.write(5);
  expect(stage.log.at(-1)).toBe("video 5");
  stage.receive(shutdown, { address: "192.0.2.7", port: 40_000 });
  expect(stage.log.at(-1)).toBe("end clean");
});

test("something other than MPEG-TS is ended after 5 s, with the reason", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  caller.write(5, 0x80);
  await stage.run(6_100);
  expect(stage.refusals()).toEqual([["protocol-error", "what it sends is not MPEG-TS"]]);
  expect(stage.log.at(-1)).toBe("end protocol-error");
  expect(caller.end).toBe("shutdown");
});

test("scrambled MPEG-TS is ended after 15 s, with that reason", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  const [reader] = stage.readers;
  if (reader !== undefined) reader.progress = "scrambled";
  // It sends on, none of which is media.
  for (let second = 0; second < 14; second += 1) {
    caller.write(5, 0x80);
    await stage.run(1_000);
  }
  expect(stage.refusals()).toEqual([]);
  await stage.run(2_100);
  expect(stage.refusals()).toEqual([["protocol-error", expect.stringContaining("its MPEG-TS is scrambled")]]);
  expect(caller.end).toBe("shutdown");
});

test("an encoder that could send nothing in a pause of the process has its 5 s behind it", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  await stage.standStill(6_000, "before its timer", () => undefined);
  await stage.run(3_000);
  caller.write(7);
  await stage.run(3_000);
  expect(stage.log.at(-1)).toBe("video 7");
});

test("an encoder that another one replaces is told to leave", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  stage.dismiss();
  expect(caller.end).toBe("shutdown");
});

test("a thousand encoders on one port get what is theirs", async () => {
  const stage = await opened({ limits: { connectionsMax: 1_000, unauthenticatedPerAddressMax: 1_000 } });
  const callers: SrtTestCaller[] = [];
  // The port takes a hundred handshakes of one network in a second.
  for (let first = 0; first < 1_000; first += 100) {
    for (let index = first; index < first + 100; index += 1)
      callers.push(stage.caller("KEY", { port: 10_000 + index }));
    await stage.run(1_000);
    // One that sends nothing for five seconds is ended.
    for (const caller of callers.slice(first)) caller.write(0);
  }
  stage.log.length = 0;
  for (const [index, caller] of callers.entries()) caller.write(index);
  expect(stage.log.filter((line) => line.startsWith("video"))).toEqual(callers.map((_, index) => `video ${index}`));
  for (const caller of callers) caller.close();
  expect(stage.log.filter((line) => line === "end clean").length).toBe(1_000);
});

test("when the server stops, encoders are ended and no more are accepted", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  stage.listener.drain();
  expect([stage.log.at(-1), caller.end]).toEqual(["end shutdown", "shutdown"]);
  const late = stage.caller("KEY", { port: 50_000 });
  await stage.run(3_100);
  expect(late.failure).toEqual({ kind: "no-answer" });
  stage.listener.close();
  expect(stage.log.at(-1)).toBe("port closed");
});

test("a flood of first packets: no reply is longer than its request, replies are bounded, and a real encoder still comes", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  await stage.run(50);
  const before = stage.sent.length;
  let bytes = 0;
  for (let count = 0; count < 30_000; count += 1) {
    bytes += ENCRYPTED.inductionRequest.length;
    stage.receive(ENCRYPTED.inductionRequest, {
      address: `198.51.${count % 200}.${count % 256}`,
      port: count % 60_000,
    });
  }
  const replies = stage.sent.slice(before);
  expect(replies.length).toBeLessThanOrEqual(10_000);
  expect(replies.reduce((sum, { packet }) => sum + packet.length, 0)).toBeLessThanOrEqual(bytes);
  caller.write(6);
  expect(stage.log.at(-1)).toBe("video 6");
});

test("made-up cookies from an encoder's own address do not keep it out", async () => {
  const stage = await opened();
  const caller = stage.caller("KEY");
  for (let count = 0; count < 5_000; count += 1)
    stage.receive(ENCRYPTED.conclusionRequest, { address: "192.0.2.7", port: 1 + count });
  expect(stage.sent).toEqual([]);
  await stage.run(50);
  expect(caller.connection).toBeDefined();
});

test("one address's first packets do not use up those of all", async () => {
  const stage = await opened();
  for (let count = 0; count < 30_000; count += 1)
    stage.receive(ENCRYPTED.inductionRequest, { address: "198.51.100.7", port: 1 + count });
  expect(stage.sent.length).toBe(200);
  const caller = stage.caller("KEY");
  await stage.run(50);
  expect(caller.connection).toBeDefined();
});

test("a flood of half handshakes: those that wait are bounded, and the oldest make room", async () => {
  const stage = await opened({ limits: { connectionsMax: 20, unauthenticatedPerAddressMax: 5 } });
  stage.verdict = new Promise(() => undefined);
  for (let port = 1; port <= 60; port += 1) stage.caller("KEY", { port });
  await stage.run(20);
  expect(stage.asked.length).toBe(60);
  const rejected = stage.sent.filter(({ packet }) => packet.readUInt32BE(36) === 1_003);
  expect(rejected.length).toBe(55);
});
