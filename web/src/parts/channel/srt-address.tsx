import { useSignal } from "@preact/signals";
import { t } from "../../text/text.ts";
import { CopyField } from "../basic/copy.tsx";
import { QrCode } from "./qr-code.tsx";

/** The server address for encoders over SRT. It holds the key: OBS has no other place for it. */
export function SrtAddress({ url, streamKey }: { readonly url: string; readonly streamKey: string }) {
  const isQrShown = useSignal(false);
  const whole = `${url}?streamid=publish:${streamKey}`;
  return (
    <>
      <CopyField label={t().srt.server} help={t().srt.serverObs} value={whole} isSecret />
      <div class="buttons">
        <button type="button" aria-expanded={isQrShown.value} onClick={() => (isQrShown.value = !isQrShown.value)}>
          {t().srt.qr}
        </button>
      </div>
      {isQrShown.value && (
        <div class="qr">
          <QrCode text={whole} label={t().srt.qrLabel} />
          <p class="help">{t().encoder.qrText}</p>
        </div>
      )}
    </>
  );
}
