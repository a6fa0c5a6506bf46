import { type Channel, channelSpec } from "../control/channels/channel.ts";
import type { Runtime } from "../control/ports/runtime.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";

/** A channel as stored; undefined where it was deleted, or never was. May reject with StoreUnavailableError. */
export type ReadChannel = (channelId: ChannelId) => Promise<Channel | undefined>;

/**
 * Brings this node's media threads to what the database has of a channel that was changed elsewhere. The node that made the
 * change also asks the owner to end a broadcast, but that question may be lost: what is stored decides. Returns the channel.
 */
export async function applyStored(
  channelId: ChannelId,
  read: ReadChannel,
  own: Pick<Runtime, "apply" | "end" | "remove">,
): Promise<Channel | undefined> {
  const channel = await read(channelId);
  if (channel === undefined) {
    own.remove(channelId);
    return undefined;
  }
  own.apply(channelSpec(channel));
  if (channel.state === "blocked") await own.end(channelId);
  return channel;
}
