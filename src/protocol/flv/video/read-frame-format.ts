import type { VideoCodec } from "../fourcc.ts";
import { parseAv1Config } from "./av1-config.ts";
import { parseAvcConfig } from "./avc-config.ts";
import type { FrameFormat } from "./frame-format.ts";
import { parseHevcConfig } from "./hevc-config.ts";

/**
 * Reads the frame's size from a codec's configuration record. Undefined where it cannot be read; VP9's (vpcC) has no
 * size.
 */
export function readFrameFormat(codec: VideoCodec, record: Buffer): FrameFormat | undefined {
  switch (codec) {
    case "avc":
      return parseAvcConfig(record)?.format;
    case "hevc":
      return parseHevcConfig(record);
    case "av1":
      return parseAv1Config(record);
    default:
      return undefined;
  }
}
