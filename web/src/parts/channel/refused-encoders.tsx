import { useEffect } from "preact/hooks";
import { api, page } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { RefusedEncoder } from "../../base/model.ts";
import { withRefused } from "../../live/changes.ts";
import { refusedEncoders, returns } from "../../live/store.ts";
import { formatMoment } from "../../text/format.ts";
import { refusedText } from "../../text/refused-text.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";

/** How many are shown: the latest, if they are not older than this, in milliseconds. */
const SHOWN = 3;
const AGE_MAX_MS = 24 * 60 * 60 * 1_000;

/** The encoders that the server rejected lately: this channel's, and those whose wrong key belongs to no channel. */
export function RefusedEncoders({ channelId }: { readonly channelId: string }) {
  useEffect(() => {
    const read = async (): Promise<void> => {
      const before = refusedEncoders.peek();
      const { items } = await page(api.GET("/re-stream/refused-encoders"));
      // What the stream told meanwhile is newer than the answer.
      const since = refusedEncoders.peek().filter((one) => !before.includes(one));
      refusedEncoders.value = since.reduceRight<readonly RefusedEncoder[]>(withRefused, items);
    };
    // The stream tells what comes later. A page that could not read the list shows that.
    void read().catch(() => undefined);
  }, [returns.value]);
  const shown = refusedEncoders.value
    .filter((one) => (one.channelId ?? channelId) === channelId && now.peek() - one.lastTime < AGE_MAX_MS)
    .slice(0, SHOWN);
  return (
    <div role="status" class={shown.length === 0 ? "nothing" : ""}>
      <ul class="warnings" aria-label={t().refused.title}>
        {shown.map((one) => (
          <li key={`${one.remoteAddress} ${one.reason}`} class="tone-busy">
            <Icon name="alert" /> <span>{refusedText(one, formatMoment)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
