import { createHash } from "node:crypto";

/** Byte i of a packet that is filled by a rule. */
const filled = (length: number, factor: number, addend: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (factor * index + addend) & 0xff));

/** A packet of time 0 with this version; its digest is not in it yet. */
function unsigned(version: string, factor: number, addend: number): Buffer {
  const packet = filled(1_536, factor, addend);
  packet.write(`00000000${version}`, 0, "hex");
  return packet;
}

export type DigestVector = {
  readonly schema: string;
  readonly c1DigestAt: number;
  readonly c1Digest: string;
  readonly c1Sha256: string;
  readonly s1DigestAt: number;
  readonly s1Digest: string;
  readonly s1Sha256: string;
  readonly s2Signature: string;
  readonly c2Signature: string;
};

/** Confirmed against FFmpeg, as publisher and as player. */
export const DIGEST_VECTORS: readonly DigestVector[] = [
  {
    schema: "the digest first",
    c1DigestAt: 290,
    c1Digest: "612af37c38c4a1b74e5737fc4021ded17ed92a9431c19bc665cf421131bad8a6",
    c1Sha256: "db5e928ab59c238f3d0c6e22574eadb7fd99f1e17ff2ba6876b63014a0c057c2",
    s1DigestAt: 450,
    s1Digest: "21f2d062d0096ce307c08dc75bcdb9c3743c2bddb6523072419102107f9ebe8c",
    s1Sha256: "b6c9e049c4a1c661e8560931f2056587a2c1de133360ef090ca7011f641f974f",
    s2Signature: "5fd00eb4a4777a8698d4f95344d3032d3d77fa101353df1a50462f66c5d682ed",
    c2Signature: "620d4eb7ec39e50465eb63f3d53893d2486031594e64961c3f06b4f83300fab7",
  },
  {
    schema: "the key first",
    c1DigestAt: 942,
    c1Digest: "e6a7fbdda4aab503b4e693e92d6f18d9d4b89f3ef0e95fffe767a4830aa37109",
    c1Sha256: "1152adbfdb2d089c495dea4182a37a694fddeb5d611076cb8fa7af4c9c4f2190",
    s1DigestAt: 1_038,
    s1Digest: "c8fd7acc5b5720d7c2838ff2b69ad9ba6448a49db38e687748eb5e00a55e082b",
    s1Sha256: "2659e5caadbb58d349039f2e9c1ef043f450f06bda1274ddc66f5c62ed68ef0d",
    s2Signature: "c83925a4cc3227fef9dd08da7106aa67aa9fe3ae462ebb1516743e3e42473dc6",
    c2Signature: "3dffa2a332a179e454a4c2ad309002c9d8a05e5c5600e67dd8cf6389f2617949",
  },
];

/** FFmpeg's own version in C1. */
const CLIENT_VERSION = "09007c02";

export function c1Of(vector: DigestVector): Buffer {
  const c1 = unsigned(CLIENT_VERSION, 7, 3);
  c1.write(vector.c1Digest, vector.c1DigestAt, "hex");
  return c1;
}

export const c2Of = (vector: DigestVector): Buffer =>
  Buffer.concat([filled(1_504, 17, 9), Buffer.from(vector.c2Signature, "hex")]);

/** The random part of the vectors' S1 and S2. */
export const FILL = { s1: unsigned("04050001", 11, 5).subarray(8), s2: filled(1_504, 13, 1) };

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
