import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { showParts } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { CopyField } from "../basic/copy.tsx";
import { type Fields, Form, SelectField, TextField } from "../basic/form.tsx";
import { say } from "../basic/notice.tsx";
import { SecretField } from "../basic/secret-field.tsx";
import { TestWebhook } from "../webhook/webhook-test.tsx";

/** Longest hold that the API accepts, in seconds. */
const HOLD_SECONDS_MAX = 1_800;

const LATENCIES = ["efficient", "low"] as const;

/** Hold and backup encoder, and, folded away, the settings that few people need. */
export function ChannelSettings({ channel }: { readonly channel: Channel }) {
  /** Whether the last save gave it a login: `channel` says so a moment later. */
  const gaveLogin = useRef(false);
  const submit = async (field: Fields): Promise<void> => {
    const call = api.PUT("/re-stream/channels/{channelId}", {
      ...ofChannel(channel.channelId),
      body: {
        hold: { seconds: Number(field("hold")) },
        backup: { enabled: field("backup") === "on" },
        latency: field<(typeof LATENCIES)[number]>("latency"),
        freeze: { mediaSeconds: Number(field("freezeMedia")), videoSeconds: Number(field("freezeVideo")) },
        ...ingestAuthOf(field, channel.ingestAuth !== undefined || gaveLogin.current),
      },
    });
    // The fields follow what others change from here on.
    await showParts(channel.channelId, content(call), "hold", "backup", "latency", "freeze");
    gaveLogin.current = field("ingestId").trim() !== "";
    say(t().common.saved);
  };
  const texts = t().settings;
  return (
    <section class="panel" aria-labelledby="settings-title">
      <div class="panel-head">
        <h2 id="settings-title">{texts.channelTitle}</h2>
      </div>
      <Form submit={submit} button={t().common.save} kind="plain">
        <TextField
          label={texts.inSeconds(texts.hold)}
          name="hold"
          help={texts.holdHelp}
          value={String(channel.hold.seconds)}
          isRequired
          input={{ type: "number", min: 0, max: HOLD_SECONDS_MAX, step: 1 }}
        />
        <label class="check">
          <input type="checkbox" name="backup" defaultChecked={channel.backup.enabled} />
          <span>
            {texts.backup}
            <span class="help">{texts.backupHelp}</span>
          </span>
        </label>
        <details class="more-fields">
          <summary>{t().common.advanced}</summary>
          <SelectField
            label={texts.latency}
            name="latency"
            help={texts.latencyHelp}
            value={channel.latency}
            options={LATENCIES.map((latency) => [latency, texts.latencies[latency]])}
          />
          <div class="field-pair">
            <TextField
              label={texts.inSeconds(texts.freezeMedia)}
              name="freezeMedia"
              value={String(channel.freeze.mediaSeconds)}
              isRequired
              input={{ type: "number", min: 5, max: 120, step: 1 }}
            />
            <TextField
              label={texts.inSeconds(texts.freezeVideo)}
              name="freezeVideo"
              help={texts.freezeHelp}
              value={String(channel.freeze.videoSeconds)}
              isRequired
              input={{ type: "number", min: 0, max: 600, step: 1 }}
            />
          </div>
          <fieldset class="field-group">
            <legend>{texts.ingestAuth}</legend>
            <p class="help">{texts.ingestAuthHelp}</p>
            <div class="field-pair">
              <TextField label={t().platform.login} name="ingestId" value={channel.ingestAuth?.id} />
              <SecretField
                label={t().platform.password}
                name="ingestPassword"
                help={channel.ingestAuth === undefined ? undefined : texts.passwordKept}
              />
            </div>
          </fieldset>
        </details>
      </Form>
      <ChannelWebhook channel={channel} />
    </section>
  );
}

/** An empty user name turns the login off. An empty password keeps the current one. */
function ingestAuthOf(field: Fields, hasLogin: boolean) {
  const [id, password] = [field("ingestId").trim(), field("ingestPassword")];
  if (id === "") return hasLogin ? { ingestAuth: { id } } : {};
  return { ingestAuth: { id, ...(password === "" ? {} : { password }) } };
}

/** The channel's own webhook, which replaces the default one. Its secret is shown once, when it is set. */
function ChannelWebhook({ channel }: { readonly channel: Channel }) {
  const secret = useSignal<string | undefined>(undefined);
  const of = ofChannel(channel.channelId);
  const submit = async (field: Fields): Promise<void> => {
    const body = { callbackUrl: field("callbackUrl").trim() };
    const call = api.POST("/re-stream/channels/{channelId}/callbackEndpoint", { ...of, body });
    secret.value = (await content(call)).webhookSecret;
    say(t().common.saved);
  };
  const texts = t().settings;
  return (
    <details class="more-fields">
      <summary>{texts.channelWebhook}</summary>
      <Form submit={submit} button={t().common.save} kind="plain">
        <TextField
          label={texts.webhookUrl}
          name="callbackUrl"
          help={texts.channelWebhookHelp}
          value={channel.callbackEndpoint}
          input={{ inputMode: "url", placeholder: "https://" }}
        />
      </Form>
      {channel.callbackEndpoint !== undefined && (
        <TestWebhook run={() => api.POST("/re-stream/channels/{channelId}/callbackEndpoint/test", of)} />
      )}
      {secret.value !== undefined && (
        <CopyField label={texts.webhookSecret} help={texts.keyShown} value={secret.value} isSecret />
      )}
    </details>
  );
}
