import { api, ofChannel } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Dialog } from "../basic/dialog.tsx";
import { type Fields, Form, SelectField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { platformName } from "../platform/presets.ts";

const MINUTES = [1, 5, 15, 60] as const;
const MINUTES_DEFAULT = 5;

type StartOptions = {
  readonly channel: Channel;
  readonly onClose: () => void;
};

const boxOf = (platId: number): string => `platform-${platId}`;

/** Asks for which platforms and how long, says who will see it, and sends the test pattern. */
export function StartTestPattern({ channel, onClose }: StartOptions) {
  const texts = t().testPattern;
  const offered = channel.platforms.filter(({ enabled }) => enabled);
  const submit = async (field: Fields): Promise<void> => {
    const chosen = offered.map(({ platId }) => platId).filter((platId) => field(boxOf(platId)) === "on");
    const body = {
      durationSeconds: Number(field("minutes")) * 60,
      // Without a list it also goes to platforms that are switched on later.
      ...(chosen.length === offered.length ? {} : { platIds: chosen }),
    };
    await api.POST("/re-stream/channels/{channelId}/test-pattern", { ...ofChannel(channel.channelId), body });
  };
  return (
    <Dialog title={texts.start} onClose={onClose}>
      <p>{texts.startText}</p>
      {offered.length === 0 && <p>{texts.sentToNobody}</p>}
      <Form submit={submit} button={texts.start} onClose={onClose}>
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
