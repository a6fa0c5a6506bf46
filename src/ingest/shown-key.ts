import { tidyKey } from "../base/pasted-text.ts";
import { publishKey } from "../protocol/rtmp/url.ts";

/**
 * The key an encoder means, whatever came along when a person pasted it into the encoder: a whole address, `mp4:`, percent-encoded
 * slashes, characters that nobody sees. Ours have one segment.
 */
export function shownKey(app: string, name: string): string {
  const key = publishKey(tidyKey(app, "").text, tidyKey(name, "").text);
  return tidyKey(key.slice(key.lastIndexOf("/") + 1), "").text;
}
