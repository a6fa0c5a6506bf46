import { call, channelPath } from "../api.ts";
import type { Channel } from "../model.ts";
import { t } from "../text/text.ts";
import { Dialog } from "./dialog.tsx";
import { type Fields, Form, TextField } from "./form.tsx";
import { say } from "./notice.tsx";

/** Longest hold the API takes, in seconds. */
const HOLD_SECONDS_MAX = 1_800;

/** How long platforms are held, and whether a second encoder may stand by. */
export function ChannelSettings({ channel }: { readonly channel: Channel }) {
  const submit = async (field: Fields): Promise<void> => {
    await call("PUT", channelPath(channel.channelId), {
      hold: { seconds: Number(field("hold")) },
      backup: { enabled: field("backup") === "on" },
    });
    say(t().common.saved);
  };
  return (
    <section class="panel" aria-labelledby="settings-title">
      <div class="panel-head">
        <h2 id="settings-title">{t().settings.channelTitle}</h2>
      </div>
      <Form submit={submit} button={t().common.save} isPlain>
        <TextField
          label={`${t().settings.hold} (${t().settings.holdSeconds})`}
          name="hold"
          help={t().settings.holdHelp}
          value={String(channel.hold.seconds)}
          isRequired
          input={{ type: "number", min: 0, max: HOLD_SECONDS_MAX, step: 1 }}
        />
        <label class="check">
          <input type="checkbox" name="backup" defaultChecked={channel.backup.enabled} />
          <span>
            {t().settings.backup}
            <span class="help">{t().settings.backupHelp}</span>
          </span>
        </label>
      </Form>
    </section>
  );
}

type RenameOptions = { readonly channel: Channel; readonly onClose: () => void };

export function RenameChannel({ channel, onClose }: RenameOptions) {
  const submit = async (field: Fields): Promise<void> => {
    await call("PUT", channelPath(channel.channelId), { channelName: field("channelName") });
    onClose();
  };
  return (
    <Dialog title={t().channel.rename} onClose={onClose}>
      <Form submit={submit} button={t().common.save} onCancel={onClose}>
        <TextField
          label={t().channel.name}
          name="channelName"
          help={t().channel.nameRule}
          value={channel.channelName}
          isRequired
          input={{ minLength: 3, maxLength: 20 }}
        />
      </Form>
    </Dialog>
  );
}
