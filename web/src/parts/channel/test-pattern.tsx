import { api, ofChannel } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { Channel } from "../../base/model.ts";
import { formatClock } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { platformName } from "../platform/presets.ts";

/** What the channel's test pattern is on air to, if it runs. */
export function TestPatternBanner({ channel }: { readonly channel: Channel }) {
  const { channelId, isPublishing, ingest, platforms } = channel;
  const endTime = ingest?.testPattern?.endTime;
  if (!isPublishing || endTime === undefined) return null;
  const texts = t().testPattern;
  const seeing = platforms.filter(({ connectStatus }) => connectStatus === "PUBLISHING").map(platformName);
  return (
    <section class="running test-pattern" aria-labelledby="test-pattern-title">
      <div>
        <h2 id="test-pattern-title">
          <Icon name="alert" /> {texts.running}
        </h2>
        {seeing.length > 0 && <p role="status">{texts.viewersSee(seeing.join(", "))}</p>}
        <p class="quiet">{texts.endsIn(formatClock((endTime - now.value) / 1_000))}</p>
      </div>
      <Action kind="main" run={() => api.DELETE("/re-stream/channels/{channelId}/test-pattern", ofChannel(channelId))}>
        {texts.stop}
      </Action>
    </section>
  );
}
