import type { AccessKey } from "../control/ports/access-key-store.ts";
import type { Addresses } from "./config/addresses.ts";

/** Printed when the server is ready: its addresses. */
export function readyText({ publishUrl, securePublishUrl, srtUrl, apiUrl }: Addresses): string {
  return [
    "Fanfare is ready.",
    `  Encoder (OBS: Settings > Stream > Custom, Server): ${publishUrl}`,
    ...(securePublishUrl === undefined
      ? []
      : [`  The same over TLS:                                 ${securePublishUrl}`]),
    ...(srtUrl === undefined
      ? []
      : [`  Encoder over SRT:                                  ${srtUrl}?streamid=publish:KEY`]),
    `  Dashboard:                                         ${apiUrl}/`,
    `  API:                                               ${apiUrl}`,
    "",
  ].join("\n");
}

/**
 * Printed while the dashboard has no password: the link that sets it. The token is behind `#`, which no server logs.
 */
export function setupLinkText(token: string, { apiUrl }: Pick<Addresses, "apiUrl">): string {
  return [
    "Open the dashboard with this link and choose its password (works once, within an hour):",
    `  ${apiUrl}/setup#token=${token}`,
    "",
    "",
  ].join("\n");
}

/** Printed once, when the encryption key file was made. */
export function newKeyFileText(path: string): string {
  return [
    "Stream keys and passwords are encrypted in the database. The key is in a file of its own:",
    `  ${path}`,
    "Back this up: without it those secrets cannot be read again.",
    "",
    "",
  ].join("\n");
}

/** Printed once, at the first start: the access key, and a request that works as it is. */
export function firstRunText(key: AccessKey, { apiUrl }: Addresses): string {
  const body = JSON.stringify({
    channelName: "my_first_channel",
    planType: "STANDARD",
    restream: [
      { targetName: "YOUTUBE", rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKey: "your-youtube-key" },
      { targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "your-twitch-key" },
    ],
  });
  return [
    "First start: a manager access key was made. The secret is shown this once, write it down.",
    `  Access key: ${key.accessKeyId}`,
    `  Secret key: ${key.secretKey}`,
    "",
    "Create a channel with two platforms (put your own keys in); the answer has the encoder's stream key:",
    "",
    `curl -s -X POST ${apiUrl}/api/v2/re-stream/channels \\`,
    `  -H 'Authorization: Bearer ${key.secretKey}' \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '${body}'`,
    "",
    "",
  ].join("\n");
}
