import { useSignal } from "@preact/signals";
import { api, ofChannel } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { Channel } from "../../base/model.ts";
import { formatClock } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";

/** The hold that runs: the time left by the server's clock, what viewers see, and buttons to extend or end it. */
export function Hold({ channel }: { readonly channel: Channel }) {
  const isAsked = useSignal(false);
  const { endTime, limitTime } = channel.hold;
  const of = ofChannel(channel.channelId);
  const isAtLimit = endTime !== undefined && limitTime !== undefined && endTime >= limitTime;
  return (
    <div class="running hold">
      {endTime !== undefined && (
        <p class="hold-clock" role="timer">
          {t().hold.endsIn(formatClock((endTime - now.value) / 1_000))}
        </p>
      )}
      <div class="buttons">
        <Action
          kind="main"
          isDisabled={isAtLimit}
          run={() => api.POST("/re-stream/channels/{channelId}/hold/extend", of)}
        >
          {t().hold.extend}
        </Action>
        <button type="button" class="danger" onClick={() => (isAsked.value = true)}>
          {t().hold.end}
        </button>
      </div>
      <p class="quiet">{isAtLimit ? t().hold.atLimit : t().hold.viewersSee}</p>
      {isAsked.value && (
        <Confirm
          title={t().hold.end}
          text={t().channel.endSure}
          run={() => api.POST("/re-stream/channels/{channelId}/hold/end", of)}
          onClose={() => (isAsked.value = false)}
        />
      )}
    </div>
  );
}
