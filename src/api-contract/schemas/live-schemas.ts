import { z } from "zod";
import { ofChannel } from "./schemas.ts";

/** Query of call 20: `channelId` narrows the stream to one channel. */
export const liveStreamQuery = z.object({ channelId: ofChannel });
