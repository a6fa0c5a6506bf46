import { CHANNEL, type Operation } from "../operation.ts";
import { createMediaFileRequest, slateRequest, sourceRequest } from "../schemas/source-schemas.ts";

const FILES = "/media-files";
const FILE = `${FILES}/{fileId}`;
const SLATE = `${CHANNEL}/slate`;
const SOURCE = `${CHANNEL}/source`;
const ours = { isOurs: true } as const;

/** The calls on media files and on channels' sources. */
export const SOURCE_OPERATIONS: readonly Operation[] = [
  {
    ...ours,
    name: "listMediaFiles",
    method: "GET",
    path: FILES,
    summary: "List the library of media files, newest first.",
    content: "MediaFile",
    list: "whole",
  },
  {
    ...ours,
    name: "getMediaSpace",
    method: "GET",
    path: "/media-space",
    summary: "How full the library is, and whether FFmpeg is installed.",
    content: "MediaSpace",
  },
  {
    ...ours,
    name: "createMediaFile",
    method: "POST",
    path: FILES,
    summary: "Begin an upload: name and length of a file whose bytes follow.",
    body: createMediaFileRequest,
    bodyExample: { fileName: "intermission.mp4", bytes: 5_000_000 },
    content: "MediaFile",
  },
  {
    ...ours,
    name: "getMediaFile",
    method: "GET",
    path: FILE,
    summary: "One file; `receivedBytes` is where an upload goes on.",
    content: "MediaFile",
  },
  {
    ...ours,
    name: "uploadMediaFile",
    method: "PUT",
    path: `${FILE}/content`,
    summary: "Send the next bytes of a file, up to 1 MiB, with `Content-Range: bytes FROM-TO/LENGTH`.",
    bodyBytes: true,
    content: "MediaFile",
  },
  {
    ...ours,
    name: "getMediaFrame",
    method: "GET",
    path: `${FILE}/frame`,
    summary: "One frame of the file, as JPEG.",
    bytes: "image/jpeg",
  },
  {
    ...ours,
    name: "deleteMediaFile",
    method: "DELETE",
    path: FILE,
    summary: "Delete a file that no channel has as its source.",
    content: "MediaFile",
  },
  {
    ...ours,
    name: "getSource",
    method: "GET",
    path: SOURCE,
    summary: "What plays into the channel in place of an encoder, and what it does now.",
    content: "Source",
  },
  {
    ...ours,
    name: "setSource",
    method: "PUT",
    path: SOURCE,
    summary:
      "Set the files that the channel plays, or the address that it pulls from (`pull`). While it plays, a new list takes effect behind the present file, and a new address at once.",
    body: sourceRequest,
    bodyExample: { fileIds: ["mf-0123456789ab"], loop: true },
    content: "Source",
  },
  {
    ...ours,
    name: "clearSource",
    method: "DELETE",
    path: SOURCE,
    summary: "Remove the source; one that plays is stopped.",
    content: "Source",
  },
  {
    ...ours,
    name: "startSource",
    method: "POST",
    path: `${SOURCE}/start`,
    summary: "Play the source as the channel's encoder: files from their beginning, a pulled stream as it is now.",
    content: "Source",
  },
  {
    ...ours,
    name: "stopSource",
    method: "POST",
    path: `${SOURCE}/stop`,
    summary: "Stop the source, as an encoder that stops streaming.",
    content: "Source",
  },
  {
    ...ours,
    name: "getSlate",
    method: "GET",
    path: SLATE,
    summary: "What stands in front of a lost encoder, and whether viewers see it.",
    content: "Slate",
  },
  {
    ...ours,
    name: "setSlate",
    method: "PUT",
    path: SLATE,
    summary: "Set the picture or clip that holds show in place of the last frame.",
    body: slateRequest,
    bodyExample: { fileId: "mf-0123456789ab" },
    content: "Slate",
  },
  {
    ...ours,
    name: "clearSlate",
    method: "DELETE",
    path: SLATE,
    summary: "Show the last frame again.",
    content: "Slate",
  },
  {
    ...ours,
    name: "closeCurtain",
    method: "POST",
    path: `${CHANNEL}/curtain`,
    summary:
      "Show the slate in place of the encoder, which goes on; until the curtain is opened or the broadcast ends.",
    content: "Slate",
  },
  {
    ...ours,
    name: "openCurtain",
    method: "DELETE",
    path: `${CHANNEL}/curtain`,
    summary: "Show the encoder again, from its next keyframe on.",
    content: "Slate",
  },
];
