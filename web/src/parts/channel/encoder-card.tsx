import { useSignal } from "@preact/signals";
import { api, ofChannel } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Confirm } from "../basic/confirm.tsx";
import { CopyField } from "../basic/copy.tsx";
import { Icon } from "../basic/icon.tsx";
import { lazy } from "../basic/lazy.tsx";
import { isWaitingForEncoder } from "../basic/state.tsx";
import { RefusedEncoders } from "./refused-encoders.tsx";

const SrtAddress = lazy(async () => (await import("./srt-address.tsx")).SrtAddress);
const QrCode = lazy(async () => (await import("./qr-code.tsx")).QrCode);

/** The server address and keys for the encoder. */
export function EncoderCard({ channel }: { readonly channel: Channel }) {
  const asked = useSignal<"main" | "backup" | undefined>(undefined);
  const isQrShown = useSignal(false);
  const renewKey = (which: "main" | "backup") =>
    api.POST("/re-stream/channels/{channelId}/stream-key", { ...ofChannel(channel.channelId), body: { which } });
  const { value: askedKey } = asked;
  return (
    <section class="panel" aria-labelledby="encoder-title">
      <div class="panel-head">
        <h2 id="encoder-title">
          {isWaitingForEncoder(channel) ? (
            <>
              <Icon name="spinner" /> {t().encoder.waiting}
            </>
          ) : (
            t().encoder.title
          )}
        </h2>
      </div>
      <p class="quiet">{t().encoder.steps}</p>
      <CopyField label={t().encoder.server} help={t().encoder.serverObs} value={channel.publishUrl} />
      {channel.securePublishUrl !== undefined && (
        <CopyField label={t().encoder.secureServer} value={channel.securePublishUrl} />
      )}
      <CopyField label={t().encoder.key} help={t().encoder.keyObs} value={channel.streamKey} isSecret />
      {channel.backupStreamKey !== undefined && (
        <CopyField label={t().encoder.backupKey} value={channel.backupStreamKey} isSecret />
      )}
      {channel.srtUrl !== undefined && <SrtAddress channel={channel} url={channel.srtUrl} />}
      {channel.ingestAuth !== undefined && (
        <CopyField label={t().platform.login} help={t().encoder.loginObs} value={channel.ingestAuth.id} />
      )}
      <div class="buttons">
        <button type="button" aria-expanded={isQrShown.value} onClick={() => (isQrShown.value = !isQrShown.value)}>
          {t().encoder.qr}
        </button>
        <button type="button" onClick={() => (asked.value = "main")}>
          {t().encoder.newKey}
        </button>
        {channel.backupStreamKey !== undefined && (
          <button type="button" onClick={() => (asked.value = "backup")}>
            {t().encoder.newBackupKey}
          </button>
        )}
      </div>
      <RefusedEncoders channelId={channel.channelId} />
      {isQrShown.value && (
        <div class="qr">
          <QrCode text={`${channel.publishUrl}/${channel.streamKey}`} label={t().encoder.qrLabel} />
          <p class="help">{t().encoder.qrText}</p>
        </div>
      )}
      {askedKey !== undefined && (
        <Confirm
          title={askedKey === "main" ? t().encoder.newKey : t().encoder.newBackupKey}
          text={t().encoder.newKeySure}
          run={() => renewKey(askedKey)}
          onClose={() => (asked.value = undefined)}
        />
      )}
    </section>
  );
}
