import { type Removal, tidyKey } from "../../base/pasted-text.ts";
import { barePath, publishKey } from "../../protocol/rtmp/url.ts";

export type ShownKey = {
  readonly key: string;
  /** What was removed from around it: its owner should correct the encoder's settings. */
  readonly removed: readonly Removal[];
};

/**
 * The key that an encoder means, without what a person pasted along with it: a whole address, `mp4:`, percent-encoded
 * slashes, invisible characters. Our keys have one path segment.
 */
export function shownKey(app: string, name: string): ShownKey {
  const [fromApp, fromName] = [tidyKey(app, ""), tidyKey(name, "")];
  const path = publishKey(fromApp.text, fromName.text);
  const slash = path.lastIndexOf("/");
  const last = tidyKey(path.slice(slash + 1), "");
  // Without a name, the application holds the key, and a path in front of it is correct there.
  const isNamed = barePath(fromName.text) !== "";
  const front: readonly Removal[] = isNamed && slash >= 0 ? ["address"] : [];
  const removed = new Set([...(isNamed ? fromName : fromApp).removed, ...front, ...last.removed]);
  return { key: last.text, removed: [...removed] };
}
