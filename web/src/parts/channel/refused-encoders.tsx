import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { list } from "../../base/api.ts";
import type { RefusedEncoder } from "../../base/model.ts";
import { isStale, returns } from "../../live/store.ts";
import { formatMoment } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";

/** How many are shown: the latest. */
const SHOWN = 3;
/** The list is not in the live stream: an open page reads it again after so many milliseconds. */
const REREAD_MS = 5_000;

/** The encoders that the server refused lately: this channel's, and those whose wrong key belongs to no channel. */
export function RefusedEncoders({ channelId }: { readonly channelId: string }) {
  const all = useSignal<readonly RefusedEncoder[]>([]);
  useEffect(() => {
    let isClosed = false;
    const read = async (): Promise<void> => {
      if (document.hidden || isStale.peek()) return;
      const { items } = await list<RefusedEncoder>("/re-stream/refused-encoders");
      if (!isClosed) all.value = items;
    };
    const readQuietly = (): void => void read().catch(() => undefined);
    readQuietly();
    const timer = setInterval(readQuietly, REREAD_MS);
    return () => {
      isClosed = true;
      clearInterval(timer);
    };
  }, [returns.value]);
  const shown = all.value.filter((one) => (one.channelId ?? channelId) === channelId).slice(0, SHOWN);
  return (
    <div role="status">
      <ul class="warnings" aria-label={t().refused.title}>
        {shown.map(({ remoteAddress, reason, lastTime, count }) => (
          <li key={`${remoteAddress} ${reason}`} class="tone-busy">
            <Icon name="alert" />
            <span>
              {t().refused.reasons[reason](remoteAddress, formatMoment(lastTime))}
              {count > 1 && ` ${t().refused.times(count)}`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
