import { AUDIO_PID, annexB, HEVC_PPS, HEVC_SPS, PPS, SPS, TsWriter, VIDEO_PID, VPS } from "./ts-packets.ts";

const KEYFRAME = annexB("09F0", SPS, PPS, "65888401");
const HEVC = annexB(VPS, HEVC_SPS, HEVC_PPS, "2601AF0102");
const AUDIO_TYPES: readonly { readonly type: number; readonly data: string; readonly descriptors?: string }[] = [
  { type: 0x0f, data: "FFF14C40011FFC01FFF14C40011FFC02" },
  { type: 0x11, data: "56e0082000118800047fe0123400" },
  { type: 0x81, data: `0b77480d0040${"00".repeat(122)}` },
  { type: 0x87, data: `0b77000f32870000${"00".repeat(24)}` },
  { type: 0x03, data: `fffb14c4${"00".repeat(92)}` },
  { type: 0x06, data: "7ff003012801f8112233", descriptors: "05044F7075737F028002" },
];

/** A short transport stream of each codec, for a mutator to change. */
export function tsSamples(): readonly Buffer[] {
  return AUDIO_TYPES.flatMap(({ type, data, descriptors = "" }) =>
    [[0x1b, KEYFRAME] as const, [0x24, HEVC] as const].map(([videoType, video]) => {
      const ts = new TsWriter();
      const tables = ts.tables([
        { pid: VIDEO_PID, type: videoType },
        { pid: AUDIO_PID, type, descriptors },
      ]);
      const frames = [0, 1, 2].flatMap((n) => [
        ts.pes(VIDEO_PID, video, { pts: 90_000 + n * 3_600, dts: 86_400 + n * 3_600, hasLength: n !== 1 }),
        ts.pes(AUDIO_PID, Buffer.from(data, "hex"), { pts: 90_000 + n * 3_600 }),
      ]);
      return Buffer.concat([tables, ...frames]);
    }),
  );
}
