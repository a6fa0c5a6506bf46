import { call, channelPath } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { Channel } from "../../base/model.ts";
import { formatClock } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { type Fields, Form, SelectField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { platformName } from "../platform/presets.ts";

const MINUTES = [1, 5, 15, 60] as const;
const MINUTES_DEFAULT = 5;

const pathOf = ({ channelId }: Channel): string => `${channelPath(channelId)}/test-pattern`;

/** What the channel's test pattern is on air to, if it runs. */
export function TestPatternBanner({ channel }: { readonly channel: Channel }) {
  const { isPublishing, ingest, platforms } = channel;
  const endTime = ingest?.testPattern?.endTime;
  if (!isPublishing || endTime === undefined) return null;
  const texts = t().testPattern;
  const seeing = platforms.filter(({ connectStatus }) => connectStatus === "PUBLISHING").map(platformName);
  return (
    <section class="panel test-pattern" aria-labelledby="test-pattern-title">
      <div>
        <h2 id="test-pattern-title">
          <Icon name="alert" /> {texts.running}
        </h2>
        {seeing.length > 0 && <p role="status">{texts.viewersSee(seeing.join(", "))}</p>}
        <p class="quiet">{texts.endsIn(formatClock((endTime - now.value) / 1_000))}</p>
      </div>
      <Action kind="main" run={() => call("DELETE", pathOf(channel))}>
        {texts.stop}
      </Action>
    </section>
  );
}

type StartOptions = { readonly channel: Channel; readonly onClose: () => void };

const boxOf = (platId: number): string => `platform-${platId}`;

/** Asks for which platforms and how long, says who will see it, and sends the test pattern. */
export function StartTestPattern({ channel, onClose }: StartOptions) {
  const texts = t().testPattern;
  const offered = channel.platforms.filter(({ enabled }) => enabled);
  const submit = async (field: Fields): Promise<void> => {
    const chosen = offered.map(({ platId }) => platId).filter((platId) => field(boxOf(platId)) === "on");
    await call("POST", pathOf(channel), {
      durationSeconds: Number(field("minutes")) * 60,
      // Without a list it also goes to platforms that are switched on later.
      ...(chosen.length === offered.length ? {} : { platIds: chosen }),
    });
    onClose();
  };
  return (
    <Dialog title={texts.start} onClose={onClose}>
      <p>{texts.startText}</p>
      {offered.length === 0 && <p>{texts.sentToNobody}</p>}
      <Form submit={submit} button={texts.start} onCancel={onClose}>
        {offered.length > 0 && (
          <fieldset class="field-group">
            <legend>{texts.sendTo}</legend>
            {offered.map((platform) => (
              <label key={platform.platId} class="check">
                <input type="checkbox" name={boxOf(platform.platId)} defaultChecked />
                <span>{platformName(platform)}</span>
              </label>
            ))}
            <p class="tone-busy">
              <Icon name="alert" /> {texts.viewersWillSee}
            </p>
          </fieldset>
        )}
        <SelectField
          label={texts.length}
          name="minutes"
          value={String(MINUTES_DEFAULT)}
          options={MINUTES.map((minutes) => [String(minutes), texts.minutes(minutes)])}
        />
      </Form>
    </Dialog>
  );
}
