import type { Platform } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { checkShortText } from "../basic/field-checks.ts";
import { type Fields, optionalLabel, SelectField, TextField } from "../basic/form.tsx";
import { SecretField } from "../basic/secret-field.tsx";
import { DelayField } from "../delay/delay.tsx";
import { WindowsFields } from "../schedules/windows-field.tsx";

/** Track numbers are one byte on the wire. */
const TRACK_MAX = 255;
const POLICIES = ["drop", "disconnect"] as const;
const SILENT_AUDIO = ["auto", "always", "never"] as const;

/** The chosen tracks, without the kind whose field is empty. */
export function tracksOf(field: Fields): { readonly video?: number; readonly audio?: number } {
  const [video, audio] = [field("videoTrack").trim(), field("audioTrack").trim()];
  return { ...(video === "" ? {} : { video: Number(video) }), ...(audio === "" ? {} : { audio: Number(audio) }) };
}

/** Which certificates of an rtmps:// platform are trusted, besides those of the usual authorities. */
export function trustOf(field: Fields): { readonly ca: string; readonly fingerprint: string } {
  return { ca: field("ca").trim(), fingerprint: field("fingerprint").trim() };
}

/** Settings that few people need, folded away. */
export function MoreFields({ platform }: { readonly platform?: Platform }) {
  const texts = t().platform;
  const track = { type: "number", min: 0, max: TRACK_MAX, step: 1, inputMode: "numeric" } as const;
  return (
    <details class="more-fields">
      <summary>{t().common.advanced}</summary>
      <TextField
        label={optionalLabel(texts.label)}
        name="label"
        help={texts.labelHelp}
        value={platform?.label}
        check={checkShortText}
      />
      <div class="field-pair">
        <TextField label={optionalLabel(texts.login)} name="id" value={platform?.id} />
        <SecretField label={optionalLabel(texts.password)} name="password" value={platform?.password} isMask />
      </div>
      <SelectField
        label={texts.bufferPolicy}
        name="bufferPolicy"
        help={texts.bufferPolicyHelp}
        value={platform?.bufferPolicy ?? "drop"}
        options={POLICIES.map((policy) => [policy, texts.policies[policy]])}
      />
      <SelectField
        label={texts.silentAudio}
        name="silentAudio"
        value={platform?.silentAudio ?? "auto"}
        options={SILENT_AUDIO.map((choice) => [choice, texts.silentAudioChoices[choice]])}
      />
      <DelayField platform={platform} />
      <WindowsFields platform={platform} />
      <label class="check">
        <input type="checkbox" name="noTimedData" defaultChecked={platform?.timedData === false} />
        <span>{texts.timedData}</span>
      </label>
      <fieldset class="field-group">
        <legend>{texts.tracks}</legend>
        <p class="help">{texts.tracksHelp}</p>
        <div class="field-pair">
          <TextField
            label={texts.videoTrack}
            name="videoTrack"
            value={platform?.tracks?.video.toString()}
            input={track}
          />
          <TextField
            label={texts.audioTrack}
            name="audioTrack"
            value={platform?.tracks?.audio.toString()}
            input={track}
          />
        </div>
      </fieldset>
      <fieldset class="field-group">
        <legend>{texts.trust}</legend>
        <p class="help">{texts.trustHelp}</p>
        <TextField
          label={texts.fingerprint}
          name="fingerprint"
          help={texts.fingerprintHelp}
          value={platform?.tls?.fingerprint}
          input={{ class: "code" }}
        />
        <TextField label={texts.ca} name="ca" help={texts.caHelp} value={platform?.tls?.ca} rows={4} />
      </fieldset>
    </details>
  );
}
