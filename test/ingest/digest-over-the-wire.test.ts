import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import { amf0Object } from "../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../src/protocol/rtmp/command.ts";
import { c1Of, c2Of, DIGEST_VECTORS, FILL, sha256 } from "../protocol/rtmp/handshake/handshake-digest-vectors.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { NO_LOGINS } from "../support/stages/admission.ts";

const DEADLINE_MS = 10_000;
const PACKET_BYTES = 1_536;
const ANSWER_BYTES = 1 + 2 * PACKET_BYTES;
const SIGNATURE_AT = PACKET_BYTES - 32;
const SERVER_KEY = Buffer.concat([
  Buffer.from("Genuine Adobe Flash Media Server 001"),
  Buffer.from("F0EEC24A8068BEE82E00D0D1029E7E576EEC5D2D29806FAB93B8E636CFEB31AE", "hex"),
]);

const hmac = (key: Buffer, message: Buffer): Buffer => createHmac("sha256", key).update(message).digest();

test.each(DIGEST_VECTORS)(
  "an encoder that signs with $schema reads the vector's S1 and an S2 that is signed for it, and is accepted",
  async (vector) => {
    const listener = new RtmpListener({
      ...{ clock: systemClock, flush: () => undefined, onFact: () => undefined },
      // The random part of the vectors' S1.
      randomBytes: (length) => (length === FILL.s1.length ? FILL.s1 : Buffer.alloc(length)),
      ...NO_LOGINS,
      admit: async () => "refused",
      permitPlayer: async () => "refuse",
    });
    onTestFinished(() => listener.close());
    const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    await once(socket, "connect");

    socket.write(Buffer.concat([Buffer.from([3]), c1Of(vector)]));
    await waitFor("S0, S1 and S2", DEADLINE_MS, () => received.length >= ANSWER_BYTES || undefined);
    expect(sha256(received.subarray(1, 1 + PACKET_BYTES))).toBe(vector.s1Sha256);
    const s2 = received.subarray(1 + PACKET_BYTES, ANSWER_BYTES);
    const key = hmac(SERVER_KEY, Buffer.from(vector.c1Digest, "hex"));
    expect(s2.subarray(SIGNATURE_AT)).toEqual(hmac(key, s2.subarray(0, SIGNATURE_AT)));

    const command = { name: "connect", transactionId: 1, object: amf0Object({ app: "relay" }), args: [] };
    socket.write(Buffer.concat([c2Of(vector), encodeMessage(3, encodeCommand(0, command), 128)]));
    await waitFor(
      "the answer to connect",
      DEADLINE_MS,
      () => received.includes("NetConnection.Connect.Success") || undefined,
    );
  },
);
