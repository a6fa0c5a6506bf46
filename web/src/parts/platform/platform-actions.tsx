import { useSignal } from "@preact/signals";
import { call, platformPath } from "../../base/api.ts";
import type { Channel, Platform, PlatformTest } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { lazy } from "../basic/lazy.tsx";
import { say } from "../basic/notice.tsx";
import { Menu, type MenuEntry } from "./menu.tsx";
import { presetOf } from "./presets.ts";

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
  const path = platformPath(channel.channelId, platform.platId);
  const edit = (): void => {
    opened.value = "edit";
  };
  const test = async (): Promise<void> => onTested(await call<PlatformTest>("POST", `${path}/test`));
  const retry = async (): Promise<void> =>
    showPlatform(channel.channelId, await call<Platform>("PUT", `${path}/retry`));
  const canRetry = platform.connectStatus === "FAIL" && platform.enabled;
  const canTest = platform.connectStatus === "READY" || platform.connectStatus === "FAIL";
  const testEntry = {
    text: t().platform.test,
    run: () => void test().catch((error) => say(problemText(error), "bad")),
  };
  const entries: readonly MenuEntry[] = [
    ...(canRetry ? [testEntry] : []),
    ...(canTest ? [{ text: t().common.edit, run: edit }] : []),
    ...pageLinks(platform),
    { text: t().platform.remove, run: () => (opened.value = "remove"), isDanger: true },
  ];
  return (
    <>
      {canRetry && (
        <Action kind="main" run={retry}>
          {t().platform.retryNow}
        </Action>
      )}
      {!canRetry && canTest && <Action run={test}>{t().platform.test}</Action>}
      {!canTest && (
        <button type="button" onClick={edit}>
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
            return call("DELETE", path);
          }}
          onClose={close}
        />
      )}
    </>
  );
}
