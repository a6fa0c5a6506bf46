import { useSignal } from "@preact/signals";
import { api, ofChannel } from "../../base/api.ts";
import type { PullVariant, Source } from "../../base/model.ts";
import { formatMoment, formatRate } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";
import { type Fields, Form, TextField } from "../basic/form.tsx";
import { noteText } from "../basic/notice.tsx";

type PullOptions = {
  readonly source: Source;
  readonly channelId: string;
  readonly refresh: () => Promise<void>;
};

/** A stream that the server fetches from an address, and how that connection is. */
export function PullSection({ source, channelId, refresh }: PullOptions) {
  const texts = panelTexts().sources;
  const saved = useSignal(0);
  const { pull } = source;
  const submit = async (field: Fields): Promise<void> => {
    const body = { pull: { url: field("url").trim() } };
    await api.PUT("/re-stream/channels/{channelId}/source", { ...ofChannel(channelId), body });
    // The field is empty again: an address may hold a password.
    saved.value += 1;
    await refresh();
  };
  return (
    <section aria-labelledby="pull-title">
      <h3 id="pull-title">{texts.pull}</h3>
      <p class="quiet">{texts.pullIntro}</p>
      {pull !== undefined && (
        <p>
          {texts.pullFrom} <code>{pull.url}</code>
        </p>
      )}
      {pull?.variant !== undefined && <p class="quiet">{texts.variant(describe(pull.variant))}</p>}
      {pull?.lastError !== undefined && (
        <p class="problem" role="status">
          {noteText(pull.lastError)}{" "}
          {pull.nextRetryTime !== undefined && texts.nextTry(formatMoment(pull.nextRetryTime))}
        </p>
      )}
      {pull?.stability === "unstable" && <p class="tone-busy">{texts.unstable}</p>}
      <Form key={saved.value} submit={submit} button={texts.savePull} kind="plain">
        <TextField
          label={texts.pullUrl}
          name="url"
          isRequired
          help={texts.pullHelp}
          input={{ inputMode: "url", placeholder: "rtmp://example.com/live/key" }}
        />
      </Form>
    </section>
  );
}

/** Size, bit rate and codecs, as far as the playlist says them. */
function describe({ width, height, bitRate, codecs }: PullVariant): string {
  const size = width === undefined || height === undefined ? [] : [`${width}×${height}`];
  return [...size, formatRate(bitRate / 8), ...(codecs === undefined ? [] : [codecs])].join(" · ");
}
