import { channelNameProblem, tidyChannelName } from "../../../../src/api-contract/input/channel-name.ts";
import { api, ofChannel } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Dialog } from "../basic/dialog.tsx";
import type { Check } from "../basic/field-checks.ts";
import { type Fields, Form, TextField } from "../basic/form.tsx";

const checkChannelName: Check = (value) => {
  const problem = channelNameProblem(tidyChannelName(value));
  return problem === undefined ? undefined : t().problems.channelName[problem];
};

type ChannelNameOptions = { readonly value?: string; readonly autofocus?: boolean };

/** The name of a channel: any text for people. */
export function ChannelNameField({ value = "", autofocus = false }: ChannelNameOptions) {
  return (
    <TextField
      label={t().channelName.label}
      name="channelName"
      help={t().channelName.rule}
      value={value}
      isRequired
      check={checkChannelName}
      input={{ autofocus }}
    />
  );
}

type RenameOptions = { readonly channel: Channel; readonly onClose: () => void };

export function RenameChannel({ channel, onClose }: RenameOptions) {
  const submit = async (field: Fields): Promise<void> => {
    const body = { channelName: field("channelName") };
    await api.PUT("/re-stream/channels/{channelId}", { ...ofChannel(channel.channelId), body });
  };
  return (
    <Dialog title={t().channel.rename} onClose={onClose}>
      <Form submit={submit} button={t().common.save} onClose={onClose}>
        <ChannelNameField value={channel.channelName} />
      </Form>
    </Dialog>
  );
}
