import { z } from "zod";

/** Query of call 20: `channelId` narrows the stream to one channel. */
export const liveStreamQuery = z.object({ channelId: z.string({ error: "one channel id" }).optional() });
