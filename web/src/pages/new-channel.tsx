import { useEffect } from "preact/hooks";
import { call, channelPath } from "../base/api.ts";
import { go } from "../base/router.ts";
import { showChannel } from "../live/store.ts";
import { Dialog } from "../parts/basic/dialog.tsx";
import { Form } from "../parts/basic/form.tsx";
import { sayNotes } from "../parts/basic/notice.tsx";
import { ChannelNameField } from "../parts/channel/channel-name-field.tsx";
import { PlatformFields, platformBody } from "../parts/platform/platform-form.tsx";
import { readPresets } from "../parts/platform/presets.ts";
import { t } from "../text/text.ts";

/** Creates a channel from a name, a platform and its key. */
export function NewChannel({ onClose }: { readonly onClose: () => void }) {
  useEffect(() => void readPresets().catch(() => undefined), []);
  const submit = async (field: (name: string) => string): Promise<void> => {
    const created = await call("POST", "/re-stream/channels", {
      channelName: field("channelName"),
      planType: "UNLIMITED",
      restream: [platformBody(field)],
    });
    const platforms = await call("GET", `${channelPath(created.channelId)}/platforms`);
    showChannel({ ...created, platforms });
    onClose();
    go(`/channels/${created.channelId}`);
    sayNotes(created.restream.flatMap(({ notes = [] }) => notes));
  };
  return (
    <Dialog title={t().overview.create} onClose={onClose} isWide>
      <Form submit={submit} button={t().common.create} onCancel={onClose}>
        <ChannelNameField autofocus />
        <PlatformFields />
      </Form>
    </Dialog>
  );
}
