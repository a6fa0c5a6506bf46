import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { codecName } from "../../../../src/api-contract/codec-names.ts";
import { api, content, ofChannel } from "../../base/api.ts";
import type { Channel, RecommendedSettings } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { formatNumber, formatRate } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { CopyButton } from "../basic/copy.tsx";
import { Icon } from "../basic/icon.tsx";
import { platformName } from "../platform/presets.ts";

type Setting = RecommendedSettings["settings"][number];

/** What to set the encoder to before going live, as the server works it out from the limits of the platforms that are on. */
export function Recommended({ channel }: { readonly channel: Channel }) {
  const found = useSignal<RecommendedSettings | "failed" | undefined>(undefined);
  const { channelId, platforms } = channel;
  const chosen = platforms.map(({ platId, enabled }) => `${platId} ${enabled}`).join();
  useEffect(() => {
    let isClosed = false;
    content(api.GET("/re-stream/channels/{channelId}/recommended-settings", ofChannel(channelId)))
      .then((settings) => {
        if (!isClosed) found.value = settings;
      })
      .catch(() => {
        if (!isClosed) found.value ??= "failed";
      });
    return () => {
      isClosed = true;
    };
  }, [channelId, chosen, returns.value]);
  if (found.value === "failed" || platforms.length === 0) return null;
  const texts = t().recommended;
  const { settings, refusedCodecs, conflicts } = found.value ?? notKnown();
  const namesOf = (platIds: readonly number[]): string =>
    platforms
      .filter(({ platId }) => platIds.includes(platId))
      .map(platformName)
      .join(", ");
  const asText = (): string => settings.map((each) => `${texts.settings[each.setting]}: ${valueText(each)}`).join("\n");
  return (
    <div class={found.value === undefined ? "unseen" : ""}>
      <div class="panel-head">
        <h3 id="recommended-title">{texts.title}</h3>
        <CopyButton label={texts.title} value={asText} onRefused={() => undefined} />
      </div>
      <dl class="facts recommended">
        {settings.map((each) => (
          <div key={each.setting}>
            <dt>{texts.settings[each.setting]}</dt>
            <dd>
              {valueText(each)}
              {each.platIds.length > 0 && <span class="quiet"> · {texts.limitOf(namesOf(each.platIds))}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {refusedCodecs.map(({ codec, platIds }) => (
        <p key={codec} class="quiet">
          {texts.refuses(codecName(codec), namesOf(platIds))}
        </p>
      ))}
      {conflicts.map(({ setting, platIds }) => (
        <p key={setting} class="tone-busy">
          <Icon name="alert" /> {texts.conflict(texts.settings[setting], namesOf(platIds))}
        </p>
      ))}
    </div>
  );
}

/** Keeps the place of the settings, as many as there are mostly: what is below does not move when they come. */
function notKnown(): RecommendedSettings {
  const names = Object.keys(t().recommended.settings) as Setting["setting"][];
  return { settings: names.map((setting) => ({ setting, value: "", platIds: [] })), refusedCodecs: [], conflicts: [] };
}

/** A value with its unit, as encoders show it. */
function valueText({ setting, value }: Setting): string {
  if (typeof value === "string") return codecName(value);
  switch (setting) {
    case "height":
      return `${value}p`;
    case "frameRate":
      return t().encoder.fps(formatNumber(value));
    case "videoBytesPerSecond":
    case "audioBytesPerSecond":
      return formatRate(value);
    case "keyframeSeconds":
      return t().units.seconds(formatNumber(value));
    case "sampleRate":
      return `${formatNumber(value / 1_000, 1)} kHz`;
    case "audioChannels":
      return t().encoder.audioChannels(value);
    default:
      return formatNumber(value);
  }
}
