import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServerHandshake } from "../../../../src/protocol/rtmp/handshake/handshake.ts";
import { digestReply } from "../../../../src/protocol/rtmp/handshake/handshake-digest.ts";
import { c1Of, c2Of, DIGEST_VECTORS, FILL, sha256 } from "./handshake-digest-vectors.ts";

describe.each(DIGEST_VECTORS)("C1 with $schema", (vector) => {
  const c1 = c1Of(vector);

  test("is as in the vector", () => {
    expect(sha256(c1)).toBe(vector.c1Sha256);
  });

  test("is answered by S1 and S2 of the vector, in its schema", () => {
    const reply = digestReply(c1, FILL) ?? Buffer.alloc(0);
    expect(reply).toHaveLength(3_072);
    const [s1, s2] = [reply.subarray(0, 1_536), reply.subarray(1_536)];
    expect(s1.toString("hex", vector.s1DigestAt, vector.s1DigestAt + 32)).toBe(vector.s1Digest);
    expect(sha256(s1)).toBe(vector.s1Sha256);
    expect(s1.toString("hex", 0, 8)).toBe("0000000004050001");
    expect(s2.subarray(0, 1_504)).toEqual(FILL.s2);
    expect(s2.toString("hex", 1_504)).toBe(vector.s2Signature);
  });

  test("is answered so by the handshake, with S0 in front and in one piece, and its signed C2 is accepted", () => {
    const handshake = new ServerHandshake(FILL.s1);
    const { send } = handshake.receive(Buffer.concat([Buffer.from([3]), c1]));
    expect(send).toHaveLength(3_073);
    expect(send?.[0]).toBe(3);
    expect(sha256(send?.subarray(1, 1_537) ?? Buffer.alloc(0))).toBe(vector.s1Sha256);
    const connect = Buffer.from([0x03]);
    expect(handshake.receive(Buffer.concat([c2Of(vector), connect]))).toEqual({
      send: undefined,
      isDone: true,
      rest: connect,
    });
  });

  test("is answered by a signature that its sender can check", () => {
    const send = new ServerHandshake(FILL.s1).receive(Buffer.concat([Buffer.from([3]), c1])).send ?? Buffer.alloc(0);
    const s2 = send.subarray(1_537);
    const serverKey = Buffer.concat([
      Buffer.from("Genuine Adobe Flash Media Server 001"),
      Buffer.from("F0EEC24A8068BEE82E00D0D1029E7E576EEC5D2D29806FAB93B8E636CFEB31AE", "hex"),
    ]);
    const key = createHmac("sha256", serverKey).update(Buffer.from(vector.c1Digest, "hex")).digest();
    const signature = createHmac("sha256", key).update(s2.subarray(0, 1_504)).digest();
    expect(s2.subarray(1_504)).toEqual(signature);
  });

  test("gets the simple reply once a single bit of it differs", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_536 * 8 - 1 }), (bit) => {
        const bent = Buffer.from(c1);
        const byte = bit >> 3;
        bent[byte] = (bent[byte] ?? 0) ^ (1 << (bit & 7));
        expect(digestReply(bent, FILL)).toBeUndefined();
        const { send } = new ServerHandshake(FILL.s1).receive(Buffer.concat([Buffer.from([3]), bent]));
        expect(send?.subarray(1, 9)).toEqual(Buffer.alloc(8));
        expect(send?.subarray(1_537)).toEqual(bent);
      }),
      { numRuns: 200 },
    );
  });

  test("gets the simple reply where its version is 0, though the digest is valid", () => {
    const silent = Buffer.from(c1);
    silent.fill(0, 4, 8);
    const key = "Genuine Adobe Flash Player 001";
    const around = [silent.subarray(0, vector.c1DigestAt), silent.subarray(vector.c1DigestAt + 32)];
    createHmac("sha256", key).update(Buffer.concat(around)).digest().copy(silent, vector.c1DigestAt);
    expect(digestReply(silent, FILL)).toBeUndefined();
  });
});

test("a digest is found anywhere that four bytes can place it, to the last place of each region", () => {
  for (const offsetAt of [8, 772]) {
    for (const sum of [0, 727, 728, 1_020]) {
      const c1 = Buffer.alloc(1_536, 0x5a);
      c1.writeUInt32BE(0x09_00_7c_02, 4);
      for (let index = 0; index < 4; index += 1) c1[offsetAt + index] = Math.min(255, Math.max(0, sum - 255 * index));
      const digestAt = offsetAt + 4 + (sum % 728);
      const around = Buffer.concat([c1.subarray(0, digestAt), c1.subarray(digestAt + 32)]);
      createHmac("sha256", "Genuine Adobe Flash Player 001").update(around).digest().copy(c1, digestAt);
      expect(digestReply(c1, FILL), `${offsetAt} ${sum}`).toHaveLength(3_072);
    }
  }
});
