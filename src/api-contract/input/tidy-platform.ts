import { PLATFORMS_MAX } from "../schemas/schemas.ts";
import { type InputNote, tidyRtmpUrl, tidyStreamKey } from "./input-notes.ts";

/** A longer text is rejected, and not tidied before. */
const TEXT_LENGTH_MAX = 4_096;

const textOf = (body: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" && value.length <= TEXT_LENGTH_MAX ? value : undefined;
};

/**
 * Tidies the body of a call that sets a platform's address and key, before it is checked. What is not text, or would
 * become empty, stays as it is, so that the check can say what is wrong with it.
 */
export function tidyPlatform(body: unknown): { readonly body: unknown; readonly notes: readonly InputNote[] } {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return { body, notes: [] };
  const givenUrl = textOf(body, "rtmpUrl");
  const givenKey = textOf(body, "streamKey");
  const url = givenUrl === undefined ? undefined : tidyRtmpUrl(givenUrl);
  const key = givenKey === undefined ? undefined : tidyStreamKey(givenKey, givenUrl ?? "");
  const isUrlKept = url === undefined || url.text === "";
  const isKeyKept = key === undefined || key.text === "";
  return {
    body: {
      ...body,
      ...(isUrlKept ? {} : { rtmpUrl: url.text }),
      ...(isKeyKept ? {} : { streamKey: key.text }),
    },
    notes: [...(isUrlKept ? [] : url.notes), ...(isKeyKept ? [] : key.notes)],
  };
}

/**
 * The same for a channel's `restream`; the notes are in its order. Platforms beyond a channel's limit are not tidied.
 */
export function tidyPlatforms(body: unknown): {
  readonly body: unknown;
  readonly notes: readonly (readonly InputNote[])[];
} {
  if (typeof body !== "object" || body === null) return { body, notes: [] };
  const restream: unknown = Reflect.get(body, "restream");
  if (!Array.isArray(restream) || restream.length > PLATFORMS_MAX) return { body, notes: [] };
  const tidied = restream.map(tidyPlatform);
  return { body: { ...body, restream: tidied.map((one) => one.body) }, notes: tidied.map(({ notes }) => notes) };
}
