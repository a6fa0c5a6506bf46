import { useRef } from "preact/hooks";
import { api, content, ofChannel } from "../base/api.ts";
import { go } from "../base/router.ts";
import { showChannel } from "../live/store.ts";
import { Dialog } from "../parts/basic/dialog.tsx";
import { type Fields, Form } from "../parts/basic/form.tsx";
import { sayNotes } from "../parts/basic/notice.tsx";
import { ChannelNameField } from "../parts/channel/channel-name-field.tsx";
import { PlatformFields, platformBody } from "../parts/platform/platform-form.tsx";
import { t } from "../text/text.ts";

/** Creates a channel from a name, a platform and its key. */
export function NewChannel({ onClose }: { readonly onClose: () => void }) {
  const createdId = useRef<string | undefined>(undefined);
  const close = (): void => {
    onClose();
    if (createdId.current !== undefined) go(`/channels/${createdId.current}`);
  };
  const submit = async (field: Fields): Promise<void> => {
    const created = await content(
      api.POST("/re-stream/channels", {
        body: { channelName: field("channelName"), planType: "UNLIMITED", restream: [platformBody(field)] },
      }),
    );
    const call = api.GET("/re-stream/channels/{channelId}/platforms", ofChannel(created.channelId));
    // The channel is there also where this fails: then the live stream shows it.
    await content(call).then(
      (platforms) => showChannel({ ...created, platforms }),
      () => undefined,
    );
    createdId.current = created.channelId;
    sayNotes(created.restream.flatMap(({ notes = [] }) => notes));
  };
  return (
    <Dialog title={t().overview.create} onClose={onClose} isWide>
      <Form submit={submit} button={t().common.create} onClose={close}>
        <ChannelNameField autofocus />
        <PlatformFields />
      </Form>
    </Dialog>
  );
}
