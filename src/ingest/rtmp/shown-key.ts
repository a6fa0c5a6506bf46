import { type Removal, tidyKey } from "../../base/pasted-text.ts";
import { barePath, publishKey } from "../../protocol/rtmp/url.ts";

export type ShownKey = {
  readonly key: string;
  /** What came along with it, for its owner to take out of the encoder's settings. */
  readonly removed: readonly Removal[];
};

/**
 * The key an encoder means, whatever came along when a person pasted it into the encoder: a whole address, `mp4:`, percent-encoded
 * slashes, characters that nobody sees. Ours have one segment.
 */
export function shownKey(app: string, name: string): ShownKey {
  const [fromApp, fromName] = [tidyKey(app, ""), tidyKey(name, "")];
  const path = publishKey(fromApp.text, fromName.text);
  const slash = path.lastIndexOf("/");
  const last = tidyKey(path.slice(slash + 1), "");
  // Where the name says nothing the application has the key: what stands in front of it there is as it is to be.
  const isNamed = barePath(fromName.text) !== "";
  const front: readonly Removal[] = isNamed && slash >= 0 ? ["address"] : [];
  const removed = new Set([...(isNamed ? fromName : fromApp).removed, ...front, ...last.removed]);
  return { key: last.text, removed: [...removed] };
}
