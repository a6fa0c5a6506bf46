import { t } from "../../text/text.ts";
import { checkChannelName } from "../basic/field-checks.ts";
import { TextField } from "../basic/form.tsx";

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
