import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { type ListenerDeps, RtmpListener } from "../../../src/ingest/rtmp/rtmp-listener.ts";
import { AMF0_LIMITS } from "../../../src/protocol/amf0/decode.ts";
import { amf0Object, textProperty } from "../../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { decodeCommand, encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { Engine } from "../../../src/relay/engine.ts";
import type { PublishGateway } from "../../../src/relay/publish-gateway.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { admissionTo, NO_LOGINS, type Verdict } from "../stages/admission.ts";
import { FakeDialer } from "../stages/fake-links.ts";

export const SPEC: ChannelSpec = {
  channelId: "ls-1",
  revision: 1,
  holdSeconds: 0,
  targets: [{ targetId: 1, url: "rtmp://target/app", streamKey: "target-key", isEnabled: true }],
};

export const ADMITTED: Verdict = { spec: SPEC, slot: "main" };

/** A gateway into another thread: the test says whether it is full, and calls `room`. */
export type TestedWay = { isFull: boolean; room: () => void };

function through(way: TestedWay, gateway: PublishGateway): PublishGateway {
  return {
    ...gateway,
    get latency() {
      return gateway.latency;
    },
    get isFull() {
      return way.isFull;
    },
    open: (entering) => {
      way.room = entering.onRoom;
      return gateway.open(entering);
    },
  };
}

/** A listener on a free port, and what happened there. */
export async function listen(
  admit: (key: string) => Promise<Verdict> = async () => ADMITTED,
  clock: Clock = systemClock,
  way?: TestedWay,
  more: Pick<ListenerDeps, "proxies"> = {},
) {
  const facts: Fact[] = [];
  const waiting = new Set<() => void>();
  const onFact = (fact: Fact) => {
    facts.push(fact);
    for (const check of waiting) check();
  };
  const dialer = new FakeDialer();
  const engine = new Engine({ clock, random: Math.random, dialer, onFact, report: () => undefined });
  const asked: string[] = [];
  const listener = new RtmpListener({
    clock,
    randomBytes,
    flush: () => engine.flush(),
    onFact,
    ...NO_LOGINS,
    ...more,
    permitPlayer: async () => "refuse",
    admit: async (key) => {
      asked.push(key);
      const admission = admissionTo(engine, await admit(key));
      if (way === undefined || typeof admission === "string" || "refusedFor" in admission) return admission;
      return { ...admission, gateway: through(way, admission.gateway) };
    },
  });
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    engine.shutDown("cut");
    listener.close();
  });
  const waitForFact = (kind: Fact["kind"], count = 1) =>
    new Promise<Fact>((resolve) => {
      const check = () => {
        const found = facts.filter((fact) => fact.kind === kind)[count - 1];
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { port, facts, asked, dialer, engine, listener, waitForFact };
}

/** A command as an encoder sends it. */
export function command(
  name: string,
  transactionId: number,
  object: Parameters<typeof encodeCommand>[1]["object"],
  args: readonly (string | number)[],
  streamId = 0,
): Buffer {
  return encodeMessage(3, encodeCommand(streamId, { name, transactionId, object, args }), 128);
}

/** An encoder over a real socket that publishes at once, without waiting for any reply. */
export async function publish(
  port: number,
  key: string,
): Promise<{ socket: Socket; codes: () => string[]; closed: Promise<void> }> {
  // Else the kernel holds a small message back until the one before it was read.
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  const received: Buffer[] = [];
  socket.on("data", (bytes) => received.push(bytes));
  const closed = once(socket, "close").then(() => undefined);
  await once(socket, "connect");
  socket.write(
    Buffer.concat([
      Buffer.from([3]),
      Buffer.alloc(1_536),
      Buffer.alloc(1_536),
      command("connect", 1, amf0Object({ app: "relay", flashVer: "test" }), []),
      command("createStream", 2, null, []),
      command("publish", 3, null, [key, "live"], 1),
    ]),
  );
  const codes = () => {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    const found: string[] = [];
    reader.receive(Buffer.concat(received).subarray(3_073), (message) => {
      if (message.type !== 20) return;
      const { name, args } = decodeCommand(message, AMF0_LIMITS);
      if (name === "onStatus") found.push(textProperty(args[0], "code") ?? "");
    });
    return found;
  };
  return { socket, codes, closed };
}

/** A video message on the encoder's message stream. */
export const frame = (timestamp: number, payload: Buffer) =>
  encodeMessage(6, { type: 9, timestamp, streamId: 1, payload }, 128);
