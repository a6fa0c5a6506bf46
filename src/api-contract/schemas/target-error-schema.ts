import { z } from "zod";
import { TARGET_ERROR_CODES } from "../../thread-protocol/targets/target-status.ts";

/** Why a platform, or a source that the server fetches, is not connected. */
export const targetError = z.strictObject({
  code: z.enum(TARGET_ERROR_CODES),
  severity: z.enum(["transient", "fatal"]),
  message: z.string(),
  messageKo: z.string(),
  time: z.int().min(0),
});
