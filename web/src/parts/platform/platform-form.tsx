import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type BodyOf, content, ofChannel } from "../../base/api.ts";
import type { Channel, Platform, Preset } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { Field, type Fields, Form, TextField } from "../basic/form.tsx";
import { sayNotes } from "../basic/notice.tsx";
import { windowsOf } from "../schedules/windows-field.tsx";
import { KeyField } from "./key-field.tsx";
import { MoreFields, tracksOf, trustOf } from "./more-platform-fields.tsx";
import { keyHelp, offeredPresets, platformName, presetName, presetOf, readPresets, urlHelp } from "./presets.ts";

const OWN_ADDRESS = "own";

/** The request body for what was typed. Empty optional fields are left out. */
export function platformBody(field: Fields): BodyOf<"addPlatform"> {
  const choice = field("urlChoice");
  const optional = ["id", "password", "label", "bufferPolicy", "silentAudio"].filter((name) => field(name) !== "");
  const tracks = tracksOf(field);
  const tls = Object.entries(trustOf(field)).filter(([, value]) => value !== "");
  return {
    targetName: field("targetName"),
    rtmpUrl: choice === "" || choice === OWN_ADDRESS ? field("rtmpUrl") : choice,
    streamKey: field("streamKey"),
    ...Object.fromEntries(optional.map((name) => [name, field(name)])),
    ...(Object.keys(tracks).length > 0 ? { tracks } : {}),
    ...(field("windows").trim() === "" ? {} : windowsOf(field)),
    ...(field("noTimedData") === "on" ? { timedData: false } : {}),
    ...(Number(field("delaySeconds")) > 0 ? { delaySeconds: Number(field("delaySeconds")) } : {}),
    ...(tls.length > 0 ? { tls: Object.fromEntries(tls) } : {}),
  };
}

/** The fields of a new platform: which one, and its key. The rest is folded away. */
export function PlatformFields() {
  const chosen = useSignal("");
  /** The server as far as it is chosen: an address that was pasted with the key is compared with it. */
  const server = useSignal("");
  useEffect(() => {
    // The page may have read them in vain.
    readPresets().catch(sayProblem);
  }, []);
  const all = offeredPresets.value;
  const preset = all.find(({ targetName }) => targetName === chosen.value) ?? all[0];
  if (preset === undefined) return <p role="status">{t().app.loading}</p>;
  return (
    <>
      <fieldset class="presets">
        <legend>{t().platform.pick}</legend>
        {all.map((one) => (
          <label key={one.targetName} class="preset">
            <input
              type="radio"
              name="targetName"
              value={one.targetName}
              checked={one === preset}
              onChange={() => (chosen.value = one.targetName)}
            />
            <span>{presetName(one)}</span>
          </label>
        ))}
      </fieldset>
      <AddressFields key={preset.targetName} preset={preset} server={server} />
      {/* A key that was typed before the platform was chosen stays. */}
      <KeyField label={t().platform.key} help={keyHelp(preset)} server={server.value} />
      <MoreFields />
    </>
  );
}

type AddressOptions = { readonly preset: Preset; readonly server: Signal<string> };

function AddressFields({ preset, server }: AddressOptions) {
  const isOwn = useSignal(preset.rtmpUrls.length === 0);
  useEffect(() => {
    server.value = preset.rtmpUrls[0] ?? "";
  }, []);
  return (
    <>
      {preset.rtmpUrls.length > 0 && (
        <Field label={t().platform.urlChoice}>
          {(ids) => (
            <select
              {...ids}
              name="urlChoice"
              onChange={({ currentTarget: { value } }) => {
                isOwn.value = value === OWN_ADDRESS;
                server.value = isOwn.value ? "" : value;
              }}
            >
              {preset.rtmpUrls.map((url) => (
                <option key={url} value={url}>
                  {url}
                </option>
              ))}
              <option value={OWN_ADDRESS}>{t().platform.ownUrl}</option>
            </select>
          )}
        </Field>
      )}
      {isOwn.value && (
        <TextField
          label={t().platform.url}
          name="rtmpUrl"
          help={urlHelp(preset)}
          isRequired
          input={{
            ...{ placeholder: "rtmps://", inputMode: "url" },
            onInput: ({ currentTarget: { value } }) => (server.value = value),
          }}
        />
      )}
    </>
  );
}

type AddOptions = { readonly channelId: string; readonly onClose: () => void };

export function AddPlatform({ channelId, onClose }: AddOptions) {
  const submit = async (field: Fields): Promise<void> => {
    const body = platformBody(field);
    const call = api.POST("/re-stream/channels/{channelId}/platforms", { ...ofChannel(channelId), body });
    const { notes } = await showPlatform(channelId, content(call));
    sayNotes(notes);
  };
  return (
    <Dialog title={t().platform.addTitle} onClose={onClose} isWide>
      <Form submit={submit} button={t().common.add} onClose={onClose}>
        <PlatformFields />
      </Form>
    </Dialog>
  );
}

type EditOptions = { readonly channel: Channel; readonly platform: Platform; readonly onClose: () => void };

/** Edits one platform. On air, only this platform reconnects. */
export function EditPlatform({ channel, platform, onClose }: EditOptions) {
  const submit = async (field: Fields): Promise<void> => {
    const query = channel.isPublishing ? ({ onAir: "true" } as const) : {};
    const body: BodyOf<"editPlatform"> = {
      rtmpUrl: field("rtmpUrl"),
      streamKey: field("streamKey"),
      streamId: field("id"),
      streamPassword: field("password"),
      label: field("label"),
      bufferPolicy: field("bufferPolicy"),
      silentAudio: field("silentAudio"),
      ...(field("delaySeconds") === "" ? {} : { delaySeconds: Number(field("delaySeconds")) }),
      // No track means all tracks, and empty texts mean the usual authorities only.
      tracks: tracksOf(field),
      timedData: field("noTimedData") !== "on",
      ...windowsOf(field),
      tls: trustOf(field),
    };
    const path = "/re-stream/channels/{channelId}/platforms/{platformId}";
    const params = { path: { channelId: channel.channelId, platformId: platform.platId }, query };
    const edited = await content(api.PUT(path, { params, body }));
    sayNotes(edited.notes);
  };
  const preset = presetOf(platform.targetName);
  return (
    <Dialog title={t().platform.editTitle(platformName(platform))} onClose={onClose} isWide>
      {channel.isPublishing && <p class="quiet">{t().platform.onAirNote}</p>}
      <Form submit={submit} button={t().common.save} onClose={onClose}>
        <TextField label={t().platform.url} name="rtmpUrl" value={platform.rtmpUrl} isRequired />
        <KeyField
          label={t().platform.key}
          value={platform.streamKey}
          help={preset === undefined ? undefined : keyHelp(preset)}
          server={platform.rtmpUrl}
        />
        <MoreFields platform={platform} />
      </Form>
    </Dialog>
  );
}
