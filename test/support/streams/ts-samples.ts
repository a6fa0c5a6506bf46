import { AUDIO_PID, TsWriter, VIDEO_PID } from "./ts-packets.ts";

const SPS = "674D400DECA0A0CFCF80880000030008000003019078A14CB0";
const KEYFRAME = Buffer.from(`0000000109F000000001${SPS}0000000168CE3C800000000165888401`, "hex");
const HEVC = Buffer.from(
  "0000000140010C01FFFF01600000030090000003000003003C9594090000000142010101600000030090000003000003003CA00A080C1F3E" +
    "595952930BC05A020000030002000003003210000000014401C073C189000000012601AF0102",
  "hex",
);
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
