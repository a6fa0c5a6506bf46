import { useSignal } from "@preact/signals";
import { api, content, ofPlatform } from "../../base/api.ts";
import type { Channel, ErrorCode, Platform, PlatformTest } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { lazy } from "../basic/lazy.tsx";
import { Menu, type MenuEntry } from "./menu.tsx";
import { presetOf } from "./presets.ts";

/** Failures that only a change of the platform's settings ends: another attempt with the same ones fails too. */
const SETTINGS_ERRORS: readonly ErrorCode[] = [
  "AUTH_FAILED",
  "PUBLISH_REJECTED",
  "CONNECT_REJECTED",
  "TARGET_FORBIDDEN",
];

const PATH = "/re-stream/channels/{channelId}/platforms/{platformId}";

const EditPlatform = lazy(async () => (await import("./platform-form.tsx")).EditPlatform);

type ActionsOptions = {
  readonly channel: Channel;
  readonly platform: Platform;
  readonly name: string;
  readonly onTested: (result: PlatformTest) => void;
  readonly onRemove: () => void;
};

/** The links of a preset to the platform's own pages. */
function pageLinks({ targetName }: Platform): readonly MenuEntry[] {
  const { keyPageUrl, livePageUrl } = presetOf(targetName) ?? {};
  return [
    ...(keyPageUrl === undefined ? [] : [{ text: t().platform.keyPage, href: keyPageUrl }]),
    ...(livePageUrl === undefined ? [] : [{ text: t().platform.livePage, href: livePageUrl }]),
  ];
}

/** The one action that fits the platform's state, and a menu with the others. */
export function PlatformActions({ channel, platform, name, onTested, onRemove }: ActionsOptions) {
  const opened = useSignal<"edit" | "remove" | undefined>(undefined);
  const close = (): void => {
    opened.value = undefined;
  };
  const of = ofPlatform(channel.channelId, platform.platId);
  const edit = (): void => {
    opened.value = "edit";
  };
  const test = async (): Promise<void> => onTested(await content(api.POST(`${PATH}/test`, of)));
  const retry = () => showPlatform(channel.channelId, content(api.PUT(`${PATH}/retry`, of)));
  const canRetry = platform.connectStatus === "FAIL" && platform.enabled;
  const canTest = platform.connectStatus === "READY" || platform.connectStatus === "FAIL";
  const mustEdit = canRetry && platform.lastError !== undefined && SETTINGS_ERRORS.includes(platform.lastError.code);
  const entryOf = (text: string, run: () => Promise<unknown>): MenuEntry => ({
    text,
    run: () => void run().catch(sayProblem),
  });
  const testEntry = entryOf(t().platform.test, test);
  const retryEntry = entryOf(t().platform.retryNow, retry);
  const entries: readonly MenuEntry[] = [
    ...(mustEdit ? [retryEntry] : []),
    ...(canRetry ? [testEntry] : []),
    ...(canTest && !mustEdit ? [{ text: t().common.edit, run: edit }] : []),
    ...pageLinks(platform),
    { text: t().platform.remove, run: () => (opened.value = "remove"), isDanger: true },
  ];
  return (
    <>
      {canRetry && !mustEdit && (
        <Action kind="main" run={retry}>
          {t().platform.retryNow}
        </Action>
      )}
      {!canRetry && canTest && <Action run={test}>{t().platform.test}</Action>}
      {(mustEdit || !canTest) && (
        <button type="button" class={mustEdit ? "main" : ""} onClick={edit}>
          {t().common.edit}
        </button>
      )}
      <Menu label={t().platform.more(name)} entries={entries} />
      {opened.value === "edit" && <EditPlatform channel={channel} platform={platform} onClose={close} />}
      {opened.value === "remove" && (
        <Confirm
          title={t().platform.remove}
          text={t().platform.removeSure(name)}
          run={() => {
            onRemove();
            return api.DELETE(PATH, of);
          }}
          onClose={close}
        />
      )}
    </>
  );
}
