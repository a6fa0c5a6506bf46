import { z } from "zod";
import { parsePullUrl } from "../../base/pull/pull-url.ts";
import { isAtMost } from "../input/text-rules.ts";

/** Files of a playlist at most. */
export const FILES_MAX = 500;
const FILE_NAME_CHARACTERS_MAX = 200;
/** One file at most, in bytes: 1 TiB. */
const FILE_BYTES_MAX = 2 ** 40;

const NAME_RULE = `a file name of 1 to ${FILE_NAME_CHARACTERS_MAX} characters`;
const BYTES_RULE = "a whole number of bytes from 1 to 1099511627776";
const FINGERPRINT_RULE = "1 to 100 letters, digits, dots, underscores or hyphens";
const FILES_RULE = `a list of 1 to ${FILES_MAX} file ids`;

/** Body of a new media file: what will be uploaded. */
export const createMediaFileRequest = z.object({
  fileName: z
    .string({ error: NAME_RULE })
    .transform((name) => name.trim())
    .refine(isFileName, { error: NAME_RULE }),
  bytes: z
    .number({ error: BYTES_RULE })
    .refine((bytes) => Number.isInteger(bytes) && bytes >= 1 && bytes <= FILE_BYTES_MAX, {
      error: BYTES_RULE,
    }),
  fileFingerprint: z
    .string({ error: FINGERPRINT_RULE })
    .regex(/^[\w.-]{1,100}$/, { error: FINGERPRINT_RULE })
    .nullish(),
});

/** A playlist, as ids of media files. */
export const fileIds = z
  .array(z.string({ error: "a file id" }), { error: FILES_RULE })
  .min(1, { error: FILES_RULE })
  .max(FILES_MAX, { error: FILES_RULE });

const URL_RULE = "an address that begins with rtmp://, rtmps://, rtsp://, srt://, http:// or https://";
const ONE_SOURCE_RULE = "either fileIds or pull";

/** The address of a source that the server fetches. */
export const pullUrl = z
  .string({ error: URL_RULE })
  .transform((url) => url.trim())
  .superRefine((url, context) => {
    const address = parsePullUrl(url);
    if (typeof address === "string") context.addIssue({ code: "custom", message: address });
  });

/** Body of a channel's source: files of this server, or an address to fetch it from. */
export const sourceRequest = z
  .object({
    fileIds: fileIds.nullish(),
    loop: z.boolean({ error: "true or false" }).nullish(),
    pull: z.object({ url: pullUrl }, { error: "an object with url" }).nullish(),
  })
  .superRefine(({ fileIds, pull }, context) => {
    if ((fileIds == null) === (pull == null))
      context.addIssue({ code: "custom", path: ["fileIds"], message: ONE_SOURCE_RULE });
  });

/** Body of a channel's slate. */
export const slateRequest = z.object({ fileId: z.string({ error: "a file id" }).min(1, { error: "a file id" }) });

/** Any name that a person can read: no control characters, and storable everywhere. */
function isFileName(name: string): boolean {
  return name !== "" && isAtMost(name, FILE_NAME_CHARACTERS_MAX) && name.isWellFormed() && !/\p{Cc}/u.test(name);
}
