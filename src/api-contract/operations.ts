import type { z } from "zod";
import type { AnswerName } from "./schemas/answer-schemas.ts";
import { callbackRequest, channelEventsQuery, eventsQuery } from "./schemas/event-schemas.ts";
import { liveStreamQuery } from "./schemas/live-schemas.ts";
import {
  addPlatformRequest,
  createAccessKeyRequest,
  createChannelRequest,
  editPlatformQuery,
  editPlatformRequest,
  listChannelsQuery,
  streamKeyRequest,
  updateChannelRequest,
} from "./schemas/schemas.ts";

/** One call of the API, as it is published. */
export type Operation = {
  /** Number in the contract, where it has one. */
  readonly call?: number;
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the prefix, with `{…}` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** False where the original service has it too. */
  readonly isOurs: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** A body that works as it stands. */
  readonly bodyExample?: object;
  /** What `content` is, or is a list of. */
  readonly content: AnswerName;
  /** `paged` lists have `total` over all pages, `whole` ones have none. */
  readonly list?: "paged" | "whole";
  /** True where only a manager may, even though it is a GET. */
  readonly isManagersOnly?: boolean;
  /** True where the answer is an event stream. */
  readonly isStream?: boolean;
};

const CHANNELS = "/re-stream/channels";
const CHANNEL = `${CHANNELS}/{channelId}`;
const PLATFORMS = `${CHANNEL}/platforms`;
const PLATFORM = `${PLATFORMS}/{platformId}`;

const PLATFORM_EXAMPLE = {
  targetName: "YOUTUBE",
  rtmpUrl: "rtmps://a.rtmps.youtube.com/live2",
  streamKey: "xxxx-xxxx-xxxx-xxxx",
};
const CALLBACK_EXAMPLE = { callbackUrl: "https://hooks.example.com/fanfare" };

const doc = { isOurs: false } as const;
const ours = { isOurs: true } as const;

const ORIGINAL: readonly Operation[] = [
  {
    ...doc,
    call: 1,
    name: "createChannel",
    method: "POST",
    path: CHANNELS,
    summary: "Create a channel with its platforms.",
    body: createChannelRequest,
    bodyExample: { channelName: "my_channel", planType: "STANDARD", envType: "REAL", restream: [PLATFORM_EXAMPLE] },
    content: "ChannelWithPlatforms",
  },
  {
    ...doc,
    call: 2,
    name: "listChannels",
    method: "GET",
    path: CHANNELS,
    summary: "List channels, newest first.",
    query: listChannelsQuery,
    content: "Channel",
    list: "paged",
  },
  {
    ...doc,
    call: 3,
    name: "getChannel",
    method: "GET",
    path: CHANNEL,
    summary: "Read one channel with its platforms' settings.",
    content: "ChannelWithPlatforms",
  },
  {
    ...doc,
    call: 4,
    name: "deleteChannel",
    method: "DELETE",
    path: CHANNEL,
    summary: "Delete a channel that is off air.",
    content: "Channel",
  },
  {
    ...doc,
    call: 5,
    name: "listPlatforms",
    method: "GET",
    path: PLATFORMS,
    summary: "The platforms of a channel with live status and counters.",
    content: "Platform",
    list: "whole",
  },
  {
    ...doc,
    call: 6,
    name: "editPlatform",
    method: "PUT",
    path: PLATFORM,
    summary: "Edit a platform.",
    query: editPlatformQuery,
    body: editPlatformRequest,
    bodyExample: { rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_1_new", label: "main account" },
    content: "PlatformSettings",
  },
  {
    ...doc,
    call: 7,
    name: "listPublishLog",
    method: "GET",
    path: `${CHANNEL}/publish-log`,
    summary: "When broadcasts of a channel began and ended.",
    query: channelEventsQuery,
    content: "Event",
    list: "paged",
  },
  {
    ...doc,
    call: 8,
    name: "listChannelEvents",
    method: "GET",
    path: `${CHANNEL}/events`,
    summary: "Events of one channel, newest first.",
    query: channelEventsQuery,
    content: "Event",
    list: "paged",
  },
  {
    ...doc,
    call: 9,
    name: "listEvents",
    method: "GET",
    path: "/events",
    summary: "Events of all channels, newest first.",
    query: eventsQuery,
    content: "Event",
    list: "paged",
  },
  {
    ...doc,
    call: 10,
    name: "setChannelCallback",
    method: "POST",
    path: `${CHANNEL}/callbackEndpoint`,
    summary: "Set or remove the webhook of a channel.",
    body: callbackRequest,
    bodyExample: CALLBACK_EXAMPLE,
    content: "ChannelWithWebhookSecret",
  },
  {
    ...doc,
    call: 11,
    name: "setDefaultCallback",
    method: "POST",
    path: "/events/callbackEndpoint",
    summary: "Set or remove the webhook of all channels that have none of their own.",
    body: callbackRequest,
    bodyExample: CALLBACK_EXAMPLE,
    content: "CallbackEndpoint",
  },
  {
    ...doc,
    call: 12,
    name: "getDefaultCallback",
    method: "GET",
    path: "/events/callbackEndpoint",
    summary: "Read that webhook.",
    content: "CallbackEndpoint",
  },
];

const CHANNEL_ADDITIONS: readonly Operation[] = [
  {
    ...ours,
    call: 13,
    name: "updateChannel",
    method: "PUT",
    path: CHANNEL,
    summary: "Change a channel's settings; what is absent is kept.",
    body: updateChannelRequest,
    bodyExample: { channelName: "renamed", planType: "PROFESSIONAL", hold: { seconds: 60 }, backup: { enabled: true } },
    content: "ChannelWithPlatforms",
  },
  {
    ...ours,
    call: 14,
    name: "switchChannelOn",
    method: "PUT",
    path: `${CHANNEL}/on`,
    summary: "Let encoders in again.",
    content: "Channel",
  },
  {
    ...ours,
    call: 14,
    name: "switchChannelOff",
    method: "PUT",
    path: `${CHANNEL}/off`,
    summary: "End the broadcast and let no encoder in.",
    content: "Channel",
  },
  {
    ...ours,
    name: "endChannel",
    method: "POST",
    path: `${CHANNEL}/end`,
    summary: "End the broadcast now.",
    content: "Channel",
  },
  {
    ...ours,
    name: "extendHold",
    method: "POST",
    path: `${CHANNEL}/hold/extend`,
    summary: "Hold the platforms a minute longer while the encoder is lost, up to an hour in all.",
    content: "Channel",
  },
  {
    ...ours,
    name: "endHold",
    method: "POST",
    path: `${CHANNEL}/hold/end`,
    summary: "End the hold now; a broadcast whose encoder is back goes on.",
    content: "Channel",
  },
  {
    ...ours,
    call: 15,
    name: "renewStreamKey",
    method: "POST",
    path: `${CHANNEL}/stream-key`,
    summary: "Issue a new ingest key, main or backup, and cut the encoder that used the old one.",
    body: streamKeyRequest,
    bodyExample: { which: "main" },
    content: "Channel",
  },
  {
    ...ours,
    name: "listReports",
    method: "GET",
    path: `${CHANNEL}/reports`,
    summary: "What became of each broadcast that is over, newest first.",
    query: channelEventsQuery,
    content: "Report",
    list: "paged",
  },
  {
    ...ours,
    name: "createPreviewToken",
    method: "POST",
    path: `${CHANNEL}/preview-token`,
    summary: "Make an address, good for five minutes, that shows what the channel sends as HTTP-FLV.",
    content: "PreviewToken",
  },
];

const PLATFORM_ADDITIONS: readonly Operation[] = [
  {
    ...ours,
    call: 16,
    name: "addPlatform",
    method: "POST",
    path: PLATFORMS,
    summary: "Add a platform; on air it joins at the next keyframe.",
    body: addPlatformRequest,
    bodyExample: { targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_1_abc" },
    content: "Platform",
  },
  {
    ...ours,
    call: 17,
    name: "removePlatform",
    method: "DELETE",
    path: PLATFORM,
    summary: "Remove a platform, also on air.",
    content: "Platform",
  },
  ...(["on", "off", "retry"] as const).map(
    (action): Operation => ({
      ...ours,
      call: 18,
      name: `${action}Platform`,
      method: "PUT",
      path: `${PLATFORM}/${action}`,
      summary: {
        on: "Switch a platform on, also on air.",
        off: "Switch a platform off, also on air.",
        retry: "Try a platform that waits for its next attempt at once.",
      }[action],
      content: "Platform",
    }),
  ),
  {
    ...ours,
    call: 19,
    name: "testPlatform",
    method: "POST",
    path: `${PLATFORM}/test`,
    summary: "Connect to a platform and publish, without media, and say how far that got.",
    content: "PlatformTest",
  },
];

const OTHER_ADDITIONS: readonly Operation[] = [
  {
    ...ours,
    name: "listPresets",
    method: "GET",
    path: "/re-stream/presets",
    summary: "What is known of each kind of platform: addresses, keys, limits.",
    content: "Preset",
    list: "whole",
  },
  {
    ...ours,
    call: 20,
    name: "streamEvents",
    method: "GET",
    path: "/re-stream/events/stream",
    summary: "Server-Sent Events: a snapshot, then every change, and one sample a second of each channel on air.",
    query: liveStreamQuery,
    content: "LiveSnapshot",
    isStream: true,
  },
  {
    ...ours,
    name: "listDeliveries",
    method: "GET",
    path: "/events/deliveries",
    summary: "What became of webhooks, newest first.",
    query: eventsQuery,
    content: "Delivery",
    list: "paged",
  },
  {
    ...ours,
    name: "resendDelivery",
    method: "POST",
    path: "/events/deliveries/{deliveryId}/resend",
    summary: "Send a webhook again.",
    content: "Delivery",
  },
  {
    ...ours,
    name: "listAccessKeys",
    method: "GET",
    path: "/access-keys",
    summary: "List access keys, without their secrets.",
    content: "AccessKey",
    list: "paged",
    isManagersOnly: true,
  },
  {
    ...ours,
    name: "createAccessKey",
    method: "POST",
    path: "/access-keys",
    summary: "Make an access key; this answer alone has its secret.",
    body: createAccessKeyRequest,
    bodyExample: { role: "viewer", name: "dashboard" },
    content: "NewAccessKey",
    isManagersOnly: true,
  },
  {
    ...ours,
    name: "deleteAccessKey",
    method: "DELETE",
    path: "/access-keys/{accessKey}",
    summary: "Revoke an access key.",
    content: "AccessKey",
    isManagersOnly: true,
  },
];

/** Every call there is, under each prefix; a test holds the routes against it. */
export const OPERATIONS: readonly Operation[] = [
  ...ORIGINAL,
  ...CHANNEL_ADDITIONS,
  ...PLATFORM_ADDITIONS,
  ...OTHER_ADDITIONS,
];
