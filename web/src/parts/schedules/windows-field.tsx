import type { Platform } from "../../base/model.ts";
import { language, panelTexts } from "../../text/text.ts";
import { type Fields, optionalLabel, TextField } from "../basic/form.tsx";
import { readWindows, windowsText } from "./windows-text.ts";

/** What the fields say, for the request. */
export function windowsOf(field: Fields) {
  const timeZone = field("windowsZone").trim();
  return { windows: { open: readWindows(field("windows")) ?? [], ...(timeZone === "" ? {} : { timeZone }) } };
}

/** When the platform is on. */
export function WindowsFields({ platform }: { readonly platform: Platform | undefined }) {
  const texts = panelTexts().windows;
  const { windows } = platform ?? {};
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <TextField
        label={optionalLabel(texts.label)}
        name="windows"
        help={texts.help}
        value={windowsText(windows?.open ?? [], language.value)}
        check={(text) => (readWindows(text) === undefined ? texts.wrong : undefined)}
        rows={2}
      />
      <TextField label={texts.zone} name="windowsZone" value={windows?.timeZone ?? own} />
    </>
  );
}

/** Why a platform with windows is off, or on outside of them. */
export function WindowNote({ platform: { windowState, enabled } }: { readonly platform: Platform }) {
  if (!enabled) return null;
  return <p class="quiet">{windowState === "CLOSED" ? panelTexts().windows.closed : panelTexts().windows.opened}</p>;
}
