import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { noteText } from "../basic/notice.tsx";
import { verdictLook } from "../basic/state.tsx";
import { platformName } from "../platform/presets.ts";
import { Hold } from "./hold.tsx";
import { TestPatternBanner } from "./test-pattern.tsx";

/** The one verdict on a channel: its state, the first reason (of a channel that waits the state says it) and the next step. While a hold or a test pattern runs, also that. */
export function Verdict({ channel }: { readonly channel: Channel }) {
  const { state, reason, nextStep, reasonCount } = channel.health;
  const look = verdictLook(channel.health);
  const concerned = channel.platforms.find(({ platId }) => platId === reason?.platId);
  return (
    <section class={`verdict tone-${look.tone}`} aria-label={t().health.title} data-health={state}>
      <div role="status">
        <strong>
          <Icon name={look.icon} /> {look.word}
        </strong>
        {reason !== undefined && state !== "waiting" && (
          <p>
            {concerned !== undefined && <b>{platformName(concerned)}: </b>}
            {noteText(reason)}
          </p>
        )}
        {nextStep !== undefined && (
          <p>
            <b>{t().health.nextStep}</b> {noteText(nextStep)}
          </p>
        )}
        {reasonCount > 1 && channel.ingest?.state !== "HELD" && <p class="quiet">{t().health.more(reasonCount - 1)}</p>}
      </div>
      {channel.ingest?.state === "HELD" && <Hold channel={channel} />}
      <TestPatternBanner channel={channel} />
    </section>
  );
}
