import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { noteText } from "../basic/notice.tsx";
import { platformName } from "../platform/presets.ts";

/** The first reason of a verdict and what to do next. On a channel that waits or is off, its state is the reason. */
export function VerdictText({ channel }: { readonly channel: Channel }) {
  const { state, reason, nextStep, reasonCount } = channel.health;
  if (reason === undefined || nextStep === undefined) return null;
  const platform = channel.platforms.find(({ platId }) => platId === reason.platId);
  const isTrouble = state === "broken" || state === "attention";
  return (
    <span class="card-verdict">
      {isTrouble && (
        <span class="verdict-reason">
          {platform !== undefined && <b>{platformName(platform)}: </b>}
          {noteText(reason)}
          {reasonCount > 1 && <span class="quiet"> {t().overview.moreReasons(reasonCount - 1)}</span>}
        </span>
      )}
      <span class="verdict-step">
        {isTrouble && <span aria-hidden="true">→ </span>}
        {noteText(nextStep)}
      </span>
    </span>
  );
}
