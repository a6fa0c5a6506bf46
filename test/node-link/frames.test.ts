import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BODY_BYTES_MAX,
  FRAME_KINDS,
  type FrameKind,
  FrameReader,
  frameOf,
  LinkError,
} from "../../src/node-link/frames.ts";
import { keyframeBody, readKeyframe } from "../../src/node-link/keyframe-frame.ts";
import { EncoderSideCodec, OwnerSideCodec, PreviewSideCodec, ViewerSideCodec } from "../../src/node-link/link-codec.ts";
import { readAttach, readEpoch, readHello, readMove, readRelease } from "../../src/node-link/link-handshake.ts";
import type { Keyframe } from "../../src/thread-protocol/keyframe.ts";

const KINDS = Object.keys(FRAME_KINDS) as FrameKind[];

function bytesOf(kind: FrameKind, body: Uint8Array): Buffer {
  return Buffer.concat(frameOf(kind, body));
}

/** All frames that come out where the bytes arrive in these parts. */
function readAll(parts: readonly Uint8Array[]): { kind: string; body: string; offset: number }[] {
  const reader = new FrameReader();
  const frames: { kind: string; body: string; offset: number }[] = [];
  for (const part of parts) {
    reader.read(part, ({ kind, body }) => {
      frames.push({ kind, body: body.toString("hex"), offset: body.byteOffset });
      return true;
    });
  }
  return frames;
}

test("a frame is the length of its body, its kind, and its body", () => {
  expect(bytesOf("media", Buffer.from("abc")).toString("hex")).toBe("0000000311616263");
  expect(bytesOf("ping", Buffer.alloc(0)).toString("hex")).toBe("0000000007");
});

test("where the network cuts the bytes never changes the frames", () => {
  const frames = fc.array(fc.record({ kind: fc.constantFrom(...KINDS), body: fc.uint8Array({ maxLength: 300 }) }), {
    maxLength: 8,
  });
  const cuts = fc.array(fc.nat(40), { minLength: 1 });
  fc.assert(
    fc.property(frames, cuts, (sent, sizes) => {
      const whole = Buffer.concat(sent.map(({ kind, body }) => bytesOf(kind, body)));
      const parts: Buffer[] = [];
      for (let at = 0, turn = 0; at < whole.length; turn += 1) {
        const size = 1 + (sizes[turn % sizes.length] ?? 0);
        parts.push(whole.subarray(at, at + size));
        at += size;
      }
      const expected = sent.map(({ kind, body }) => ({ kind, body: Buffer.from(body).toString("hex"), offset: 0 }));
      expect(readAll(parts)).toEqual(expected);
    }),
  );
});

test("a body of more than 16 MiB and 64 KiB is refused by its header, and so is a long one without media", () => {
  const header = (length: number, kind: number) => {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt32BE(length, 0);
    bytes.writeUInt8(kind, 4);
    return bytes;
  };
  expect(() => readAll([header(BODY_BYTES_MAX + 1, FRAME_KINDS.media)])).toThrow(LinkError);
  expect(readAll([header(BODY_BYTES_MAX, FRAME_KINDS.media)])).toEqual([]);
  expect(() => readAll([header(16 * 1024 + 1, FRAME_KINDS.attach)])).toThrow("attach with 16385 bytes");
  expect(() => readAll([header(0, 99)])).toThrow("unknown kind 99");
});

test("a header that claims 16 MiB reserves 64 KiB until more arrives", () => {
  const header = frameOf("media", new Uint8Array(BODY_BYTES_MAX))[0];
  if (header === undefined) throw new Error("no header");
  const readers = Array.from({ length: 50 }, () => new FrameReader());
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) reader.read(header, () => true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 128 * 1024);
});

test("whatever a peer sends, a frame is taken or ends the link: nothing else is thrown", () => {
  const decoders = [
    new EncoderSideCodec(),
    new OwnerSideCodec(),
    new ViewerSideCodec(),
    new PreviewSideCodec(),
    ...[readHello, readAttach, readMove, readEpoch, readRelease].map((decode) => ({ decode })),
  ];
  const json = fc.json().map((text) => Buffer.from(text));
  const body = fc.oneof(fc.uint8Array({ maxLength: 64 }), json, fc.constant(Buffer.from('{"versions":[1]}')));
  const run = (kind: FrameKind, bytes: Uint8Array) => {
    const own = Buffer.allocUnsafeSlow(bytes.length);
    own.set(bytes);
    for (const decoder of decoders) {
      try {
        decoder.decode({ kind, body: own });
      } catch (error) {
        expect(error).toBeInstanceOf(LinkError);
      }
    }
  };
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), body, (kind, bytes) => run(kind, bytes)),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readAll([bytes]);
      } catch (error) {
        expect(error).toBeInstanceOf(LinkError);
      }
    }),
    { numRuns: 300 },
  );
});

test("media whose messages reach over its end, or have no known kind, ends the link", () => {
  const owner = new OwnerSideCodec();
  const media = (hex: string) => {
    const bytes = Buffer.from(hex, "hex");
    const body = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(body);
    return owner.decode({ kind: "media", body });
  };
  expect(media("000000020000000901aabb01")).toMatchObject({ kind: "media", length: 11, isFlush: true });
  expect(() => media("000000030000000901aabb01")).toThrow("no block");
  expect(() => media("000000020000000903aabb01")).toThrow("no block");
  expect(() => media("000000020000000901aabb02")).toThrow("without its mark");
  expect(() => media("")).toThrow("without its mark");
});

test("a keyframe crosses a link as it is, and a malformed one ends the link", () => {
  const found: readonly Keyframe[] = [
    { found: "keyframe", time: 1_767_323_045_123, bytes: Uint8Array.of(70, 76, 86, 1) },
    { found: "unchanged" },
    { found: "too-large" },
    { found: "none" },
  ];
  const frame = (...body: readonly Uint8Array[]) => ({
    kind: "keyframe" as const,
    body: Buffer.from(Buffer.concat(body)),
  });
  for (const keyframe of found) expect(readKeyframe(frame(...keyframeBody(keyframe)))).toEqual(keyframe);
  expect(() => readKeyframe(frame(Buffer.alloc(8)))).toThrow(LinkError);
  expect(() => readKeyframe(frame(Buffer.of(4, 0, 0, 0, 0, 0, 0, 0, 0)))).toThrow(LinkError);
});
