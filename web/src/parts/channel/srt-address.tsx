import { useSignal } from "@preact/signals";
import { api, ofChannel } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { panelTexts, t } from "../../text/text.ts";
import { CopyField } from "../basic/copy.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { type Fields, Form } from "../basic/form.tsx";
import { SecretField } from "../basic/secret-field.tsx";
import { QrCode } from "./qr-code.tsx";

const PASSPHRASE_BYTES = 18;

/** 24 letters, digits, - and _: they mean the same in every encoder's address. */
function newPassphrase(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSPHRASE_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

type SrtAddressOptions = { readonly channel: Channel; readonly url: string };

/** The server address for encoders over SRT. It holds the key and the passphrase: OBS has no other place for them. */
export function SrtAddress({ channel, url }: SrtAddressOptions) {
  const isQrShown = useSignal(false);
  const isNewAsked = useSignal(false);
  const { streamKey, srtPassphrase } = channel;
  const secret = srtPassphrase === undefined ? "" : `&passphrase=${srtPassphrase}`;
  const whole = `${url}?streamid=publish:${streamKey}${secret}`;
  return (
    <>
      <CopyField label={panelTexts().srt.server} help={panelTexts().srt.serverObs} value={whole} isSecret />
      {srtPassphrase !== undefined && <CopyField label={panelTexts().srt.passphrase} value={srtPassphrase} isSecret />}
      <div class="buttons">
        <button type="button" aria-expanded={isQrShown.value} onClick={() => (isQrShown.value = !isQrShown.value)}>
          {panelTexts().srt.qr}
        </button>
        <button type="button" onClick={() => (isNewAsked.value = true)}>
          {panelTexts().srt.newPassphrase}
        </button>
      </div>
      {isQrShown.value && (
        <div class="qr">
          <QrCode text={whole} label={panelTexts().srt.qrLabel} />
          <p class="help">{t().encoder.qrText}</p>
        </div>
      )}
      {isNewAsked.value && <NewPassphrase channel={channel} onClose={() => (isNewAsked.value = false)} />}
    </>
  );
}

type NewPassphraseOptions = { readonly channel: Channel; readonly onClose: () => void };

/** Proposes a passphrase; an empty one turns it off. */
function NewPassphrase({ channel, onClose }: NewPassphraseOptions) {
  const proposed = useSignal(newPassphrase());
  const submit = async (field: Fields): Promise<void> => {
    const body = { srtPassphrase: field("srtPassphrase") };
    await api.PUT("/re-stream/channels/{channelId}", { ...ofChannel(channel.channelId), body });
  };
  return (
    <Dialog title={panelTexts().srt.newPassphrase} onClose={onClose}>
      <Form submit={submit} button={t().common.save} onClose={onClose}>
        <SecretField
          label={panelTexts().srt.passphrase}
          name="srtPassphrase"
          help={panelTexts().srt.passphraseHelp}
          value={proposed.value}
        />
      </Form>
    </Dialog>
  );
}
